import { setImmediate as nextTurn } from 'node:timers/promises';
import { notJson, OutlineTree } from './outline-tree.ts';
import type { SeenJson } from './outline.ts';

/** Bytes that are looked at before others have their turn: about a millisecond. */
const SLICE_BYTES = 128 * 1024;
/** Longest key that is kept, in bytes; a member with a longer one is counted and left out. */
const MAX_KEY_BYTES = 1_024;
const MAX_NUMBER_BYTES = 1_024;

/**
 * Looks at a JSON text of tens of megabytes without building what it says: counts everything, and keeps an outline of the first
 * children of each container. Works in slices of a millisecond. It reads what our own guest writes; that it is JSON it does not prove.
 * @throws SandboxError ERR_EXECUTE_RESULT_INVALID when it finds that it is none
 */
export async function outlineJson(bytes: Uint8Array): Promise<SeenJson> {
  const scan = new OutlineScan(bytes);
  while (!scan.step(SLICE_BYTES)) await nextTurn();
  return scan.seen();
}

/** Finds the values of a text, and tells the tree of them. */
class OutlineScan {
  readonly #bytes: Uint8Array;
  readonly #tree = new OutlineTree();
  #at = 0;
  #stringStart = -1;
  #characters = 0;
  #plainStart = -1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Goes on for so many bytes. @returns whether it is through */
  step(count: number): boolean {
    const end = Math.min(this.#bytes.length, this.#at + count);
    while (this.#at < end) {
      if (this.#stringStart >= 0) this.#insideString(end);
      else this.#byte(this.#bytes[this.#at] ?? 0);
    }
    if (this.#at < this.#bytes.length) return false;
    if (this.#plainStart >= 0) this.#endPlain();
    return true;
  }

  seen(): SeenJson {
    if (this.#stringStart >= 0) throw notJson();
    return this.#tree.seen();
  }

  #byte(byte: number): void {
    const isDivider = byte <= 32 || byte === 0x2c || byte === 0x3a || byte === 0x5d || byte === 0x7d;
    if (this.#plainStart >= 0 && isDivider) this.#endPlain();
    if (byte === 0x22) this.#beginString();
    else if (byte === 0x5b || byte === 0x7b) this.#tree.begin(byte === 0x5b, this.#at);
    else if (byte === 0x5d || byte === 0x7d) this.#tree.end(this.#at + 1);
    else if (byte === 0x2c) this.#tree.comma();
    else if (!isDivider && this.#plainStart < 0) this.#plainStart = this.#at;
    this.#at++;
  }

  /** The hot path: everything else is small beside strings. */
  #insideString(end: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let characters = this.#characters;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      if (byte === 0x22) {
        this.#characters = characters;
        this.#at = at;
        return this.#endString();
      }
      if (byte === 0x5c) {
        // One half of a surrogate pair counts as a character; the escape of a control character as one.
        at += bytes[at + 1] === 0x75 ? 6 : 2;
        characters++;
        continue;
      }
      if ((byte & 0xc0) !== 0x80) characters++;
      at++;
    }
    this.#characters = characters;
    this.#at = at;
    return undefined;
  }

  #beginString(): void {
    this.#stringStart = this.#at + 1;
    this.#characters = 0;
  }

  #endString(): void {
    const start = this.#stringStart;
    const end = this.#at;
    this.#stringStart = -1;
    this.#at++;
    if (this.#tree.isSkipping) this.#tree.skip();
    else if (this.#tree.expectsKey) this.#tree.key(end - start > MAX_KEY_BYTES ? undefined : textOf(this.#bytes, start, end));
    else this.#tree.add({ kind: 'text', start, end, characters: this.#characters }, start - 1);
  }

  #endPlain(): void {
    const start = this.#plainStart;
    this.#plainStart = -1;
    if (this.#tree.isSkipping) return this.#tree.skip();
    if (this.#at - start > MAX_NUMBER_BYTES) throw notJson();
    // To parse millions of numbers that have no place takes longer than everything else.
    const value = this.#tree.hasPlace ? plainOf(this.#bytes, start, this.#at) : null;
    this.#tree.add({ kind: 'plain', start, end: this.#at, value }, start);
    return undefined;
  }
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return parsed(`"${Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')}"`) as string;
}

function plainOf(bytes: Uint8Array, start: number, end: number): unknown {
  return parsed(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson();
  }
}
