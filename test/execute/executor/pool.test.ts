import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, expect, inject, test } from 'vitest';
import { programKey } from '../../../src/component/program-key.ts';
import { compileEngine } from '../../../src/execute/executor/engine-host.ts';
import { readModules } from '../../../src/execute/engine-modules.ts';
import { createWorkerPool, type WorkerPool } from '../../../src/execute/executor/pool.ts';
import type { PooledRun } from '../../../src/execute/executor/pooled-run.ts';
import type { RunOutcome } from '../../../src/execute/run.ts';
import type { RunTask, SentCall, WorkerSetup } from '../../../src/execute/worker-protocol.ts';
import type { WorkerWatchOptions } from '../../../src/execute/executor/worker-watch.ts';
import { codeOf, DEFAULT_RUN_LIMITS, resultOf } from '../../support/executor.ts';

/** Real workers, without the processes around them. */

let setup: WorkerSetup;
beforeAll(async () => {
  const { plan, modules, directory } = inject('engine');
  setup = await compileEngine({
    plan,
    modules: await readModules(Object.fromEntries(modules.map((name) => [name, join(directory, name)]))),
    mounts: {},
  });
});

const pools: WorkerPool[] = [];
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

function openPool(workers: number, maxRunsPerWorker = 200, maxHeldBytes?: number, watch: WorkerWatchOptions = {}): WorkerPool {
  const pool = createWorkerPool(setup, { workers, maxRunsPerWorker, ...watch, ...(maxHeldBytes === undefined ? {} : { maxHeldBytes }) });
  pools.push(pool);
  return pool;
}

function run(
  pool: WorkerPool,
  body: string,
  onCalls: (calls: readonly SentCall[]) => void = () => undefined,
  timeoutMs = 30_000,
): PooledRun {
  const script = `return (async () => {${body}\n})();\n//# sourceURL=program.js\n`;
  const task: RunTask = {
    executionId: 'exe_test',
    key: programKey({ script, engineHash: 'e' }),
    script,
    input: 'null',
    state: '{}',
    limits: { ...DEFAULT_RUN_LIMITS, timeoutMs },
    now: 0,
    seed: 'ab'.repeat(32),
  };
  return pool.run(task, performance.now(), { onStep: ({ calls }) => onCalls(calls) });
}

const outcomeOf = async ({ ended }: PooledRun): Promise<RunOutcome> => JSON.parse((await ended).outcome ?? '') as RunOutcome;
const WAIT = 'return ampoule.callTool("s", "t")';

test('the calls of a step come together, and calls that nobody awaits come too', async () => {
  const pool = openPool(1);
  const steps: number[][] = [];
  const waiting = run(
    pool,
    'await Promise.all([1, 2, 3].map((n) => ampoule.callTool("s", "t", { n }))); ampoule.callTool("s", "t"); return 5',
    (calls) => {
      steps.push(calls.map(({ number }) => number));
      for (const { number } of calls) waiting.answer({ type: 'answer', call: number, ok: true, answer: '{"ok":1}' });
    },
  );
  expect(resultOf(await outcomeOf(waiting))).toBe(5);
  expect(steps).toEqual([[1, 2, 3], [4]]);
});

test('with a hundred runs waiting on a worker, all are in and the next one runs at once', async () => {
  const pool = openPool(1);
  let calls = 0;
  const waiting = Array.from({ length: 100 }, () => run(pool, WAIT, () => calls++));
  await expect.poll(() => calls, { timeout: 20_000 }).toBe(100);
  const from = performance.now();
  expect(resultOf(await outcomeOf(run(pool, 'return 7')))).toBe(7);
  expect(performance.now() - from).toBeLessThan(1_000);
  for (const one of waiting) one.answer({ type: 'answer', call: 1, ok: true, answer: '{"ok":1}' });
  expect((await Promise.all(waiting.map(outcomeOf))).map(resultOf)).toEqual(Array.from({ length: 100 }, () => 1));
});

