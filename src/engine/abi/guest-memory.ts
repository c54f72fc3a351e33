import { isUtf8 } from 'node:buffer';

const PAIR_BYTES = 8;
const WORD_BYTES = 4;
/** The canonical ABI's alignment of a pointer, a length and an u32. */
const WORD_ALIGN = 4;

/** From this length on a text that is to be passed on stays bytes: a string of it would be made only to be written again. */
const LONG_TEXT_BYTES = 64 * 1024;

/** A text of the guest: a string when it is short, a copy of its UTF-8 when it is long, and only its length when it is longer than it may be. */
export type BoundedText = string | Uint8Array | { readonly bytes: number };

/** The guest gave a text that is longer than the contract allows: it was not read. */
export class TextTooLong extends Error {
  /** @param bytes its length. @param limit the most that it may have. */
  constructor(what: string, bytes: number, limit: number) {
    super(`The ${what} of a host function has ${bytes} bytes; at most ${limit} are allowed.`);
  }
}

type Realloc = (pointer: number, size: number, align: number, newSize: number) => number;

/**
 * Linear memory as the host sees it: strings are UTF-8 as pointer and length, lists likewise (Component Model, canonical ABI).
 * The views are made again whenever memory has grown, because growth detaches them.
 */
export class GuestMemory {
  readonly memory: WebAssembly.Memory;
  readonly #realloc: Realloc;
  #bytes = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer);

  constructor(memory: WebAssembly.Memory, realloc: Realloc) {
    this.memory = memory;
    this.#realloc = realloc;
  }

  #refresh(): void {
    const { buffer } = this.memory;
    if (this.#view.buffer === buffer) return;
    this.#bytes = Buffer.from(buffer);
    this.#view = new DataView(buffer);
  }

  readString(pointer: number, bytes: number): string {
    this.#refresh();
    return this.#bytes.toString('utf8', pointer >>> 0, (pointer >>> 0) + (bytes >>> 0));
  }

  /** @param what names the text in the error. @throws TextTooLong before anything is read. */
  readBounded(pointer: number, bytes: number, limit: number, what: string): string {
    if (bytes >>> 0 > limit) throw new TextTooLong(what, bytes >>> 0, limit);
    return this.readString(pointer, bytes);
  }

  /** Up to `limit.length` texts whose pointers and lengths are stored one after the other, as a list whose own are stored at `pair`. */
  readBoundedTextsAt(pair: number, limits: readonly number[]): BoundedText[] {
    this.#refresh();
    const list = this.#view.getUint32(pair, true);
    const count = this.#view.getUint32(pair + WORD_BYTES, true);
    checkCount(count, limits.length);
    return limits.slice(0, count).map((limit, index) => this.#readTextAt(list + index * PAIR_BYTES, limit));
  }

  #readTextAt(pair: number, limit: number): BoundedText {
    const pointer = this.#view.getUint32(pair, true);
    const bytes = this.#view.getUint32(pair + WORD_BYTES, true);
    if (bytes > limit) return { bytes };
    if (bytes <= LONG_TEXT_BYTES) return this.readString(pointer, bytes);
    const copy = new Uint8Array(this.#bytes.subarray(pointer, pointer + bytes));
    // The guest is not trusted to write UTF-8.
    return isUtf8(copy) ? copy : new TextEncoder().encode(this.readString(pointer, bytes));
  }

  /** The string whose pointer and length are stored at `pair`. */
  readStringAt(pair: number): string {
    this.#refresh();
    return this.readString(this.#view.getUint32(pair, true), this.#view.getUint32(pair + WORD_BYTES, true));
  }

  /** @param limit the most strings that the contract allows. @throws RangeError when the guest gives more. */
  readStrings(pointer: number, count: number, limit: number): string[] {
    checkCount(count >>> 0, limit);
    const texts: string[] = [];
    for (let index = 0; index < count >>> 0; index++) texts.push(this.readStringAt((pointer >>> 0) + index * PAIR_BYTES));
    return texts;
  }

  /** The list of strings whose pointer and length are stored at `pair`; see {@link GuestMemory.readStrings}. */
  readStringsAt(pair: number, limit: number): string[] {
    this.#refresh();
    return this.readStrings(this.#view.getUint32(pair, true), this.#view.getUint32(pair + WORD_BYTES, true), limit);
  }

  /** @returns pointer and length in bytes of a copy that the guest frees. */
  writeString(text: string): [pointer: number, bytes: number] {
    const bytes = Buffer.byteLength(text, 'utf8');
    const pointer = this.#allocate(1, bytes);
    this.#bytes.write(text, pointer, bytes, 'utf8');
    return [pointer, bytes];
  }

  writeBytes(bytes: Uint8Array): [pointer: number, bytes: number] {
    const pointer = this.#allocate(1, bytes.length);
    this.#bytes.set(bytes, pointer);
    return [pointer, bytes.length];
  }

  /** A list of u32. @returns its pointer. */
  writeWords(words: ArrayLike<number>): number {
    const pointer = this.#allocate(WORD_ALIGN, words.length * WORD_BYTES);
    for (let index = 0; index < words.length; index++) this.#view.setUint32(pointer + index * WORD_BYTES, words[index] ?? 0, true);
    return pointer;
  }

  /** Stores words where the guest has made room for them. */
  storeWords(pointer: number, ...words: readonly number[]): void {
    this.#refresh();
    for (const [index, word] of words.entries()) this.#view.setUint32((pointer >>> 0) + index * WORD_BYTES, word, true);
  }

  #allocate(align: number, bytes: number): number {
    const pointer = bytes === 0 ? align : this.#realloc(0, 0, align, bytes) >>> 0;
    this.#refresh();
    if (pointer + bytes > this.#bytes.length) throw new RangeError(`the engine allocated ${bytes} bytes at ${pointer}, outside of memory`);
    return pointer;
  }
}

function checkCount(count: number, limit: number): void {
  if (count > limit) throw new RangeError(`the guest gave a list of ${count} strings, where at most ${limit} are expected`);
}
