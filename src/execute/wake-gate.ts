import { FairQueue } from '../fair-queue.ts';
import { cancelled } from './lost-runs.ts';

/** Of images and histories that are on their way to one executor, or wait there for a worker. */
const ENOUGH_BYTES = 64 * 1024 * 1024;

interface Waiting {
  readonly bytes: number;
  admit(): void;
}

/**
 * Lets runs that go on to their executor, as many as it can soon begin: where thousands wake in one moment, their memory waits in the store and here,
 * and not in a process that has other things to do. Everybody who waits has a turn.
 */
export class WakeGate {
  readonly #most: number;
  readonly #queue = new FairQueue<Waiting>();
  #bytes = 0;

  constructor(most = ENOUGH_BYTES) {
    this.#most = most;
  }

  /**
   * Waits until so many bytes may go. The returned function says, once, that they are no burden any more.
   * @param lane whose run it is
   * @throws SandboxError ERR_EXECUTE_CANCELLED when the signal fires first
   */
  async enter(bytes: number, lane: string, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw cancelled();
    if (this.#queue.length > 0 || !this.#hasRoom(bytes)) await this.#wait(bytes, lane, signal);
    else this.#bytes += bytes;
    let hasLeft = false;
    return () => {
      if (!hasLeft) this.#leave(bytes);
      hasLeft = true;
    };
  }

  /** One goes in any case, however large. */
  #hasRoom(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#most;
  }

  async #wait(bytes: number, lane: string, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { bytes, admit: resolve };
    const abort = (): void => {
      if (this.#queue.remove(lane, waiting)) reject(cancelled());
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#queue.push(lane, waiting);
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #leave(bytes: number): void {
    this.#bytes -= bytes;
    for (let next = this.#queue.first; next && this.#hasRoom(next.bytes); next = this.#queue.first) {
      this.#queue.shift();
      this.#bytes += next.bytes;
      next.admit();
    }
  }
}
