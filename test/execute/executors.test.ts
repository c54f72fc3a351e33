import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startExecutors, type Executors } from '../../src/execute/executors.ts';
import { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { descendants, living } from '../e2e/processes.ts';
import { codeOf, memoryStore, openTestExecutor, resultOf, runBody, testInit, type RunOptions } from '../support/executor.ts';

/** Several executors as one, and one that crashes all the time. */

const SILENT = { debug: () => undefined, warn: () => undefined };
const WAIT = 'return ampoule.callTool("s", "t", {})';

type Runner = Parameters<typeof runBody>[0];

function ending(executor: Runner, body: string, options?: RunOptions): Promise<string> {
  return runBody(executor, body, options).then(codeOf, (error: { code?: string }) => error.code ?? 'no code');
}

/** A tool that answers when it is told to. */
function patientTool(calls: number): { onCall: NonNullable<RunOptions['onCall']>; called: Promise<void>; answer: () => void } {
  const [called, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let left = calls;
  const onCall: RunOptions['onCall'] = async () => {
    if (--left === 0) called.resolve();
    await answered.promise;
    return { ok: true, value: '"answered"' };
  };
  return { onCall, called: called.promise, answer: answered.resolve };
}

test('who is told to end while they start does not wait for them, and none is left', async () => {
  const controller = new AbortController();
  const init = new Promise<never>(() => undefined);
  const before = childrenOf();
  const options = { init, programs: memoryStore(), log: SILENT, executors: 2, executorMemoryMb: 'auto' as const };
  const starting = startExecutors(options, controller.signal);
  const started = childrenOf().filter((pid) => !before.includes(pid));
  expect(started).toHaveLength(2);
  controller.abort(new Error('told to end'));
  await expect(starting).rejects.toThrow('told to end');
  expect(living(started)).toEqual([]);
  await expect(startExecutors(options, controller.signal)).rejects.toThrow('told to end');
  expect(childrenOf().filter((pid) => !before.includes(pid))).toEqual([]);
});

/** Processes that this one has started and that run. */
function childrenOf(): number[] {
  return descendants(process.pid).flatMap(({ pid, command }) => (command.includes('executor') ? [pid] : []));
}

describe('two executors', () => {
  let executors: Executors;
  beforeAll(async () => {
    const init = Promise.resolve({ ...testInit(), workers: 2 });
    executors = await startExecutors({ init, programs: memoryStore(), log: SILENT, executors: 2, executorMemoryMb: 'auto' });
  });
  afterAll(() => executors.close());

  test('share the runs, and one that dies loses only its own', async () => {
    const tool = patientTool(6);
    const runs = Array.from({ length: 6 }, () => ending(executors, WAIT, { onCall: tool.onCall }));
    await tool.called;
    const [first = 0, second] = executors.pids;
    process.kill(first, 'SIGKILL');
    await expect.poll(() => executors.pids.includes(first)).toBe(false);
    // The other one is there all the while.
    expect(resultOf(await runBody(executors, 'return 2 + 2'))).toBe(4);
    tool.answer();
    const codes = await Promise.all(runs);
    expect(codes.toSorted()).toEqual([...Array(3).fill('ERR_EXECUTE_LOST'), ...Array(3).fill('completed')]);
    await expect.poll(() => executors.pids).toHaveLength(2);
    expect(executors.pids).toContain(second);
  });

  test('make a program on one, and run it on either', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => runBody(executors, 'return "either"')));
    expect(outcomes.map(resultOf)).toEqual(Array(8).fill('either'));
  });
});

test('an engine that is not there ends the start of all of them', async () => {
  const init = Promise.reject(new Error('no engine'));
  const started = startExecutors({ init, programs: memoryStore(), log: SILENT, executors: 2, executorMemoryMb: 512 });
  await expect(started).rejects.toThrow('no engine');
});

