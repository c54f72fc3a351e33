import { join } from 'node:path';
import { afterEach, beforeAll, expect, inject, test } from 'vitest';
import { compileEngine } from '../../src/execute/executor/engine-host.ts';
import { readModules } from '../../src/execute/engine-modules.ts';
import { createWorkerPool, type PoolOptions, type WorkerPool } from '../../src/execute/executor/pool.ts';
import type { PooledRun } from '../../src/execute/executor/pooled-run.ts';
import type { HibernatedRun, RunFrom, RunHistory, RunOutcome } from '../../src/execute/run.ts';
import type { StepNews, WorkerSetup } from '../../src/execute/worker-protocol.ts';
import { taskOf, type TaskOptions } from '../support/thread-worker.ts';

/** Runs that leave real workers and come back. */

const RULES = { afterMs: 3_600_000, maxImageBytes: 100_000_000 };
const WAIT = 'return ampoule.callTool("s", "t")';

let setup: WorkerSetup;
const pools: WorkerPool[] = [];
beforeAll(async () => {
  const { plan, modules, directory } = inject('engine');
  const files = await readModules(Object.fromEntries(modules.map((name) => [name, join(directory, name)])));
  setup = await compileEngine({ plan, modules: files, mounts: {} });
});
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});

function openPool(options: Partial<PoolOptions> = {}): WorkerPool {
  const pool = createWorkerPool(setup, { workers: 1, maxRunsPerWorker: 8, ...options });
  pools.push(pool);
  return pool;
}

interface Heard {
  readonly run: PooledRun;
  readonly calls: number[];
  readonly awaits: number[];
  readonly histories: RunHistory[];
  readonly waits: (number | null)[];
}

function begin(pool: WorkerPool, body: string, options: TaskOptions = {}, onStep: (step: StepNews) => void = () => undefined): Heard {
  const heard = { calls: [] as number[], awaits: [] as number[], histories: [] as RunHistory[], waits: [] as (number | null)[] };
  const run = pool.run(taskOf(body, { executionId: body, ...options }), performance.now(), {
    onStep(step) {
      heard.calls.push(...step.calls.map(({ number }) => number));
      heard.awaits.push(...(step.awaits ?? []));
      if (step.history) heard.histories.push(step.history);
      onStep(step);
    },
    onWaiting: (nextTimer) => heard.waits.push(nextTimer),
  });
  return { run, ...heard };
}

async function leftOf({ run }: Heard): Promise<HibernatedRun> {
  const { hibernated, outcome } = await run.ended;
  if (!hibernated) throw new Error(`the run has not been put away: ${outcome}`);
  return hibernated;
}

async function outcomeOf({ run }: Heard): Promise<RunOutcome> {
  const { outcome } = await run.ended;
  return JSON.parse(outcome ?? '') as RunOutcome;
}

const later = ({ image, now, pending, lastCall }: HibernatedRun): RunFrom => ({ kind: 'image', image, now: now + 5, pending, lastCall });
const until = (condition: () => unknown): Promise<void> => expect.poll(condition, { timeout: 10_000, interval: 5 }).toBeTruthy();

