import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { executeInputSchema, parseExecuteRequest } from '../../src/server/input-schema.ts';

const LIMITS = { maxSourceBytes: 10, maxInputBytes: 20, maxJsonDepth: 3, maxJsonNodes: 5 };

function refusal(args: unknown): SandboxError {
  try {
    parseExecuteRequest(args, LIMITS);
  } catch (error) {
    if (error instanceof SandboxError) return error;
  }
  throw new Error('The arguments were taken');
}

describe('the arguments of execute_code', () => {
  test('are taken as they are', () => {
    const limits = { timeoutMs: 10, waitMs: 10, fuel: 50_000_000, memoryMb: 16, maxToolCalls: 0, servers: [] };
    const args = { code: 'return 1', input: null, session: 'ses_1', limits };
    expect(parseExecuteRequest(args, LIMITS)).toEqual(args);
    expect(parseExecuteRequest({ code: '1' }, LIMITS)).toEqual({ code: '1' });
    for (const answerAfterMs of [10, 86_400_000]) {
      const early = { code: '1', wait: 'return-when-waiting', answerAfterMs };
      expect(parseExecuteRequest(early, LIMITS)).toEqual(early);
    }
  });

  test.each([
    [{ code: 'x'.repeat(11) }, 'Argument "code" is 11 bytes; the limit is 10 bytes.'],
    [{ code: 'ééééé1' }, 'Argument "code" is 11 bytes; the limit is 10 bytes.'],
    [{ code: '1', input: 'x'.repeat(19) }, 'Argument "input" is 21 bytes of JSON; the limit is 20 bytes.'],
    [{ code: '1', input: [[[[]]]] }, 'Argument "input" is nested too deeply; the limit is 3 levels.'],
    [{ code: '1', input: [1, 2, 3, 4, 5] }, 'Argument "input" is made of too many values; the limit is 5 values.'],
    [{ code: 1 }, 'Argument "code" must be TypeScript source text, not 1.'],
    [{ code: '' }, 'Argument "code" must be TypeScript source text that is not empty, not "".'],
    [{}, 'Argument "code" must be TypeScript source text, not missing.'],
    [undefined, 'Argument "code" must be TypeScript source text, not missing.'],
    [[], 'The arguments must be an object, not a list.'],
    ['text', 'The arguments must be an object, not "text".'],
    [{ code: '1', session: 5 }, 'Argument "session" must be "new" or the session handle of an earlier answer, not 5.'],
    [{ code: '1', limits: [] }, 'Argument "limits" must be an object, not a list.'],
    [
      { code: '1', limits: { fuel: 49_999_999 } },
      'Argument "limits.fuel" must be a whole number of at least 50000000 (fuel), not 49999999.',
    ],
    [{ code: '1', limits: { timeoutMs: '10' } }, 'Argument "limits.timeoutMs" must be a whole number of at least 10 (ms), not "10".'],
    [{ code: '1', limits: { servers: [1] } }, 'Argument "limits.servers.0" must be the name of a server, not 1.'],
    [
      { code: '1', limits: { tools: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`a.b${n}`, 1])) } },
      'Argument "limits.tools" must be an object with at most 200 keys of at most 400 characters, not an object.',
    ],
    [
      { code: '1', limits: { tools: { [`a.${'b'.repeat(399)}`]: 1 } } },
      'Argument "limits.tools" must be an object with at most 200 keys of at most 400 characters, not an object.',
    ],
    [
      { code: '1', limits: { tools: { tickets: 5 } } },
      'Argument "limits.tools" must be an object such as {"tickets.create": 20}; it cannot have the key "tickets".',
    ],
    [{ code: '1', limits: { tools: { 'a.b': -1 } } }, 'Argument "limits.tools.a.b" must be a whole number of at least 0 (calls), not -1.'],
    [{ code: '1', wait: 'done' }, 'Argument "wait" must be "completed" or "return-when-waiting", not "done".'],
    [{ code: '1', answerAfterMs: 9 }, 'Argument "answerAfterMs" must be a whole number from 10 to 86400000 (ms), not 9.'],
    [{ code: '1', answerAfterMs: 86_400_001 }, 'Argument "answerAfterMs" must be a whole number from 10 to 86400000 (ms), not 86400001.'],
    [{ code: '1', answerAfterMs: '10' }, 'Argument "answerAfterMs" must be a whole number from 10 to 86400000 (ms), not "10".'],
    [{ code: '1', sesion: 'x' }, 'Unknown argument "sesion". Did you mean "session"?'],
    [{ code: '1', limits: { timeout: 1 } }, 'Unknown argument "limits.timeout". Did you mean "timeoutMs"?'],
    [
      { code: '1', xxxxxxxxx: 1 },
      'Unknown argument "xxxxxxxxx". Known are "code", "input", "session", "dryRun", "limits", "wait", "answerAfterMs".',
    ],
    [{ source: '1' }, 'Unknown argument "source". Known are "code", "input", "session", "dryRun", "limits", "wait", "answerAfterMs".'],
  ])('%j are refused with the reason', (args, message) => {
    expect(refusal(args)).toMatchObject({ code: 'ERR_SERVER_INPUT', message });
  });

  test.each([
    { code: 'x'.repeat(10) },
    { code: '1', input: 'x'.repeat(18) },
    { code: '1', input: [[[]]] },
    { code: '1', input: [1, 2, 3, 4] },
    { code: '1', limits: { tools: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`a.${n}`.padEnd(400, 'b'), 1])) } },
  ])('%j are just within the limits', (args) => {
    expect(parseExecuteRequest(args, LIMITS)).toEqual(args);
  });

  test('name the misspelt key before the missing one, and every finding', () => {
    const error = refusal({ codes: 'x', limit: {} });
    expect(error.message).toBe('Unknown argument "codes". Did you mean "code"?');
    expect(error.details.diagnostics?.map(({ message }) => message)).toEqual([
      'Unknown argument "codes". Did you mean "code"?',
      'Unknown argument "limit". Did you mean "limits"?',
      'Argument "code" must be TypeScript source text, not missing.',
    ]);
  });

  test('with a key like __proto__ do not reach any prototype', () => {
    expect(refusal(JSON.parse('{"code":"1","__proto__":{"a":1}}')).code).toBe('ERR_SERVER_INPUT');
    expect(Object.hasOwn(Object.prototype, 'a')).toBe(false);
  });

  test('with thousands of unknown keys give a short answer', () => {
    const args = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`key${index}`.padEnd(500, 'x'), 1]));
    const error = refusal(args);
    expect(JSON.stringify(error.details).length).toBeLessThan(3_000);
  });

  test('with keys and values of any length and with halves of characters are told in short, well-formed text', () => {
    const key = `s.${'😀'.repeat(5_000)}`;
    for (const args of [
      { code: '1', limits: { tools: { [key]: 'x' } } },
      { code: '1', [`${'a'.repeat(39)}😀`]: 1 },
      { code: '1', session: 5, dryRun: `${'a'.repeat(58)}😀` },
    ]) {
      const { message, details } = refusal(args);
      expect(JSON.stringify([message, details]).length).toBeLessThan(1_000);
      expect([message, ...(details.diagnostics ?? []).map((finding) => finding.message)].every((text) => text.isWellFormed())).toBe(true);
    }
  });

  test('say of every argument what it is for', () => {
    for (const field of Object.values(executeInputSchema.shape)) expect(field.description).toBeTruthy();
  });
});
