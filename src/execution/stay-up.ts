import type { HibernationRules } from '../execute/run.ts';
import type { StoredWait } from './execution-store.ts';

/** A run that could not be put away is not put away again for so long. */
const REFUSED_MS = 60_000;

/** When a run may be put away after it could not be. */
export class StayUp {
  #refusedAt = -Infinity;

  /**
   * It could not be. For a while it may not, nor for the timer that it waits for; when that did not help, since memory is short say, not at all until
   * the next time that it is put into an executor.
   * @param now on the monotonic clock
   */
  refused(
    usual: HibernationRules | undefined,
    { nextTimer, now: clock }: Pick<StoredWait, 'nextTimer' | 'now'>,
    now: number,
  ): HibernationRules | undefined {
    const isAgain = now < this.#refusedAt + REFUSED_MS;
    this.#refusedAt = now;
    if (usual === undefined || isAgain) return undefined;
    const untilTimer = nextTimer === null ? 0 : nextTimer - clock + 1;
    return { ...usual, afterMs: Math.ceil(Math.max(usual.afterMs, REFUSED_MS, untilTimer)) };
  }
}
