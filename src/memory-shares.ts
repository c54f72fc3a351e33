/** What one may have, in parts of what is free then: three quarters of all where nobody else has any, and whoever comes next finds a quarter of what others have left. */
const SHARE = 3;

/** Counts what is held in memory for several principals, within a bound and so that nobody takes what others need. */
export class MemoryShares {
  readonly #most: number;
  readonly #own = new Map<string, number>();
  #bytes = 0;

  /** @param most bytes of all together */
  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get most(): number {
    return this.#most;
  }

  /** @param whose the principal, or what stands for it */
  of(whose: string): number {
    return this.#own.get(whose) ?? 0;
  }

  /** Who has most; undefined when nobody has anything. */
  largest(): string | undefined {
    let most: readonly [whose: string, bytes: number] | undefined;
    for (const one of this.#own) if (most === undefined || one[1] > most[1]) most = one;
    return most?.[0];
  }

  /** @returns false when there is no room: then nothing was taken */
  take(whose: string, bytes: number): boolean {
    if (this.of(whose) + bytes > SHARE * (this.#most - this.#bytes - bytes)) return false;
    this.force(whose, bytes);
    return true;
  }

  /** Takes it in any case: it is there already. */
  force(whose: string, bytes: number): void {
    this.#bytes += bytes;
    this.#own.set(whose, this.of(whose) + bytes);
  }

  giveBack(whose: string, bytes: number): void {
    this.#bytes -= bytes;
    const own = this.of(whose) - bytes;
    if (own > 0) this.#own.set(whose, own);
    else this.#own.delete(whose);
  }
}
