import { setImmediate as turn } from 'node:timers/promises';
import type { WakeTimers } from './wake-timers.ts';

/** What a run that is not in an executor waits for: an answer, a moment, or its end. */
export class RunSleep {
  readonly #timers: WakeTimers;
  #wake: (() => void) | undefined;

  constructor(timers: WakeTimers) {
    this.#timers = timers;
  }

  /** Something has happened. */
  wake(): void {
    this.#wake?.();
  }

  /**
   * Resolves when `isDue`, which is asked at that moment and whenever something has happened. What happens together is one.
   * @param at on the monotonic clock
   */
  async until(isDue: () => boolean, at: number): Promise<void> {
    while (!isDue()) await this.#once(at);
    await turn();
  }

  async #once(at: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const time = this.#timers.at(at, resolve);
    try {
      await promise;
    } finally {
      this.#wake = undefined;
      this.#timers.cancel(time);
    }
  }
}
