import { vi } from 'vitest';
import type { FinishedRun } from '../../src/execute/worker/run-program.ts';
import type { HibernatedRun, RunFrom } from '../../src/execute/run.ts';
import type { ThreadRun } from './thread-worker.ts';

/** What a test does with a run of which it decides the time. */

export const RULES = { afterMs: 2_000, maxImageBytes: 100_000_000 };
export const ALWAYS = { ...RULES, afterMs: 0 };

/** Time stands still from now on, but for {@link pass}. */
export function stopTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
}

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
