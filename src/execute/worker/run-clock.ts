/** A run's own clock, in milliseconds since 1970: where it was set, plus the time that has passed since. It never goes back. */
export class RunClock {
  #base: number;
  #since = performance.now();

  constructor(now: number) {
    this.#base = now;
  }

  /** In whole milliseconds after its start. */
  now(): number {
    return this.#base + Math.floor(performance.now() - this.#since);
  }

  /** Goes on from that time, unless it is past it. */
  moveTo(now: number): void {
    if (now <= this.now()) return;
    this.#base = now;
    this.#since = performance.now();
  }
}
