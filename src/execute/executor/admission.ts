import { SandboxError } from '../../errors.ts';
import { FairQueue } from '../../fair-queue.ts';

interface Waiting {
  readonly lane: string;
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
  readonly #onWaiting: (count: number) => void;
  readonly #queue = new FairQueue<Waiting>();
  /** Those of the queue that can be told to come again. The others were let in before, and have left their place while they slept. */
  readonly #newcomers = new FairQueue<Waiting>();
  #inside = 0;

  /**
   * @param isFull says whether those inside have used up something else that they share: then too the next one waits.
   * @param onWaiting is told how many wait, whenever that changes.
   */
  constructor(capacity: number, maxQueued: number, isFull = (): boolean => false, onWaiting: (count: number) => void = () => undefined) {
    this.#capacity = capacity;
    this.#maxQueued = maxQueued;
    this.#isFull = isFull;
    this.#onWaiting = onWaiting;
  }

  /**
   * Waits for a place. The returned function gives it back, once.
   * @param onWait is told when there is none at once.
   * @param lane whose run it is.
   * @param isWake it was let in before, and is never refused: it waits its turn, however many do.
   * @throws SandboxError ERR_EXECUTE_BUSY, or ERR_EXECUTE_CANCELLED when the signal fires first.
   */
  async enter(signal: AbortSignal, onWait?: () => void, lane = '', isWake = false): Promise<() => void> {
    if (signal.aborted) throw cancelled();
    if (this.#queue.length > 0 || !this.#hasPlace()) await this.#wait(signal, lane, isWake, onWait);
    else this.#inside++;
    return this.#leaveOnce();
  }

  /** One is let in whatever the others left behind: else nobody would ever leave. */
  #hasPlace(): boolean {
    return this.#inside === 0 ? this.#capacity > 0 : this.#inside < this.#capacity && !this.#isFull();
  }

  async #wait(signal: AbortSignal, lane: string, isWake: boolean, onWait?: () => void): Promise<void> {
    if (!isWake) this.#makeRoom(lane);
    onWait?.();
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = { lane, admit: resolve, refuse: reject };
      signal.addEventListener(
        'abort',
        () => {
          if (!this.#queue.remove(lane, waiting)) return;
          this.#newcomers.remove(lane, waiting);
          this.#onWaiting(this.#queue.length);
          reject(cancelled());
        },
        { once: true },
      );
      this.#queue.push(lane, waiting);
      if (!isWake) this.#newcomers.push(lane, waiting);
      this.#onWaiting(this.#queue.length);
    });
  }

  #makeRoom(lane: string): void {
    if (this.#newcomers.length < this.#maxQueued) return;
    const busy = this.#busy();
    const displaced = this.#newcomers.displace(lane);
    if (displaced === undefined) throw busy;
    this.#queue.remove(displaced.lane, displaced);
    displaced.refuse(busy);
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
      const before = this.#queue.length;
      while (this.#queue.length > 0 && this.#hasPlace()) {
        this.#inside++;
        const next = this.#queue.shift();
        if (next) this.#newcomers.remove(next.lane, next);
        next?.admit();
      }
      if (this.#queue.length !== before) this.#onWaiting(this.#queue.length);
    };
  }
}

function cancelled(): SandboxError {
  return new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
}
