import { SandboxError } from '../errors.ts';
import { FairQueue } from '../fair-queue.ts';

interface Waiting {
  admit(): void;
  refuse(error: SandboxError): void;
}

/**
 * Lets a bounded number of runs in and a bounded number wait. Everybody who waits has a turn, and each is served first come, first served.
 * Past both the caller hears "busy" at once, which is kinder than a queue that only grows; or the one that came last of whoever has most
 * waiting, so that nobody can fill the queue for all.
 */
export class Admission {
  readonly #capacity: number;
  readonly #maxQueued: number;
  readonly #isFull: () => boolean;
  readonly #queue = new FairQueue<Waiting>();
  #inside = 0;

  /** @param isFull says whether those inside have used up something else that they share: then too the next one waits. */
  constructor(capacity: number, maxQueued: number, isFull: () => boolean = () => false) {
    this.#capacity = capacity;
    this.#maxQueued = maxQueued;
    this.#isFull = isFull;
  }

  /**
   * Waits for a place. The returned function gives it back, once.
   * @param onWait is told when there is none at once.
   * @param lane whose run it is.
   * @throws SandboxError ERR_EXECUTE_BUSY, or ERR_EXECUTE_CANCELLED when the signal fires first.
   */
  async enter(signal: AbortSignal, onWait?: () => void, lane = ''): Promise<() => void> {
    if (signal.aborted) throw cancelled();
    if (this.#queue.length > 0 || !this.#hasPlace()) await this.#wait(signal, lane, onWait);
    else this.#inside++;
    return this.#leaveOnce();
  }

  /** One is let in whatever the others left behind: else nobody would ever leave. */
  #hasPlace(): boolean {
    return this.#inside === 0 ? this.#capacity > 0 : this.#inside < this.#capacity && !this.#isFull();
  }

  async #wait(signal: AbortSignal, lane: string, onWait?: () => void): Promise<void> {
    if (this.#queue.length >= this.#maxQueued) {
      const busy = this.#busy();
      const displaced = this.#queue.displace(lane);
      if (displaced === undefined) throw busy;
      displaced.refuse(busy);
    }
    onWait?.();
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = { admit: resolve, refuse: reject };
      signal.addEventListener(
        'abort',
        () => {
          this.#queue.remove(lane, waiting);
          reject(cancelled());
        },
        { once: true },
      );
      this.#queue.push(lane, waiting);
    });
  }

  #busy(): SandboxError {
    return new SandboxError('ERR_EXECUTE_BUSY', `${this.#inside} runs are under way and ${this.#queue.length} wait.`, {
      hint: 'Try again in a moment. The operator can raise limits.maxQueuedRuns or workers.',
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
