import { pause } from './abortable.ts';

/** The longest wait for the next try, from its beginning, when a program wants to call a tool, in milliseconds. */
const WANTED_MS = 5_000;

/** The wait between two tries to connect. */
export class NextTry {
  readonly #wantedMs: number;
  #wanted = (): void => undefined;

  constructor(wantedMs = WANTED_MS) {
    this.#wantedMs = wantedMs;
  }

  /** Somebody wants to call a tool: the wait is at most five seconds. */
  want(): void {
    this.#wanted();
  }

  /**
   * Waits so long, or until `early` says that there is a reason to try at once, or the signal fires.
   * @param early gets a signal that fires when the wait is over
   */
  async wait(ms: number, closing: AbortSignal, early?: (over: AbortSignal) => Promise<unknown>): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([closing, over.signal]);
    const wanted = Promise.withResolvers<void>();
    this.#wanted = wanted.resolve;
    const reason = early?.(signal) ?? Promise.all([wanted.promise, pause(this.#wantedMs, signal)]);
    await Promise.race([pause(ms, signal), reason]);
    over.abort();
  }
}
