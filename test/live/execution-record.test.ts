import { describe, expect, test } from 'vitest';
import { readContext, readRequest, requestOf, writeContext, writeRequest } from '../../src/live/execution-record.ts';

const REQUEST = { code: 'return 1;', input: { a: [null, 'b'] }, session: 'new', dryRun: true, limits: { fuel: 5, tools: { 'a.b': 1 } } };
const CALLER = { grant: ['a.*'], credential: 'key_1', form: 'text' as const };

describe('a stored request', () => {
  test('is read as it was written, with who made it and without how it was to be answered', () => {
    const read = readRequest(writeRequest({ ...REQUEST, wait: 'return-when-waiting', answerAfterMs: 10 }, CALLER));
    expect(requestOf(read)).toEqual(REQUEST);
    expect(read).toMatchObject(CALLER);
    expect(requestOf(readRequest(writeRequest({ code: 'return 2;' }, {})))).toEqual({ code: 'return 2;' });
  });

  test.each(['', '{}', '[]', 'null', '{"version":2,"code":"x"}', '{"version":1,"code":1}', '{"version":1,"code":"x","more":1}'])(
    'of another form is refused with a code (%s)',
    (text) => {
      expect(() => readRequest(text)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTION_DAMAGED' }));
    },
  );
});

describe('a stored context', () => {
  test('is read as it was written', () => {
    const context = {
      phases: { check: 1.5 },
      session: { handle: 'ses_x', version: 3, isNew: false },
      warnings: [{ message: 'careful', code: 'WARN_X', location: { line: 1, column: 2, source: 'x' } }],
      tokens: { rules: 'r', key: 'k', tokens: [['‹email_0123456789›', 'a@b.c', 1] as const] },
    };
    expect(readContext(writeContext(context))).toEqual({ version: 1, ...context });
    expect(readContext(writeContext({ phases: {}, warnings: [] }))).toEqual({ version: 1, phases: {}, warnings: [] });
  });

  test('of another form is refused with a code', () => {
    for (const text of ['', '{"version":9}', '{"version":1,"phases":{},"warnings":[{}]}']) {
      expect(() => readContext(text)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTION_DAMAGED' }));
    }
  });
});
