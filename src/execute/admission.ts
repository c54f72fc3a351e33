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
  readonly #isFull: () => boolean;
  readonly #queue: Waiting[] = [];
  #inside = 0;

  /** @param isFull says whether those inside have used up something else that they share: then too the next one waits. */
  constructor(capacity: number, maxQueued: number, isFull: () => boolean = () => false) {
    this.#capacity = capacity;
    this.#maxQueued = maxQueued;
    this.#isFull = isFull;
  }

  /**
   * Waits for a place. The returned function gives it back, once.
   * @throws SandboxError ERR_EXECUTE_BUSY, or ERR_EXECUTE_CANCELLED when the signal fires first.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw cancelled();
    if (this.#queue.length > 0 || !this.#hasPlace()) await this.#wait(signal);
    else this.#inside++;
    return this.#leaveOnce();
  }

  /** One is let in whatever the others left behind: else nobody would ever leave. */
  #hasPlace(): boolean {
    return this.#inside === 0 ? this.#capacity > 0 : this.#inside < this.#capacity && !this.#isFull();
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
      this.#inside--;
      while (this.#queue.length > 0 && this.#hasPlace()) {
        this.#inside++;
        this.#queue.shift()?.admit();
      }
    };
  }
}

function cancelled(): SandboxError {
  return new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
}
