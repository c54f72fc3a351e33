import type { PooledRun } from './pooled-run.ts';

/** A run that has waited for less than this may be about to go on: to put it away would cost more than it brings. */
const LEAST_WAIT_MS = 100;
/** How often runs are looked for while there is no room. */
const LOOK_MS = 50;
/** One that was asked is on its way out for so long; then it had something else to do, and another one is asked. */
const LEAVE_MS = 500;

/** Has runs that only wait put away while others wait for a place or for memory: those that wait longest first. */
export class RoomMaker {
  readonly #waiting: () => readonly PooledRun[];
  #wanted = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param waiting the runs that are past their first step and may be put away. */
  constructor(waiting: () => readonly PooledRun[]) {
    this.#waiting = waiting;
  }

  /** So many runs wait now for a place or for memory. */
  want(places: number): void {
    this.#wanted = places;
    if (places === 0) this.close();
    else if (!this.#timer) this.#look();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#ask(performance.now());
    this.#timer = setTimeout(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  #ask(now: number): void {
    const waiting = this.#waiting();
    const leaving = waiting.filter(({ askedAt, movedAt }) => askedAt >= movedAt && now - askedAt < LEAVE_MS).length;
    // Whoever was asked in this wait and is still there cannot go.
    const able = waiting.filter(({ askedAt, movedAt }) => askedAt < movedAt && now - movedAt >= LEAST_WAIT_MS);
    for (const run of able.toSorted((a, b) => a.movedAt - b.movedAt).slice(0, Math.max(0, this.#wanted - leaving))) run.hibernate(now);
  }
}
