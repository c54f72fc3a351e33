import type { RunOutcome } from '../execute/run.ts';

/** About what a program computes in a millisecond. */
const FUEL_PER_MS = 50_000_000;
/** Thrown, and no outcome: the executor did not begin the run. */
const NOT_BEGUN = new Set([
  'ERR_EXECUTE_BUSY',
  'ERR_EXECUTE_CANCELLED',
  'ERR_EXECUTE_LOST',
  'ERR_EXECUTE_RESULT_TOO_LARGE',
  'ERR_SERVER_CLOSING',
]);

/**
 * The fuel that a run has used. Of one that was lost nobody knows how much that was: it counts as if it had computed all the time, so that
 * nobody computes for nothing by breaking things.
 * @param ended its outcome, or what the executor threw
 * @param granted its limit
 * @param ms how long it took
 */
export function spentFuel(ended: unknown, granted: number, ms: number): number {
  if (isOutcome(ended)) {
    const { fuel } = ended.usage;
    if (fuel > 0 || ended.end.status === 'completed') return fuel;
  } else if (NOT_BEGUN.has(codeOf(ended))) return 0;
  return Math.min(granted, Math.ceil(Math.max(0, ms) * FUEL_PER_MS));
}

function isOutcome(ended: unknown): ended is RunOutcome {
  return typeof ended === 'object' && ended !== null && 'usage' in ended;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
