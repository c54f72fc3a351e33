/** Timers cannot wait for longer, in milliseconds. */
export const LONGEST_TIMER_MS = 2_147_483_647;

/** The end of an execution, for those who wait for it and may give up before: to a promise each would be held until then. */
export class UntilEnd {
  readonly #waiters = new Set<() => void>();
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  over(): void {
    this.#isOver = true;
    for (const tell of this.#waiters) tell();
  }

  /** Whether it has ended before the time is over, or nobody waits any more: then nothing is left of the wait. */
  async within(ms: number, signal: AbortSignal): Promise<boolean> {
    if (this.#isOver) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const [ended, giveUp] = [() => resolve(true), () => resolve(false)];
    const timer = setTimeout(giveUp, Math.min(ms, LONGEST_TIMER_MS));
    this.#waiters.add(ended);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(ended);
      signal.removeEventListener('abort', giveUp);
    }
  }
}
