import type { RunHandle } from './run-handle.ts';

/** On top of twice its own limits: a run shares its thread with others, and the machine with whatever else there is. */
const GRACE_MS = 60_000;
/** A timer takes no more milliseconds than a 32-bit integer has. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Ends a run that an executor does not end. One that keeps its limits has ended long before; one that was taken over, or has a fault, may
 * answer to everything else and never say how the run went. While a run is queued it has no end of its own.
 * @param onOverdue is told once, before the run ends with ERR_EXECUTE_LOST
 * @returns what ends the watch
 */
export function watchOverdue(handle: RunHandle, onOverdue: () => void): () => void {
  const { timeoutMs, waitMs } = handle.request.limits;
  const spanMs = 2 * (timeoutMs + waitMs) + GRACE_MS;
  const look = (): void => {
    const leftMs = handle.begunAt + spanMs - performance.now();
    // What has come in while this process was held up is read first.
    if (leftMs > 0) timer = later(look, Math.min(leftMs, spanMs));
    else setImmediate(end);
  };
  const end = (): void => {
    if (handle.ended) return;
    onOverdue();
    handle.fail(
      'ERR_EXECUTE_LOST',
      'The process that ran the program did not end it in time.',
      'Check what its tool calls changed before sending it again.',
    );
  };
  let timer = later(look, spanMs);
  return () => clearTimeout(timer);
}

function later(work: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(work, Math.min(ms, LONGEST_TIMER_MS)).unref();
}