test('a long computation holds up no other run while another worker is free', async () => {
  const pool = openPool(2);
  await outcomeOf(run(pool, 'return 0'));
  const endless = run(pool, 'for (;;) {}', undefined, 1_500);
  const from = performance.now();
  const others = await Promise.all(Array.from({ length: 12 }, (_, i) => outcomeOf(run(pool, `return ${i % 3}`))));
  expect(performance.now() - from).toBeLessThan(1_200);
  expect(others.map(resultOf)).toEqual(Array.from({ length: 12 }, (_, i) => i % 3));
  expect(codeOf(await outcomeOf(endless))).toBe('ERR_EXECUTE_ACTIVE_TIME');
});

test('where waiting runs hold as much memory as they may, the next one waits until they are through', async () => {
  const pool = openPool(2, 200, 1);
  let called = false;
  const waiting = run(pool, WAIT, () => (called = true));
  await expect.poll(() => called, { timeout: 5_000 }).toBe(true);
  await expect.poll(() => pool.isFull).toBe(true);
  let hasEnded = false;
  const next = run(pool, 'return 7');
  void next.ended.then(() => (hasEnded = true));
  await new Promise((resolve) => void setTimeout(resolve, 100));
  expect(hasEnded).toBe(false);
  waiting.answer({ type: 'answer', call: 1, ok: true, answer: '{"ok":1}' });
  expect(resultOf(await outcomeOf(next))).toBe(7);
  await expect.poll(() => pool.isFull).toBe(false);
});

test('runs that are each within their cap cannot grow together past what the pool may hold', async () => {
  const pool = openPool(2, 200, 64 * 1024 * 1024);
  const grow = 'await ampoule.callTool("s", "t"); const a = new Uint8Array(3e7).fill(1); await ampoule.callTool("s", "t"); return a.length';
  const runs = Array.from({ length: 8 }, () => {
    const one: PooledRun = run(pool, grow, (calls) => {
      for (const { number } of calls) setTimeout(() => one.answer({ type: 'answer', call: number, ok: true, answer: '{"ok":1}' }), 150);
    });
    return one;
  });
  const codes = (await Promise.all(runs.map(outcomeOf))).map(codeOf);
  expect(codes.filter((code) => code === 'completed').length).toBeGreaterThan(0);
  expect(new Set(codes)).toEqual(new Set(['completed', 'ERR_EXECUTE_MEMORY']));
  // What they held is free again.
  expect(codeOf(await outcomeOf(run(pool, 'return new Uint8Array(3e7).fill(1).length')))).toBe('completed');
});

test('a program is made ahead by an idle worker only, and not for long', async () => {
  const pool = openPool(1);
  expect(codeOf(await outcomeOf(run(pool, 'return 1')))).toBe('completed');
  const task = (script: string): { key: string; script: string } => ({ key: programKey({ script, engineHash: 'e' }), script });
  const names = Array.from({ length: 60_000 }, (_, i) => `a${i}`).join();
  const made: (Promise<unknown> | undefined)[] = [];
  // It can take an engine many seconds to look all these names up, which a run may spend, and nobody else.
  await expect.poll(() => made.push(pool.makeAhead(task(`let ${names};${names};return 1`))) && made.at(-1) !== undefined).toBe(true);
  expect(pool.makeAhead(task('return (async () => 3)();\n'))).toBeUndefined();
  const began = performance.now();
  await made.at(-1);
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(codeOf(await outcomeOf(run(pool, 'return 7', undefined, 5_000)))).toBe('completed');
}, 20_000);

test('a worker that dies takes its runs with it and is replaced', async () => {
  const pool = openPool(1);
  let calls = 0;
  const waiting = [1, 2].map(() => run(pool, WAIT, () => calls++));
  await expect.poll(() => calls, { timeout: 5_000 }).toBe(2);
  // Nothing that a program or an upstream can do has this form: it stands for a fault of ours.
  waiting[0]?.answer({ type: 'answer', call: 1, ok: true, answer: undefined as never });
  for (const one of waiting) await expect(one.ended).rejects.toThrow('');
  expect(pool.isFull).toBe(false);
  expect(resultOf(await outcomeOf(run(pool, 'return 7')))).toBe(7);
});

