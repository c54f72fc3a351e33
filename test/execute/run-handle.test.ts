import { expect, test } from 'vitest';
import { RunHandle, type OnCall } from '../../src/execute/run-handle.ts';
import type { RunRequest, ToolAnswer, ToolCall } from '../../src/execute/run.ts';

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
