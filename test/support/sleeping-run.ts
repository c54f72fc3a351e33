import { afterEach, beforeAll, beforeEach, vi } from 'vitest';
import type { FinishedRun } from '../../src/execute/worker/run-program.ts';
import type { HibernatedRun, RunFrom } from '../../src/execute/run.ts';
import { openThreadWorkers, taskOf, type TaskOptions, type ThreadRun, type ThreadWorker } from './thread-worker.ts';

/** What a test does with a run of which it decides the time. */

export const RULES = { afterMs: 2_000, maxImageBytes: 100_000_000 };
export const ALWAYS = { ...RULES, afterMs: 0 };

/** Time stands still from now on, but for {@link pass}. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
}

/** Begin a run in a worker, the first one when nothing else is said. */
export interface RunStarts {
  readonly start: (body: string, options?: TaskOptions, worker?: number) => ThreadRun;
  /** As `start`, and it has done its first step. */
  readonly begin: (body: string, options?: TaskOptions, worker?: number) => Promise<ThreadRun>;
}

/** Two workers for all tests of a file, in each of which time stands still. */
export function runsInWorkers(mounts?: Readonly<Record<string, string>>): RunStarts {
  let workers: ThreadWorker[];
  beforeAll(async () => {
    workers = await openThreadWorkers(2, mounts);
  });
  beforeEach(stopTime);
  afterEach(() => void vi.useRealTimers());
  const start: RunStarts['start'] = (body, options, worker = 0) => (workers[worker] as ThreadWorker).begin(taskOf(body, options));
  const begin: RunStarts['begin'] = async (...of) => {
    const run = start(...of);
    await run.settled();
    return run;
  };
  return { start, begin };
}

/** The body of a program that tells what it was answered, and when. */
export const WAIT = 'return [await ampoule.callTool("s", "t"), Date.now()]';

export async function pass(run: ThreadRun, ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await run.settled();
}

export async function answer(run: ThreadRun, ...calls: readonly (readonly [number, unknown])[]): Promise<void> {
  for (const [call, value] of calls) run.answer(call, JSON.stringify({ ok: value }));
  await run.settled();
}

/** The run as it was put away. */
export function asleep(run: ThreadRun): HibernatedRun {
  if (run.thrown) throw run.thrown;
  const hibernated = run.left?.hibernated;
  if (!hibernated) throw new Error(`the run has not been put away: ${JSON.stringify(run.left)}`);
  return hibernated;
}

/** Where it goes on, so much later. */
export function later(run: ThreadRun, ms = 0): RunFrom & { kind: 'image' } {
  const { image, now, pending, lastCall } = asleep(run);
  return { kind: 'image', image, now: now + ms, pending, lastCall };
}

export function outcomeOf(run: ThreadRun): NonNullable<FinishedRun['outcome']> {
  if (run.thrown) throw run.thrown;
  if (!run.left?.outcome) throw new Error('the run has not ended');
  return run.left.outcome;
}

export const codeOf = (run: ThreadRun): string => {
  const { end } = outcomeOf(run);
  return end.status === 'failed' ? end.code : end.status;
};
export const resultOf = (run: ThreadRun): unknown => {
  const { end } = outcomeOf(run);
  if (end.status === 'failed') throw new Error(`${end.code}: ${end.message}`);
  return JSON.parse(end.result);
};
