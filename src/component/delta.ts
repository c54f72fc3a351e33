/**
 * The difference between two states of linear memory: the new size and the blocks that are not the same. A program is its
 * delta against the engine's image.
 */
export interface Delta {
  /** Size of memory, in 64 KiB pages. */
  readonly pages: number;
  /** Sorted by offset, not overlapping. */
  readonly blocks: readonly DeltaBlock[];
}

export interface DeltaBlock {
  /** Byte offset in linear memory. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}