test('a run leaves its worker and goes on in another pool, with one outcome', async () => {
  const body =
    'const a = await ampoule.callTool("s", "t"); console.log(a); const b = await ampoule.callTool("s", "t"); return [a, b, Math.random()]';
  const hibernation = { ...RULES, afterMs: 0 };
  const first = begin(openPool(), body, { hibernation });
  const left = await leftOf(first);
  expect(first.calls).toEqual([1]);
  // It has changed its thread, and was not copied.
  expect(left.image.buffer.byteLength).toBe(left.image.length);
  const second = begin(openPool(), body, { hibernation, from: later(left) });
  await until(() => second.awaits.length);
  second.run.answer({ type: 'answer', call: 1, ok: true, answer: '{"ok":"a"}' });
  const third = begin(openPool(), body, { from: later(await leftOf(second)) });
  expect(second.histories).toEqual([{ steps: [[expect.any(Number), 1]], files: [] }]);
  await until(() => third.awaits.length);
  third.run.answer({ type: 'answer', call: 2, ok: true, answer: '{"ok":"b"}' });
  const { end, calls, logs, usage, phases } = await outcomeOf(third);
  expect(end).toMatchObject({ status: 'completed', result: expect.stringMatching(/^\["a","b",0\./) });
  expect([calls.map(({ ok }) => ok), logs.map(({ message }) => message), usage.toolCalls]).toEqual([[true, true], ['a'], 2]);
  expect(phases.run).toBeGreaterThan(0);
  expect((await third.run.ended).history).toEqual({ steps: [[expect.any(Number), 2]], files: [] });
});

test('an image that is none fails its run by code, and the worker lives on', async () => {
  const pool = openPool();
  const from = { kind: 'image', image: new Uint8Array(500), now: 0, pending: [], lastCall: 0 } as const;
  await expect(begin(pool, 'return 1', { from }).run.ended).rejects.toMatchObject({ code: 'ERR_COMPONENT_DAMAGED' });
  expect((await outcomeOf(begin(pool, 'return 2'))).end).toMatchObject({ result: '2' });
});

test('where a worker has as many runs as it may, the one that waits longest makes room', async () => {
  const pool = openPool({ maxRunsPerWorker: 2 });
  const runs = [begin(pool, WAIT, { hibernation: RULES }), begin(pool, WAIT, { hibernation: RULES })];
  await until(() => runs.every(({ calls }) => calls.length));
  // Runs that were never told that they may leave stay.
  const third = begin(pool, 'return 3', { hibernation: RULES });
  expect((await outcomeOf(third)).end).toMatchObject({ result: '3' });
  const left = await Promise.race(runs.map(async (run) => [await leftOf(run), runs.indexOf(run)] as const));
  expect(left[1]).toBe(0);
  const woken = begin(pool, WAIT, { from: later(left[0]) });
  await until(() => woken.awaits.length);
  woken.run.answer({ type: 'answer', call: 1, ok: true, answer: '{"ok":1}' });
  runs[1]?.run.answer({ type: 'answer', call: 1, ok: true, answer: '{"ok":2}' });
  expect((await outcomeOf(woken)).end).toMatchObject({ result: '1' });
  expect((await outcomeOf(runs[1] as Heard)).end).toMatchObject({ result: '2' });
});

test('where the runs hold as much memory as they may, those that only wait give it back', async () => {
  const pool = openPool({ maxHeldBytes: 40_000_000 });
  const large = 'const a = new Uint8Array(4e7).fill(1); await ampoule.callTool("s", "t"); return a.length';
  const run = begin(pool, large, { hibernation: RULES });
  await until(() => pool.isFull);
  const next = begin(pool, 'return 1', { hibernation: RULES });
  const left = await leftOf(run);
  expect((await outcomeOf(next)).end).toMatchObject({ result: '1' });
  expect(pool.isFull).toBe(false);
  const woken = begin(pool, large, { from: later(left) });
  await until(() => woken.awaits.length);
  woken.run.answer({ type: 'answer', call: 1, ok: true, answer: '{"ok":1}' });
  expect((await outcomeOf(woken)).end).toMatchObject({ result: '40000000' });
});

test('runs outside of the pool make room too, and a run that cannot leave is asked once', async () => {
  const pool = openPool();
  const stuck = begin(pool, WAIT, { hibernation: { ...RULES, maxImageBytes: 10 } });
  await until(() => stuck.calls.length);
  pool.makeRoom(2);
  await until(() => stuck.waits.length);
  const other = begin(pool, WAIT, { hibernation: RULES });
  expect((await leftOf(other)).pending).toEqual([1]);
  pool.makeRoom(0);
  expect(stuck.waits).toEqual([null]);
  const stays = begin(pool, WAIT, { hibernation: RULES });
  await until(() => stays.calls.length);
  await new Promise((resolve) => void setTimeout(resolve, 250));
  for (const run of [stuck, stays]) {
    run.run.answer({ type: 'answer', call: 1, ok: true, answer: '{"ok":1}' });
    expect((await outcomeOf(run)).end).toMatchObject({ result: '1' });
  }
});
