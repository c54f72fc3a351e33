import { expect, test } from 'vitest';
import { endOfBrokenCall } from '../../../src/execute/worker/guest-failure.ts';
import { readGuestStatus } from '../../../src/execute/worker/guest-status.ts';
import { GuestStop } from '../../../src/execute/worker/guest-stop.ts';

const LIMITS = { maxResultBytes: 100, maxStateBytes: 50 };
const FAILED = { status: 'failed', code: 'ERR_EXECUTE_THROWN', name: 'Error', message: 'm', stack: '' };
const status = (head: unknown, ...rest: string[]): string[] => [JSON.stringify(head), ...rest];

test('a waiting program says what it waits for', () => {
  expect(readGuestStatus(status({ running: 2, nextTimer: 17.5, ending: null }), LIMITS)).toEqual({
    running: 2,
    nextTimer: 17.5,
    end: null,
  });
});

test.each([0, 17, 999_999_999_999_999, 1e21, -1])('a timer is due at %d', (nextTimer) => {
  expect(readGuestStatus(status({ running: 0, nextTimer, ending: null }), LIMITS)).toEqual({ running: 0, nextTimer, end: null });
});

test.each(['{"running":01,"nextTimer":null,"ending":null}', '{"running":0,"nextTimer":null,"ending":null} x'])(
  '%s is not of the contract',
  (head) => {
    expect(() => readGuestStatus([head], LIMITS)).toThrow(/JSON/);
  },
);

test('a completed program has its result and state', () => {
  const { end } = readGuestStatus(status({ running: 0, nextTimer: null, ending: { status: 'completed' } }, '1', '{}'), LIMITS);
  expect(end).toEqual({ status: 'completed', result: '1', state: '{}' });
});

test('a completed program without texts has neither', () => {
  const { end } = readGuestStatus(status({ running: 0, nextTimer: null, ending: { status: 'completed' } }), LIMITS);
  expect(end).toEqual({ status: 'completed', result: '', state: '' });
});

test('a failed program has its failure', () => {
  const { end } = readGuestStatus(status({ running: 0, nextTimer: null, ending: { ...FAILED, hint: 'h' } }), LIMITS);
  expect(end).toEqual({ ...FAILED, hint: 'h' });
});

test('texts are measured again, in bytes and not in characters', () => {
  const done = { running: 0, nextTimer: null, ending: { status: 'completed' } };
  const endOf = (result: string, state: string): unknown => readGuestStatus(status(done, result, state), LIMITS).end;
  expect(endOf('é'.repeat(50), 'x'.repeat(50))).toMatchObject({ status: 'completed' });
  expect(endOf('é'.repeat(51), '')).toMatchObject({ code: 'ERR_EXECUTE_RESULT_TOO_LARGE', message: expect.stringContaining('102') });
  expect(endOf('', 'x'.repeat(51))).toMatchObject({ code: 'ERR_EXECUTE_RESULT_TOO_LARGE', message: expect.stringContaining('state') });
});

const fine = { running: 0, nextTimer: null, ending: null };
test.each([
  ['nothing', []],
  ['an empty text', ['']],
  ['no JSON', ['{']],
  ['null', ['null']],
  ['a list', ['[]']],
  ['a number', ['1']],
  ['no running', status({ ...fine, running: undefined })],
  ['a negative running', status({ ...fine, running: -1 })],
  ['a fraction as running', status({ ...fine, running: 0.5 })],
  ['a huge running', status({ ...fine, running: 1e300 })],
  ['a text as running', status({ ...fine, running: '1' })],
  ['a text as timer', status({ ...fine, nextTimer: '1' })],
  ['an infinite timer', ['{"running":0,"nextTimer":1e999,"ending":null}']],
  ['no timer', status({ ...fine, nextTimer: undefined })],
  ['an unknown member', status({ ...fine, more: 1 })],
  ['an own __proto__', ['{"running":0,"nextTimer":null,"ending":null,"__proto__":{}}']],
  ['an unknown ending', status({ ...fine, ending: { status: 'waiting' } })],
  ['an unknown code', status({ ...fine, ending: { ...FAILED, code: 'ERR_MADE_UP' } })],
  ['a code that is a member of every object', status({ ...fine, ending: { ...FAILED, code: 'constructor' } })],
  ['no message', status({ ...fine, ending: { ...FAILED, message: undefined } })],
  ['an object as stack', status({ ...fine, ending: { ...FAILED, stack: {} } })],
  ['a completed ending with more', status({ ...fine, ending: { status: 'completed', code: 'ERR_INTERNAL' } })],
  ['a head that is too long', [`{"running":0,"nextTimer":null,"ending":null${' '.repeat(524_288)}}`]],
])('a status with %s is refused', (_what, texts) => {
  expect(() => readGuestStatus(texts, LIMITS)).toThrow(Error);
});

test('a status nested so deeply that parsing it recurses is refused and not fatal', () => {
  expect(() => readGuestStatus(['['.repeat(200_000)], LIMITS)).toThrow(Error);
});

test.each([
  ['our own stop', new GuestStop('ERR_EXECUTE_FUEL', 'm'), true, 'ERR_EXECUTE_FUEL'],
  ['a stack overflow', new RangeError('Maximum call stack size exceeded'), true, 'ERR_EXECUTE_STACK'],
  ['another range error', new RangeError('Invalid string length'), false, 'ERR_EXECUTE_ENGINE'],
  ['a trap after memory was refused', new WebAssembly.RuntimeError('unreachable'), true, 'ERR_EXECUTE_MEMORY'],
  ['a trap', new WebAssembly.RuntimeError('unreachable'), false, 'ERR_EXECUTE_ENGINE'],
  ['nothing', undefined, false, 'ERR_EXECUTE_ENGINE'],
  ['a text', 'Maximum call stack size exceeded', false, 'ERR_EXECUTE_ENGINE'],
])('%s has its code and shows no stack of ours', (_what, thrown, refusedGrowth, code) => {
  const end = endOfBrokenCall(thrown, { meter: { refusedGrowth } });
  expect(end.code).toBe(code);
  expect(end.stack).toBeUndefined();
  expect(JSON.stringify(end)).not.toMatch(/file:|node:|\.ts/);
});
