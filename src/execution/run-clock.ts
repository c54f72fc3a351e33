/** The machine's clocks, in milliseconds. */
export interface Clocks {
  /** Since 1970; it can be set. */
  wall(): number;
  /** Since some moment; it never goes back. */
  monotonic(): number;
}

export const MACHINE_CLOCKS: Clocks = { wall: () => Date.now(), monotonic: () => performance.now() };

/** The clock of one run while nobody runs it: it goes on with the monotonic one, and never backwards. */
export class RunClock {
  readonly #clocks: Clocks;
  #now: number;
  #since: number;

  /** @param now of the run, in milliseconds since 1970 */
  constructor(clocks: Clocks, now: number) {
    this.#clocks = clocks;
    this.#now = now;
    this.#since = clocks.monotonic();
  }

  /** That of a run that was left by another process when its clock was `now` and the machine's `at`. Where the machine's was set back no time has passed. */
  static left(clocks: Clocks, now: number, at: number): RunClock {
    return new RunClock(clocks, now + Math.max(0, clocks.wall() - at));
  }

  /** The run's clock just now, in whole milliseconds. */
  now(): number {
    return this.#now + Math.floor(this.#clocks.monotonic() - this.#since);
  }

  /** The run has told its clock. */
  set(now: number): void {
    this.#now = now;
    this.#since = this.#clocks.monotonic();
  }

  /** It has been told a later time than it was thought to have. */
  notBefore(time: number): void {
    if (time > this.now()) this.set(time);
  }

  /** When the run's clock will be at this time, on the monotonic clock. */
  monotonicAt(time: number): number {
    return this.#since + (time - this.#now);
  }
}
