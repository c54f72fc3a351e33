import type { WorkerLine } from './worker-line.ts';

/** How often workers are looked at. */
const LOOK_MS = 2_000;
/** Without a slice of fuel and without an answer for so long a worker is hung: to load a program is one step, of 30 seconds at most. */
const HUNG_MS = 60_000;

export interface WorkerWatchOptions {
  /** Default: 2,000 milliseconds. */
  readonly lookMs?: number | undefined;
  /** Default: 60,000 milliseconds. */
  readonly hungMs?: number | undefined;
}

/**
 * Finds workers that do nothing any more, such as one in a read of a disk that does not answer: the main thread lives on beside it, so
 * nobody else would notice that its runs never end.
 * @param lines those that are to be looked at
 * @param onHung is told of a line once for each look at which it is silent
 * @returns what ends it
 */
export function watchWorkers(
  lines: () => Iterable<WorkerLine>,
  onHung: (line: WorkerLine, ms: number) => void,
  { lookMs = LOOK_MS, hungMs = HUNG_MS }: WorkerWatchOptions = {},
): () => void {
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    const wasAway = now - lookedAt > 2 * lookMs + hungMs / 4;
    lookedAt = now;
    for (const line of lines()) {
      if (wasAway) line.forgetSilence();
      if (line.hasServed && line.silentMs(now) >= hungMs) onHung(line, hungMs);
    }
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
