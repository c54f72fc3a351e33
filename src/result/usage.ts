import type { RunOutcome } from '../execute/run.ts';
import type { ExecuteOutput } from './output-schema.ts';

/** What a run cost; all zero when there was none. */
export function usageOf(outcome: RunOutcome | undefined, phases: Readonly<Record<string, number>>): ExecuteOutput['usage'] {
  const { fuel, peakMemoryBytes, activeMs, waitingMs, toolCalls } = outcome?.usage ?? NOTHING;
  return {
    fuel,
    peakMemoryBytes,
    activeMs: thousandths(activeMs),
    waitingMs: thousandths(waitingMs),
    toolCalls,
    phases: Object.fromEntries(Object.entries({ ...phases, ...outcome?.phases }).map(([name, ms]) => [name, thousandths(ms)])),
    ...(outcome && { cache: outcome.cache }),
  };
}

const NOTHING: RunOutcome['usage'] = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };

/** Milliseconds as an answer shows them. */
export function thousandths(ms: number): number {
  return Math.round(Math.max(0, ms) * 1_000) / 1_000;
}
