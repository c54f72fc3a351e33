import { expect, test } from 'vitest';
import { callWaitExecution, type ExecuteCodeDeps } from '../../src/server/execution-calls.ts';
import { LogLevels } from '../../src/server/log-levels.ts';
import { ParkedRuns } from '../../src/server/parked-runs.ts';
import { createRunTracker } from '../../src/server/run-tracker.ts';
import { createCannedPort, LIMIT_DEFAULTS, type CannedPort } from './canned-port.ts';

const signal = new AbortController().signal;

/** Begins a run of somebody that goes on, and waits for it a few times. */
async function openWaits(port: CannedPort, deps: ExecuteCodeDeps, principal: string, count: number) {
  const executionId = `exe_${principal}`;
  const before = port.executions.waits;
  await port.execute({ code: `job:${executionId}`, answerAfterMs: 0 }, { signal, principal });
  const wait = (timeoutMs?: number) =>
    callWaitExecution({ executionId, ...(timeoutMs !== undefined && { timeoutMs }) }, { signal, principal }, deps);
  const waits = Array.from({ length: count }, () => wait());
  // Whoever is answered at once has been so after this.
  await wait(0);
  await wait(0);
  return { open: port.executions.waits - before, answered: Promise.all(waits) };
}

test('who waits for too many runs is told at once how they are, and takes no place from others', async () => {
  const port = createCannedPort();
  const silent = (): void => undefined;
  const deps = {
    port,
    limits: LIMIT_DEFAULTS,
    log: { info: silent, warn: silent, error: silent },
    runs: createRunTracker(3),
    parked: new ParkedRuns(),
    levels: new LogLevels(),
    closing: signal,
  };
  const [alice, bob, local] = await openAll(port, deps);
  expect([alice.open, bob.open, local.open]).toEqual([3, 3, 5]);
  port.executions.finish('exe_bob', 'completed', port.completes(1));
  expect((await bob.answered).map(({ structured }) => structured.status)).toEqual(['completed', 'completed', 'completed', 'waiting']);
  // Places that were given back can be taken again.
  const again = await openWaits(port, deps, 'bob', 3);
  expect(again.open).toBe(3);
});

async function openAll(port: CannedPort, deps: ExecuteCodeDeps) {
  const alice = await openWaits(port, deps, 'alice', 3);
  const bob = await openWaits(port, deps, 'bob', 4);
  return [alice, bob, await openWaits(port, deps, 'local', 5)] as const;
}
