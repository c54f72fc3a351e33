import { FairQueue } from '../fair-queue.ts';

/** Runs that are on their way to an executor at one time; what they need is in the store until then. */
const MOST = 32;
/** One that computes at once says nothing for as long: after this, in milliseconds, others have its turn. */
const LONGEST_MS = 500;

/** Lets runs that wake go to their executors a few at a time: where thousands are due in one moment, only the images of those few are in memory. */
export class WakeQueue {
  readonly #most: number;
  readonly #queue = new FairQueue<() => void>();
  #inside = 0;

  constructor(most = MOST) {
    this.#most = most;
  }

  /**
   * Waits for its turn.
   * @param lane whose run it is
   * @returns what says, once or more often, that it is no burden any more
   */
  async enter(lane: string): Promise<() => void> {
    if (this.#inside < this.#most) this.#inside++;
    else await new Promise<void>((resolve) => this.#queue.push(lane, resolve));
    let hasLeft = false;
    const leave = (): void => {
      if (!hasLeft) this.#leave();
      hasLeft = true;
      clearTimeout(longest);
    };
    const longest = setTimeout(leave, LONGEST_MS).unref();
    return leave;
  }

  #leave(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#inside--;
  }
}

/** The turn of one run, which it takes and leaves as often as it wakes. */
export class WakeTurn {
  readonly #queue: WakeQueue;
  readonly #lane: string;
  #leave: (() => void) | undefined;

  constructor(queue: WakeQueue, lane: string) {
    this.#queue = queue;
    this.#lane = lane;
  }

  /** At once, when it has it. */
  async take(): Promise<void> {
    this.#leave ??= await this.#queue.enter(this.#lane);
  }

  leave(): void {
    this.#leave?.();
    this.#leave = undefined;
  }
}
