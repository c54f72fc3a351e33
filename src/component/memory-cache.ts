import type { Delta } from './delta.ts';

/** What a delta's bookkeeping costs beside its bytes, for each block; measured roughly. */
const BLOCK_OVERHEAD_BYTES = 200;

/** Bytes of memory that a delta takes. */
export function deltaBytes(delta: Delta): number {
  return delta.blocks.reduce((sum, block) => sum + block.bytes.length + BLOCK_OVERHEAD_BYTES, BLOCK_OVERHEAD_BYTES);
}

/** A cache that holds at most `maxBytes`; what was not used for longest goes first. */
export class MemoryCache<Value> {
  readonly #maxBytes: number;
  readonly #sizeOf: (value: Value) => number;
  /** In the order of last use, oldest first. */
  readonly #entries = new Map<string, { value: Value; bytes: number }>();
  #bytes = 0;

  /** @param sizeOf bytes of memory that a value takes; asked once, when the value is put in. */
  constructor(maxBytes: number, sizeOf: (value: Value) => number) {
    this.#maxBytes = maxBytes;
    this.#sizeOf = sizeOf;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** A value that alone is over the bound is not kept, and neither is what was there under its key. */
  set(key: string, value: Value): void {
    this.delete(key);
    const bytes = this.#sizeOf(value);
    if (bytes > this.#maxBytes) return;
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
