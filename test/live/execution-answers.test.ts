import { expect, test, vi } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { createExecutionPort } from '../../src/live/execution-answers.ts';
import { LiveExecutions } from '../../src/live/live-executions.ts';
import { presentFailure, type ExecuteResponse } from '../../src/result/present.ts';
import { writeAnswer } from '../../src/result/stored-answer.ts';
import type { SandboxStages } from '../../src/sandbox-stages.ts';
import { changed, memoryStore } from '../execution/carried.ts';
import { COMPLETED, newExecution, sentCall, START, waitOf } from '../execution/stored-executions.ts';

const OPEN = new AbortController().signal;
const ID = 'exe_1';

/** One execution that goes on until the test ends it, and the port of a sandbox that keeps nothing. */
function waited() {
  const live = new LiveExecutions({ maxWaitingRuns: 10, localPrincipal: 'local' });
  const ended = Promise.withResolvers<ExecuteResponse>();
  const execution = live.begin({ executionId: ID, principal: 'local', createdAt: 1 }, () => ended.promise);
  const stages = { config: { limits: { answerAfterMs: 60_000 } }, live } as unknown as SandboxStages;
  const end = (): void => ended.resolve(presentFailure({ executionId: ID, error: new SandboxError('ERR_EXECUTE_THROWN', 'no') }));
  return { port: createExecutionPort(stages), execution, end };
}

test('whoever waits for a run for a moment, again and again, leaves nothing that stays until it ends', async () => {
  const { port, execution, end } = waited();
  const held = vi.spyOn(execution.response, 'then');
  for (let round = 0; round < 20; round++) {
    const told = await port.waitExecution({ executionId: ID, timeoutMs: 1 }, { signal: OPEN });
    expect(told.structured.status).toBe('waiting');
    await port.waitExecution({ executionId: ID }, { signal: AbortSignal.abort() });
  }
  expect(held).not.toHaveBeenCalled();
  const waiting = port.waitExecution({ executionId: ID }, { signal: OPEN });
  end();
  expect((await waiting).structured.error?.code).toBe('ERR_EXECUTE_THROWN');
  expect((await execution.within(0, OPEN))?.structured.status).toBe('failed');
});

test('who looks at a run that is not here is told what it waits for, and how it ended, without its record, which may be many megabytes', async () => {
  const store = memoryStore();
  await store.create(newExecution(ID));
  await store.start(ID, START);
  for (const number of [1, 2, 3]) await store.call(ID, sentCall(number));
  for (const number of [1, 3]) await store.answered(ID, sentCall(number), { ok: true, value: '1' });
  const later = waitOf({ pending: [2], lastCall: 3, nextTimer: 1_700_000_000_000 });
  await store.hibernated(ID, later, new Uint8Array(10));
  const answer = presentFailure({ executionId: ID, error: new SandboxError('ERR_EXECUTE_THROWN', 'no') });
  const end = (): Promise<void> =>
    store.ended(ID, { ...COMPLETED, status: 'failed', code: 'ERR_EXECUTE_THROWN', response: writeAnswer(answer) });
  const read = (): Promise<never> => Promise.reject(new Error('the whole record was read'));
  const executions = { store: changed(store, { read }) };
  const live = new LiveExecutions({ maxWaitingRuns: 10, localPrincipal: 'local' });
  const limits = { answerAfterMs: 60_000, executionTtlMs: 9 };
  const port = createExecutionPort({ config: { limits }, live, executions } as unknown as SandboxStages);
  const options = { signal: OPEN, form: 'structured' } as const;
  const waiting = await port.waitExecution({ executionId: ID, timeoutMs: 0 }, options);
  expect(waiting.structured).toMatchObject({
    status: 'waiting',
    waiting: [
      { kind: 'timer', until: '2023-11-14T22:13:20.000Z' },
      { kind: 'tool', call: 2 },
    ],
  });
  await end();
  for (const told of [await port.waitExecution({ executionId: ID }, options), await port.cancelExecution(ID, options)]) {
    expect(told.structured.error?.code).toBe('ERR_EXECUTE_THROWN');
  }
  expect(await port.executionState(ID, 'local')).toMatchObject({ status: 'failed', ttlMs: 9 });
  expect(await port.executionState(ID, 'ben')).toBeUndefined();
  expect((await port.waitExecution({ executionId: ID }, { ...options, principal: 'ben' })).structured.error?.code).toBe(
    'ERR_EXECUTION_UNKNOWN',
  );
  await store.close();
});
