/** Of sums of fractions, as a part of the size: whoever comes back at the time that was told finds what was promised. */
const ROUNDING = 1e-12;

/**
 * What there is of something that comes back evenly over time: full at first, empty once all of it was taken, full again after one
 * window. Times are milliseconds on a clock that never goes back.
 */
export class Bucket {
  readonly #size: number;
  readonly #perMs: number;
  readonly #rounding: number;
  #level: number;
  #at: number;

  constructor(size: number, windowMs: number, now: number) {
    this.#size = size;
    this.#perMs = size / windowMs;
    this.#rounding = size * ROUNDING + 1e-9;
    this.#level = size;
    this.#at = now;
  }

  /** How much there is. Below zero where more was used than there was. */
  level(now: number): number {
    // A clock that goes back all the same gives nothing and takes nothing.
    const passed = Math.max(0, now - this.#at);
    return Math.min(this.#size, this.#level + passed * this.#perMs);
  }

  /** Whether there is so much. */
  has(amount: number, now: number): boolean {
    return this.level(now) >= amount - this.#rounding;
  }

  /** Takes an amount, or gives it back where it is negative. */
  take(amount: number, now: number): void {
    this.#level = Math.min(this.#size, this.level(now) - amount);
    this.#at = Math.max(this.#at, now);
  }

  /** Milliseconds until there is so much; 0 when there is. */
  waitFor(amount: number, now: number): number {
    return Math.max(0, Math.ceil((Math.min(amount, this.#size) - this.#rounding - this.level(now)) / this.#perMs));
  }

  /** Whether forgetting it changes nothing. */
  isFull(now: number): boolean {
    return this.level(now) >= this.#size;
  }
}
