import type { RunLimits } from '../src/execute/run.ts';
import { LIMITS, type Limits } from '../src/limits.ts';
import { runLimits } from '../src/run/run-limits.ts';

/** What a run may use when nobody says otherwise. */
export function defaultRunLimits(): RunLimits {
  return runLimits(Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, limit.default])) as Limits);
}
