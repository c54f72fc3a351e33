import type { Principal } from '../access/principal.ts';

/** How long a cancel waits for the request that it is about, in milliseconds, and how many of them may wait. */
const EARLY_MS = 10_000;
const MAX_EARLY = 1_000;

/** Requests that can be cancelled, by a key of the caller's. */
export interface CancelBook {
  /** Requests that go on. */
  readonly size: number;
  /** Enters a request of a principal; `done` takes it out again. */
  begin(key: string, principal: Principal): { readonly signal: AbortSignal; readonly done: () => void };
  /** Cancels a request, also one that comes in a moment: over HTTP a cancel can overtake what it cancels. */
  cancel(key: string): void;
  /** Cancels what was begun in the name of some principals. */
  cancelOf(isOver: (principal: Principal) => boolean): void;
  cancelAll(): void;
}

export function createCancelBook(): CancelBook {
  const running = new Map<string, { readonly controller: AbortController; readonly principal: Principal }>();
  const early = new Map<string, NodeJS.Timeout>();
  const forget = (key: string): boolean => {
    clearTimeout(early.get(key));
    return early.delete(key);
  };
  const remember = (key: string): void => {
    forget(key);
    early.set(key, setTimeout(() => early.delete(key), EARLY_MS).unref());
    const [oldest] = early.keys();
    if (early.size > MAX_EARLY && oldest !== undefined) forget(oldest);
  };
  return {
    get size() {
      return running.size;
    },
    begin: (key, principal) => {
      const controller = new AbortController();
      if (forget(key)) controller.abort();
      running.set(key, { controller, principal });
      const done = (): void => {
        if (running.get(key)?.controller === controller) running.delete(key);
      };
      return { signal: controller.signal, done };
    },
    cancel: (key) => {
      const found = running.get(key);
      if (found) found.controller.abort();
      else remember(key);
    },
    cancelOf: (isOver) => {
      for (const { controller, principal } of running.values()) if (isOver(principal)) controller.abort();
    },
    cancelAll: () => running.forEach(({ controller }) => controller.abort()),
  };
}
