/** Clients list again after a notice, which costs them (and whoever pays for their tokens) more than it costs us: one in a second. */
const INTERVAL_MS = 1_000;

export interface ChangeNotices {
  /** Something may have changed. */
  changed(): void;
  /** Nothing is told after this. */
  end(): void;
}

/** Tells of changes at a bounded rate: the first at once, those of the next second together, and always the last one. */
export function createChangeNotices(tell: () => void, intervalMs = INTERVAL_MS): ChangeNotices {
  let timer: NodeJS.Timeout | undefined;
  let isWaiting = false;
  let hasEnded = false;
  const next = (): void => {
    timer = undefined;
    if (!isWaiting) return;
    isWaiting = false;
    now();
  };
  const now = (): void => {
    timer = setTimeout(next, intervalMs);
    timer.unref();
    tell();
  };
  return {
    changed: () => {
      if (hasEnded) return;
      if (timer === undefined) now();
      else isWaiting = true;
    },
    end: () => {
      hasEnded = true;
      clearTimeout(timer);
    },
  };
}
