import type { ProgressEvent } from './sandbox-port.ts';

/** Between two words while nothing happens: clients give up on requests of which they hear nothing. */
const TICK_MS = 1_000;
const TOTAL = 100;
/** Each word takes so much of the way that is left: it rises, and never gets there. */
const SHARE = 0.01;

/** Tells that a wait goes on, from the start to `end`. Silent when nobody listens. */
export function tellWaiting(onProgress: ((event: ProgressEvent) => void) | undefined): { end(): void } {
  if (!onProgress) return { end: () => undefined };
  const beganAt = performance.now();
  let progress = 0;
  const say = (): void => {
    progress += (TOTAL - progress) * SHARE;
    onProgress({ message: `Waiting: ${Math.round((performance.now() - beganAt) / TICK_MS)} s`, progress, total: TOTAL });
  };
  say();
  const timer = setInterval(say, TICK_MS);
  timer.unref();
  return { end: () => clearInterval(timer) };
}
