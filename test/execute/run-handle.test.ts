import { expect, test } from 'vitest';
import type { HibernatedEvent } from '../../src/execute/executor-protocol.ts';
import { RunHandle, type OnCall } from '../../src/execute/run-handle.ts';
import type { RunEvents, RunHistory, RunRequest, ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import { DEFAULT_RUN_LIMITS } from '../support/executor.ts';

const CALL: ToolCall = { executionId: 'e', number: 1, server: 's', tool: 't', arguments: '{}' };
const OK: ToolAnswer = { ok: true, value: '1' };
const open = (onCall: OnCall): RunHandle => new RunHandle({} as RunRequest, onCall);
const never = (): Promise<ToolAnswer> => new Promise(() => undefined);

test('the end of a run cancels the calls that still run, and their late answers reach nobody', async () => {
  const { promise, resolve } = Promise.withResolvers<ToolAnswer>();
  let heard = 0;
  const handle = open((_call, signal) => {
    signal.addEventListener('abort', () => heard++);
    return promise;
  });
  const answers = [handle.call(CALL), handle.call({ ...CALL, number: 2 })];
  handle.fail('ERR_EXECUTE_LOST', 'gone');
  resolve(OK);
  expect([await Promise.all(answers), heard, handle.ended]).toEqual([[undefined, undefined], 2, true]);
});

test('a call that is answered before the end is not cancelled by it', async () => {
  let heard = 0;
  const handle = open((_call, signal) => {
    signal.addEventListener('abort', () => heard++);
    return Promise.resolve(OK);
  });
  expect(await handle.call(CALL)).toEqual(OK);
  handle.refuse(new Error('no'));
  await expect(handle.outcome).rejects.toThrow('no');
  expect(heard).toBe(0);
});

test('after the end nobody is asked any more', async () => {
  let asked = 0;
  const handle = open(() => (asked++, never()));
  handle.fail('ERR_EXECUTE_CANCELLED', 'cancelled');
  expect(await handle.call(CALL)).toBeUndefined();
  expect(asked).toBe(0);
  expect(await handle.outcome).toMatchObject({ end: { code: 'ERR_EXECUTE_CANCELLED' } });
});

const USAGE = { fuel: 7, peakMemoryBytes: 65_536, activeMs: 1, waitingMs: 2, toolCalls: 1 };
const IMAGE = new Uint8Array(9);

/** A run that may be put away, and what it tells. */
function openDurable(events: Partial<RunEvents> = {}): { handle: RunHandle; histories: RunHistory[]; event: HibernatedEvent } {
  const histories: RunHistory[] = [];
  const request: RunRequest = {
    executionId: 'e',
    program: { key: 'k', script: '' },
    input: 'null',
    state: '{}',
    limits: DEFAULT_RUN_LIMITS,
    hibernation: { afterMs: 0, maxImageBytes: 9 },
    now: Date.now(),
  };
  const handle = new RunHandle(request, { call: never, answer: never, history: (history) => void histories.push(history), ...events });
  handle.sent();
  const now = Date.now();
  return { handle, histories, event: { type: 'hibernated', run: 1, pending: [1], lastCall: 1, nextTimer: null, now, usage: USAGE } };
}

/** The run makes its first call. @returns the answer that reaches it */
function callOnce(handle: RunHandle): Promise<ToolAnswer | undefined> {
  expect(handle.told.refuseCalls([{ call: 1, server: 's', tool: 't', bytes: 2 }])).toBeUndefined();
  return handle.call(CALL);
}

test('a run that leaves its process takes no answer that comes late, and whoever answers hears of it', async () => {
  const answered = Promise.withResolvers<ToolAnswer>();
  let heard = 0;
  const call: OnCall = (_call, signal) => (signal.addEventListener('abort', () => heard++), answered.promise);
  const { handle, event } = openDurable({ call });
  const late = callOnce(handle);
  expect(handle.hibernate(event, IMAGE)).toBeUndefined();
  answered.resolve(OK);
  expect([await late, heard, handle.ended]).toEqual([undefined, 1, true]);
  const { type: _type, run: _run, ...told } = event;
  expect(await handle.outcome).toEqual({ ...told, status: 'hibernated', image: IMAGE });
});

test('an image just within its bound is taken, and one just over it is not', () => {
  const [within, over] = [openDurable(), openDurable()];
  for (const { handle } of [within, over]) void callOnce(handle);
  expect(within.handle.hibernate(within.event, IMAGE)).toBeUndefined();
  expect(over.handle.hibernate(over.event, new Uint8Array(10))).toMatch(/too much memory/);
  expect(over.handle.ended).toBe(false);
});

test('an attempt is lost with its process whether it had begun or not, and says which', async () => {
  const [begun, queued] = [openDurable().handle, openDurable().handle];
  queued.queued();
  for (const handle of [begun, queued]) handle.lose();
  await expect(begun.outcome).rejects.toMatchObject({ code: 'ERR_EXECUTE_LOST', hasBegun: true });
  await expect(queued.outcome).rejects.toMatchObject({ code: 'ERR_EXECUTE_LOST', hasBegun: false });
});

test('what a run was given is told as it is, and a step settles no call that nobody has answered', async () => {
  const { handle, histories, event } = openDurable({ call: () => Promise.resolve(OK) });
  const later = event.now + 1;
  expect(handle.history({ steps: [[later]] })).toBeUndefined();
  await callOnce(handle);
  expect(handle.history({ steps: [[later, 1]], files: [] })).toBeUndefined();
  expect(histories).toEqual([
    { steps: [[later]], files: [] },
    { steps: [[later, 1]], files: [] },
  ]);
  expect(handle.history({ steps: [[later, 1]] })).toMatch(/no answer/);
  expect(handle.hibernate({ ...event, pending: [1], now: later }, IMAGE)).toMatch(/did not make/);
});

test('a worker has it as soon as it has said what no queue can say, which is told once', () => {
  let taken = 0;
  const { handle } = openDurable();
  handle.sent(() => taken++);
  handle.taken();
  handle.taken();
  handle.fail('ERR_EXECUTE_CANCELLED', 'over');
  expect(taken).toBe(1);
});
