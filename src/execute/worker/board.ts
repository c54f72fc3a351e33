import type { HeldMemory } from './held-memory.ts';

/**
 * Memory that the executor's main thread and one worker share: what each must know of the other while the other computes and
 * reads no messages. One object for each side, over the same memory.
 */
export class Board {
  readonly #cells: Int32Array<SharedArrayBuffer>;
  readonly #flags: Int32Array[] = [];
  readonly #all: HeldMemory | undefined;

  /** @param all what the runs of all workers hold. */
  constructor(memory: SharedArrayBuffer, all?: HeldMemory) {
    this.#cells = new Int32Array(memory);
    this.#all = all;
  }

  get memory(): SharedArrayBuffer {
    return this.#cells.buffer;
  }

  /** Main thread: makes a slot ready for another run. */
  reset(slot: number): void {
    Atomics.store(this.#cells, interruptCell(slot), 0);
    Atomics.store(this.#cells, claimCell(slot), POSTED);
  }

  /** Main thread: stops the run of a slot while it computes. */
  interrupt(slot: number): void {
    Atomics.store(this.#cells, interruptCell(slot), 1);
  }

  /** Main thread: whether the worker has begun the run of a slot. */
  hasBegun(slot: number): boolean {
    return Atomics.load(this.#cells, claimCell(slot)) === BEGUN;
  }

  /** Main thread: takes a run back that the worker has not begun. False when it has. */
  takeBack(slot: number): boolean {
    return Atomics.compareExchange(this.#cells, claimCell(slot), POSTED, TAKEN_BACK) === POSTED;
  }

  /** Worker: begins the run of a slot. False when it was taken back. */
  begin(slot: number): boolean {
    return Atomics.compareExchange(this.#cells, claimCell(slot), POSTED, BEGUN) === POSTED;
  }

  /** Worker: the slot's interrupt, as the meter reads it. */
  flag(slot: number): Int32Array {
    return (this.#flags[slot] ??= this.#cells.subarray(interruptCell(slot), interruptCell(slot) + 1));
  }

  /** Whether the worker computes, or puts memory back. */
  get busy(): boolean {
    return Atomics.load(this.#cells, BUSY) === 1;
  }

  set busy(busy: boolean) {
    Atomics.store(this.#cells, BUSY, busy ? 1 : 0);
  }

  /** Whether the worker has ever begun to serve: one that has not could not start. */
  get hasServed(): boolean {
    return Atomics.load(this.#cells, SERVED) === 1;
  }

  /** Worker: it serves from now on. */
  serve(): void {
    Atomics.store(this.#cells, SERVED, 1);
  }

  /** Worker: it lives. Called at each slice of fuel and each message. */
  beat(): void {
    Atomics.add(this.#cells, BEATS, 1);
  }

  /** Main thread: changes as long as the worker lives and is asked something, or computes. */
  get beats(): number {
    return Atomics.load(this.#cells, BEATS);
  }

  /** Pages of memory, 64 KiB each, that the worker's runs hold. */
  get heldPages(): number {
    return Atomics.load(this.#cells, HELD_PAGES);
  }

  /** Worker: a run holds more pages, or fewer. */
  hold(pages: number): void {
    Atomics.add(this.#cells, HELD_PAGES, pages);
    this.#all?.add(pages);
  }

  /** A run would hold more pages. False when all runs together hold as much as they may. */
  tryHold(pages: number): boolean {
    if (this.#all?.tryAdd(pages) === false) return false;
    Atomics.add(this.#cells, HELD_PAGES, pages);
    return true;
  }
}

const BUSY = 0;
const HELD_PAGES = 1;
const SERVED = 2;
const BEATS = 3;
const FIRST_SLOT = 4;
const CELLS_PER_SLOT = 2;

const POSTED = 0;
const BEGUN = 1;
const TAKEN_BACK = 2;

/** A board for so many runs at once. */
export function createBoard(slots: number, all?: HeldMemory): Board {
  return new Board(new SharedArrayBuffer((FIRST_SLOT + slots * CELLS_PER_SLOT) * Int32Array.BYTES_PER_ELEMENT), all);
}

function interruptCell(slot: number): number {
  return FIRST_SLOT + slot * CELLS_PER_SLOT;
}

function claimCell(slot: number): number {
  return interruptCell(slot) + 1;
}
