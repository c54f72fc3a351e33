import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { presentFailure, presentOutcome } from '../../src/result/present.ts';
import { inForm, readAnswer, writeAnswer } from '../../src/result/stored-answer.ts';
import type { AnswerForm, ExecuteResponse } from '../../src/result/answer.ts';
import type { KeptItem } from '../../src/result/output-schema.ts';
import { LIMIT_VALUES } from '../policy/policies.ts';
import { bundle, outcomeOf } from './outcome-fixture.ts';

const PNG = { type: 'image', data: 'iVBORw0KGgo=', mimeType: 'image/png' };
const KEPT: KeptItem = {
  what: 'call',
  uri: `ampoule://results/${'ab'.repeat(16)}`,
  bytes: 5,
  expiresAt: '2026-01-01T00:00:00.000Z',
  shortened: [],
} as const;

function completed(value: unknown, form: AnswerForm): Promise<ExecuteResponse> {
  const outcome = outcomeOf({ status: 'completed', result: value === undefined ? '' : JSON.stringify(value), state: '' });
  const rest = { executionId: 'exe_1', session: 'ses_1', bundle, phases: { check: 1 }, limits: LIMIT_VALUES };
  return presentOutcome({ ...rest, outcome, kept: [KEPT], form });
}

const VALUES = [
  { a: [1, 2] },
  'text',
  null,
  undefined,
  [PNG, 'and words', { type: 'resource_link', uri: 'https://example.org/', name: 'x' }],
];

describe('a stored answer', () => {
  test.each(VALUES)('is the same in either form as when it was made (%j)', async (value) => {
    const [structured, text] = await Promise.all([completed(value, 'structured'), completed(value, 'text')]);
    for (const stored of [structured, text].map(writeAnswer)) {
      expect(readAnswer(stored, 'structured')).toEqual(structured);
      expect(readAnswer(stored, 'text')).toEqual(text);
    }
    expect([inForm(structured, 'text'), inForm(text, undefined)]).toEqual([text, structured]);
  });

  test('tells a failure with all that there is to know of it', () => {
    const failure = presentFailure({ executionId: 'exe_1', error: new SandboxError('ERR_EXECUTE_THROWN', 'no', { hint: 'yes' }) });
    expect(readAnswer(writeAnswer(failure), 'structured')).toEqual(failure);
  });
});
