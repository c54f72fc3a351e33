/** Memory that all sets of fingerprints may take together. */
export interface FingerprintMemory {
  /** Slots in use by all sets, of 8 bytes each. */
  slots: number;
  readonly maxSlots: number;
}

const FIRST_SLOTS = 1024;
/** Of one set: 32 MiB, enough for some 15 million characters that are all different. */
const MAX_SLOTS = 4 * 1024 * 1024;
const MAX_LOAD = 0.75;

/** A set of 64-bit hashes, in a table of its own because a Set of them would take ten times the memory. */
export class Fingerprints {
  readonly #memory: FingerprintMemory;
  #table = new Uint32Array(0);
  #mask = 0;
  #count = 0;
  #isFull = false;

  constructor(memory: FingerprintMemory) {
    this.#memory = memory;
  }

  /** Some could not be added any more: what is not in the set may have been. */
  get isFull(): boolean {
    return this.#isFull;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** @returns whether the set is full. */
  add(one: number, two: number): boolean {
    if (this.#isFull) return true;
    if (this.#count >= (this.#mask + 1) * MAX_LOAD || this.#table.length === 0) this.#grow();
    if (!this.#isFull) this.#put(one, two === 0 ? 1 : two);
    return this.#isFull;
  }

  has(one: number, two: number): boolean {
    if (this.#count === 0) return false;
    const tag = two === 0 ? 1 : two;
    const table = this.#table;
    for (let slot = one & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const found = table[2 * slot + 1];
      if (found === 0) return false;
      if (found === tag && table[2 * slot] === one) return true;
    }
  }

  /** Gives its memory back. */
  release(): void {
    this.#memory.slots -= this.#table.length / 2;
    this.#table = new Uint32Array(0);
    this.#mask = 0;
    this.#count = 0;
  }

  #put(one: number, tag: number): void {
    const table = this.#table;
    for (let slot = one & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const found = table[2 * slot + 1];
      if (found === tag && table[2 * slot] === one) return;
      if (found !== 0) continue;
      table[2 * slot] = one;
      table[2 * slot + 1] = tag;
      this.#count++;
      return;
    }
  }

  #grow(): void {
    const before = this.#table;
    const slots = before.length === 0 ? FIRST_SLOTS : before.length;
    const more = slots - before.length / 2;
    if (slots > MAX_SLOTS || this.#memory.slots + more > this.#memory.maxSlots) {
      this.#isFull = true;
      return;
    }
    this.#memory.slots += more;
    this.#table = new Uint32Array(2 * slots);
    this.#mask = slots - 1;
    this.#count = 0;
    for (let at = 0; at < before.length; at += 2) {
      const tag = before[at + 1] ?? 0;
      if (tag !== 0) this.#put(before[at] ?? 0, tag);
    }
  }
}
