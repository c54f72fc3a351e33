/** What of {@link HeldMemory} goes to a worker. */
export interface HeldMemoryShare {
  readonly cell: SharedArrayBuffer;
  readonly maximumPages: number;
}

/**
 * Memory that the runs of all workers hold together, in pages of 64 KiB, counted in memory that all threads share: each run alone is
 * within its cap, and all of them may still be more than the machine has.
 */
export class HeldMemory {
  readonly #cell: Int32Array<SharedArrayBuffer>;
  readonly #maximumPages: number;

  constructor({ cell, maximumPages }: HeldMemoryShare) {
    this.#cell = new Int32Array(cell);
    this.#maximumPages = maximumPages;
  }

  get share(): HeldMemoryShare {
    return { cell: this.#cell.buffer, maximumPages: this.#maximumPages };
  }

  /** @param pages negative when less is held. */
  add(pages: number): void {
    Atomics.add(this.#cell, 0, pages);
  }

  /** Adds pages unless that is more than all runs may hold. */
  tryAdd(pages: number): boolean {
    if (Atomics.add(this.#cell, 0, pages) + pages <= this.#maximumPages) return true;
    Atomics.sub(this.#cell, 0, pages);
    return false;
  }
}

/** Nothing held yet, at most so many pages. */
export function createHeldMemory(maximumPages: number): HeldMemory {
  return new HeldMemory({ cell: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT), maximumPages });
}
