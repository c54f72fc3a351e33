import { setImmediate as nextTurn } from 'node:timers/promises';
import { SandboxError } from '../errors.ts';

/** A value of a large JSON text as far as it is looked at. Places are bytes of the text, the end is behind the last one. */
export type Outline = PlainOutline | TextOutline | ListOutline | RecordOutline;

interface Place {
  readonly start: number;
  end: number;
}

/** A number, true, false, null, or what stands in the place of something else. */
export interface PlainOutline extends Place {
  readonly kind: 'plain';
  readonly value: unknown;
}

/** A string; the place is that of its characters, without the quotes. */
export interface TextOutline extends Place {
  readonly kind: 'text';
  /** Characters as people count them, code points. */
  readonly characters: number;
}

export interface ListOutline extends Place {
  readonly kind: 'list';
  /** The first items. */
  readonly items: Outline[];
  /** How many there are. */
  total: number;
}

export interface RecordOutline extends Place {
  readonly kind: 'record';
  readonly members: { readonly key: string; value: Outline }[];
  total: number;
}

/** A JSON text seen whole once. */
export interface SeenJson {
  readonly root: Outline;
  /** Number and place of some items of the list that the text is, for pages of it. */
  readonly marks: readonly (readonly [number: number, at: number])[];
  readonly depth: number;
  readonly values: number;
}

/** Bytes that are looked at before others have their turn: about a millisecond. */
const SLICE_BYTES = 128 * 1024;
/** Values that an outline holds, and children of one container. */
const MAX_OUTLINE = 20_000;
const MAX_CHILDREN = 1_000;
const MAX_DEPTH = 64;
/** Longest key that is kept, in bytes; a member with a longer one is counted and left out. */
const MAX_KEY_BYTES = 1_024;
const MAX_NUMBER_BYTES = 1_024;
/** At least so many bytes lie between two marks. */
const MARK_BYTES = 64 * 1024;

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

/** An open container. */
interface Open {
  readonly outline: ListOutline | RecordOutline;
  key: string | undefined;
  expectsKey: boolean;
  commas: number;
}

class OutlineScan {
  readonly #bytes: Uint8Array;
  readonly #open: Open[] = [];
  readonly #marks: [number, number][] = [];
  #at = 0;
  #root: Outline | undefined;
  #kept = 0;
  #values = 0;
  #depth = 0;
  /** Containers inside each other that are only counted through. */
  #skipped = 0;
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
    if (!this.#root || this.#open.length > 0 || this.#skipped > 0 || this.#stringStart >= 0) throw notJson();
    return { root: this.#root, marks: this.#marks, depth: this.#depth, values: this.#values };
  }

  #byte(byte: number): void {
    const isDivider = byte <= 32 || byte === 0x2c || byte === 0x3a || byte === 0x5d || byte === 0x7d;
    if (this.#plainStart >= 0 && isDivider) this.#endPlain();
    if (byte === 0x22) this.#beginString();
    else if (byte === 0x5b || byte === 0x7b) this.#beginContainer(byte === 0x5b);
    else if (byte === 0x5d || byte === 0x7d) this.#endContainer();
    else if (byte === 0x2c) this.#comma();
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
    if (this.#skipped > 0) return this.#skippedString();
    const parent = this.#open.at(-1);
    if (parent?.expectsKey === true) {
      parent.expectsKey = false;
      parent.key = end - start > MAX_KEY_BYTES ? undefined : textOf(this.#bytes, start, end);
      return undefined;
    }
    this.#add({ kind: 'text', start, end, characters: this.#characters }, start - 1);
    return undefined;
  }

  /** Keys are not told from values there, so they count as values too: the count is only a bound. */
  #skippedString(): void {
    this.#values++;
  }

  #endPlain(): void {
    const start = this.#plainStart;
    this.#plainStart = -1;
    if (this.#skipped > 0) {
      this.#values++;
      return;
    }
    if (this.#at - start > MAX_NUMBER_BYTES) throw notJson();
    // To parse millions of numbers that have no place takes longer than everything else.
    const value = this.#hasPlace() ? plainOf(this.#bytes, start, this.#at) : null;
    this.#add({ kind: 'plain', start, end: this.#at, value }, start);
  }

  #beginContainer(isList: boolean): void {
    this.#depth = Math.max(this.#depth, this.#open.length + this.#skipped + 1);
    if (this.#skipped > 0) {
      this.#skipped++;
      this.#values++;
      return;
    }
    const at = this.#at;
    const outline: Outline = isList
      ? { kind: 'list', start: at, end: at, items: [], total: 0 }
      : { kind: 'record', start: at, end: at, members: [], total: 0 };
    // One that has a place still tells how many children it has, also where none of them has one.
    if (this.#add(outline, at)) this.#open.push({ outline, key: undefined, expectsKey: !isList, commas: 0 });
    else this.#skipped = 1;
  }

  #endContainer(): void {
    if (this.#skipped > 0) {
      this.#skipped--;
      return;
    }
    const closed = this.#open.pop();
    if (!closed || closed.commas !== Math.max(0, closed.outline.total - 1)) throw notJson();
    closed.outline.end = this.#at + 1;
  }

  #comma(): void {
    const parent = this.#open.at(-1);
    if (this.#skipped > 0 || !parent) return;
    parent.commas++;
    parent.expectsKey = parent.outline.kind === 'record';
  }

  /** @returns whether the value has a place in the outline. */
  #add(value: Outline, at: number): boolean {
    this.#values++;
    const parent = this.#open.at(-1);
    if (!parent) {
      if (this.#root) throw notJson();
      this.#root = value;
      return true;
    }
    const { outline, key } = parent;
    const number = outline.total++;
    if (this.#open.length === 1 && outline.kind === 'list') this.#mark(number, at);
    if (!this.#hasPlace()) return false;
    if (outline.kind === 'list') outline.items.push(value);
    else if (key === undefined) return false;
    else outline.members.push({ key, value });
    this.#kept++;
    return true;
  }

  /** Whether the outline has room for one more child of the innermost container. */
  #hasPlace(): boolean {
    const outline = this.#open.at(-1)?.outline;
    if (!outline) return true;
    const children = outline.kind === 'list' ? outline.items.length : outline.members.length;
    return children < MAX_CHILDREN && this.#kept < MAX_OUTLINE && this.#open.length <= MAX_DEPTH;
  }

  #mark(number: number, at: number): void {
    const last = this.#marks.at(-1);
    if (!last || at - last[1] >= MARK_BYTES) this.#marks.push([number, at]);
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

function notJson(): SandboxError {
  return new SandboxError('ERR_EXECUTE_RESULT_INVALID', 'The result is not valid JSON.');
}