test.each([1, 3])('%i workers that cannot start are an error for each run, not a wait without end', async (workers) => {
  const pool = createWorkerPool({ ...setup, base: new Uint8Array() }, { workers, maxRunsPerWorker: 4 });
  pools.push(pool);
  const ended = Array.from({ length: 20 }, () =>
    run(pool, 'return 1').ended.then(
      () => 'completed',
      () => 'failed',
    ),
  );
  expect(new Set(await Promise.all(ended))).toEqual(new Set(['failed']));
});

test('closing ends the runs that no worker has begun, the queued ones included', async () => {
  const pool = openPool(1);
  const ended = Array.from({ length: 5 }, () =>
    run(pool, 'for (;;);').ended.then(
      () => 'completed',
      () => 'failed',
    ),
  );
  await new Promise((resolve) => void setTimeout(resolve, 50));
  await pool.close();
  expect(new Set(await Promise.all(ended))).toEqual(new Set(['failed']));
});

test('closing ends the runs that are under way', async () => {
  const pool = openPool(1);
  let called = false;
  const waiting = run(pool, WAIT, () => (called = true));
  await expect.poll(() => called, { timeout: 5_000 }).toBe(true);
  const [ended] = await Promise.all([waiting.ended.catch((error: unknown) => error), pool.close()]);
  expect(ended).toBeInstanceOf(Error);
});

test('a worker that is lost while it starts is replaced, and no run waits for it for ever', async () => {
  const started: Worker[] = [];
  const living = (): Worker[] => started.filter(({ threadId }) => threadId !== -1);
  const note = (worker: Worker): void => void started.push(worker);
  process.on('worker', note);
  try {
    const pool = openPool(2);
    expect(resultOf(await outcomeOf(run(pool, 'return 1')))).toBe(1);
    await expect.poll(() => started.length).toBe(2);
    for (let lost = 0; lost < 3; lost++) {
      // One that serves, and then at once the one that is to take its place.
      const before = started.length;
      await living()[0]?.terminate();
      await expect.poll(() => started.length, { timeout: 5_000 }).toBeGreaterThan(before);
      await started.at(-1)?.terminate();
    }
    const runs = Array.from({ length: 40 }, (_, n) => outcomeOf(run(pool, `return ${n}`)));
    expect(await Promise.allSettled(runs)).toHaveLength(40);
    await expect.poll(() => outcomeOf(run(pool, 'return 7')).then(resultOf, String), { timeout: 5_000 }).toBe(7);
    await expect.poll(() => living().length, { timeout: 5_000 }).toBe(2);
  } finally {
    process.off('worker', note);
  }
});

test('a worker that hangs is ended with its runs and replaced, and one that computes or waits is not', async () => {
  const started: Worker[] = [];
  const note = (worker: Worker): void => void started.push(worker);
  process.on('worker', note);
  try {
    const pool = openPool(1, 200, undefined, { lookMs: 10, hungMs: 150 });
    let called = false;
    const waiting = run(pool, WAIT, () => (called = true));
    await expect.poll(() => called, { timeout: 5_000 }).toBe(true);
    // Much longer than a hung worker has, first without doing anything, then without pause.
    expect(resultOf(await outcomeOf(run(pool, 'await new Promise((done) => setTimeout(done, 400)); return 1')))).toBe(1);
    expect(codeOf(await outcomeOf(run(pool, 'for (;;);', undefined, 600)))).toBe('ERR_EXECUTE_ACTIVE_TIME');
    waiting.answer({ type: 'answer', call: 1, ok: true, answer: '{"ok":1}' });
    expect(resultOf(await outcomeOf(waiting))).toBe(1);
    called = false;
    const lost = run(pool, WAIT, () => (called = true));
    await expect.poll(() => called, { timeout: 5_000 }).toBe(true);
    // In a native call, as a read is of a disk that does not answer: each snapshot holds the thread up.
    for (let n = 0; n < 40; n++) void started[0]?.getHeapSnapshot().catch(() => undefined);
    await expect(lost.ended).rejects.toMatchObject({ code: 'ERR_EXECUTE_ENGINE', message: expect.stringContaining('did nothing') });
    await expect.poll(() => outcomeOf(run(pool, 'return 7')).then(resultOf, String), { timeout: 10_000 }).toBe(7);
    expect(started.length).toBeGreaterThan(1);
  } finally {
    process.off('worker', note);
  }
}, 30_000);
