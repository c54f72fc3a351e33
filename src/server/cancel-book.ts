/** How long a cancel waits for the request that it is about, in milliseconds, and how many of them may wait. */
const EARLY_MS = 10_000;
const MAX_EARLY = 1_000;

/** Requests that can be cancelled, by a key of the caller's. */
export interface CancelBook {
  /** Enters a request; `done` takes it out again. */
  begin(key: string): { readonly signal: AbortSignal; readonly done: () => void };
  /** Cancels a request, also one that comes in a moment: over HTTP a cancel can overtake what it cancels. */
  cancel(key: string): void;
  cancelAll(): void;
}

export function createCancelBook(): CancelBook {
  const running = new Map<string, AbortController>();
  const early = new Set<string>();
  const remember = (key: string): void => {
    early.add(key);
    setTimeout(() => early.delete(key), EARLY_MS).unref();
    const [oldest] = early;
    if (early.size > MAX_EARLY && oldest !== undefined) early.delete(oldest);
  };
  return {
    begin: (key) => {
      const controller = new AbortController();
      if (early.delete(key)) controller.abort();
      running.set(key, controller);
      const done = (): void => {
        if (running.get(key) === controller) running.delete(key);
      };
      return { signal: controller.signal, done };
    },
    cancel: (key) => {
      const controller = running.get(key);
      if (controller) controller.abort();
      else remember(key);
    },
    cancelAll: () => running.forEach((controller) => controller.abort()),
  };
}