test('runs that were queued when the process died go on in the next one, and the one that had begun is lost', async () => {
  const executor = await openTestExecutor({ workers: 1, maxRunsPerWorker: 1, maxQueuedRuns: 16 });
  const tool = patientTool(1);
  const first = runBody(executor, WAIT, { onCall: tool.onCall });
  await tool.called;
  const queued = Array.from({ length: 5 }, (_, i) => runBody(executor, `return ${i}`));
  await new Promise((resolve) => void setTimeout(resolve, 300));
  process.kill(executor.pid ?? Number.NaN, 'SIGKILL');
  expect((await first).end).toMatchObject({
    code: 'ERR_EXECUTE_LOST',
    hint: expect.stringContaining('Check what its tool calls changed') as string,
  });
  expect((await Promise.all(queued)).map(resultOf)).toEqual([0, 1, 2, 3, 4]);
  await executor.close();
});

test('a run that had begun is not begun again, its caller hears that it called nothing, and a process that is stopped is replaced soon', async () => {
  const executor = await openTestExecutor();
  const run = runBody(executor, 'for (;;);');
  await new Promise((resolve) => void setTimeout(resolve, 300));
  process.kill(executor.pid ?? Number.NaN, 'SIGKILL');
  expect((await run).end).toMatchObject({ code: 'ERR_EXECUTE_LOST', hint: expect.stringContaining('called no tool') as string });
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
  const stopped = ending(executor, 'for (;;);');
  await new Promise((resolve) => void setTimeout(resolve, 300));
  const from = performance.now();
  process.kill(executor.pid ?? Number.NaN, 'SIGSTOP');
  expect(await stopped).toBe('ERR_EXECUTE_LOST');
  expect(performance.now() - from).toBeLessThan(2_500);
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
  await executor.close();
});

test('work that keeps all workers busy is no hang', async () => {
  const executor = await openTestExecutor({ workers: 2 });
  const { pid } = executor;
  const runs = Array.from({ length: 4 }, () => ending(executor, 'for (;;);', { limits: { timeoutMs: 1_200 } }));
  expect(await Promise.all(runs)).toEqual(Array(4).fill(expect.stringMatching(/ACTIVE_TIME|FUEL/)));
  expect(executor.pid).toBe(pid);
  await executor.close();
});

test('killed forty times as soon as they are ready, executors leave nothing behind and work again', async () => {
  const entry = fileURLToPath(new URL('../fixtures/executors/hostile.ts', import.meta.url));
  const program = { entry, flags: ['--title=ends it'] };
  const open = (): SupervisedExecutor =>
    new SupervisedExecutor({ init: testInit(), programs: memoryStore(), log: SILENT, program, longestBackOffMs: 10 });
  const warm = open();
  await warm.ready;
  await warm.close();
  const before = held();
  const pids = new Set<number>();
  const crashing = Array.from({ length: 4 }, async () => {
    const executor = open();
    for (let i = 0; i < 10; i++) await crash(executor, pids);
    const code = await ending(executor, 'return 1');
    await executor.close();
    return code;
  });
  expect(await Promise.all(crashing)).toEqual(Array(4).fill('completed'));
  expect({ crashes: pids.size, left: living([...pids]) }).toEqual({ crashes: 40, left: [] });
  await expect.poll(held).toBeLessThanOrEqual(before);
}, 60_000);

/** Waits until it is ready, kills it, and waits until it is gone. */
async function crash(executor: SupervisedExecutor, pids: Set<number>): Promise<void> {
  let pid: number | undefined;
  while (pid === undefined) {
    await executor.ready.catch(() => undefined);
    pid = executor.pid;
  }
  pids.add(pid);
  process.kill(pid, 'SIGKILL');
  while (executor.pid === pid) await new Promise((resolve) => void setTimeout(resolve, 2));
}

/** What this process holds: descriptors, children and pipes. */
function held(): number {
  const kinds = process.getActiveResourcesInfo().filter((kind) => /Process|Pipe/.test(kind));
  return readdirSync('/proc/self/fd').length + kinds.length;
}
