import type { HibernationRules } from '../execute/run.ts';

const MIB = 1024 * 1024;
/** So often a run may be put away at any pace, with images of up to a mebibyte; a larger one counts as often as it has mebibytes. */
export const FREE_TIMES = 250;
/** Then once in so long, in milliseconds: it stays where it is meanwhile. Half of what a run takes at least that waits for `hibernateAfterMs` each time. */
export const PACE_MS = 1_000;
/** An executor that keeps to that is ahead of it by one image at most. So many times ahead it does not. */
export const MOST_AHEAD = 250;
/** So often in all, for each time that the pace has room for within the time that a run may take. */
const MOST_FOLD = 4;
const LEAST_TIMES = 1_000;

/**
 * How often one run may be put away. Each time costs the gateway a write, a read and a wake, and only its executor says that it waits. Against: an executor
 * that was taken over and puts its runs away again and again, or programs that wait in a tight loop while memory is short.
 */
export class PutAwayPace {
  readonly #most: number;
  #times = 0;
  #left = FREE_TIMES;
  #at: number;

  /** @param lifeMs how long the run may take, in milliseconds @param now on the monotonic clock */
  constructor(lifeMs: number, now: number) {
    this.#most = LEAST_TIMES + (MOST_FOLD * lifeMs) / PACE_MS;
    this.#at = now;
  }

  /** It was put away so often before this process had it. */
  recall(times: number): void {
    this.#times += times;
  }

  /** It is put away. @returns whether an executor that keeps to its rules can have done that */
  putAway(bytes: number, now: number): boolean {
    this.#refill(now);
    this.#left -= Math.max(1, bytes / MIB);
    this.#times++;
    return this.#left >= -MOST_AHEAD && this.#times <= this.#most;
  }

  /** What its next stay in an executor is under. */
  rules(usual: HibernationRules | undefined, now: number): HibernationRules | undefined {
    this.#refill(now);
    return usual && this.#left < 1 ? { ...usual, stayMs: Math.ceil((1 - this.#left) * PACE_MS) } : usual;
  }

  #refill(now: number): void {
    this.#left = Math.min(FREE_TIMES, this.#left + (now - this.#at) / PACE_MS);
    this.#at = now;
  }
}
