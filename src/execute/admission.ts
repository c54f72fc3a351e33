import { SandboxError } from '../errors.ts';

interface Waiting {
  admit(): void;
  readonly signal: AbortSignal;
}

/**
 * Lets a bounded number of runs in and a bounded number wait, first come, first served. Past both the caller hears "busy" at
 * once, which is kinder than a queue that only grows.
 */
export class Admission {
  readonly #capacity: number;
  readonly #maxQueued: number;
  readonly #queue: Waiting[] = [];
  #inside = 0;

  constructor(capacity: number, maxQueued: number) {
    this.#capacity = capacity;
    this.#maxQueued = maxQueued;
  }

  /**
   * Waits for a place. The returned function gives it back, once.
   * @throws SandboxError ERR_EXECUTE_BUSY, or ERR_EXECUTE_CANCELLED when the signal fires first.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw cancelled();
    if (this.#inside >= this.#capacity) await this.#wait(signal);
    else this.#inside++;
    return this.#leaveOnce();
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#queue.length >= this.#maxQueued) {
      throw new SandboxError('ERR_EXECUTE_BUSY', `${this.#inside} runs are under way and ${this.#queue.length} wait.`, {
        hint: 'Try again in a moment. The operator can raise limits.maxQueuedRuns or workers.',
      });
    }
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = { signal, admit: resolve };
      signal.addEventListener(
        'abort',
        () => {
          const place = this.#queue.indexOf(waiting);
          if (place >= 0) this.#queue.splice(place, 1);
          reject(cancelled());
        },
        { once: true },
      );
      this.#queue.push(waiting);
    });
  }

  #leaveOnce(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#queue.shift();
      if (next) next.admit();
      else this.#inside--;
    };
  }
}

function cancelled(): SandboxError {
  return new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
}
