import type { Outline } from './outline.ts';
import type { Shortened } from './output-schema.ts';

/** A shortened value, and what it leaves out. */
export interface Preview {
  readonly value: unknown;
  readonly shortened: readonly Shortened[];
}

/** How much of each kind a preview shows. */
interface Level {
  readonly items: number;
  readonly keys: number;
  readonly characters: number;
  readonly depth: number;
}

/** Tried one after the other until a preview is small enough: all parts become shorter together, so that the shape stays to be seen. */
const LEVELS: readonly Level[] = [
  { items: 1_000, keys: 1_000, characters: 4_000, depth: 32 },
  { items: 100, keys: 200, characters: 2_000, depth: 16 },
  { items: 40, keys: 100, characters: 800, depth: 12 },
  { items: 20, keys: 60, characters: 400, depth: 8 },
  { items: 10, keys: 40, characters: 200, depth: 6 },
  { items: 5, keys: 25, characters: 120, depth: 5 },
  { items: 3, keys: 15, characters: 80, depth: 4 },
  { items: 2, keys: 10, characters: 50, depth: 3 },
  { items: 1, keys: 5, characters: 30, depth: 2 },
];
const NOTHING: Level = { items: 0, keys: 0, characters: 0, depth: 0 };

/** Places that are named; those nearest to the root come first. */
const MAX_PLACES = 20;
const KEY_CHARACTERS = 100;
const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

/** A value of the same shape with arrays, objects and strings shortened so that its JSON has at most `maxBytes` bytes. */
export function previewJson(root: Outline, bytes: Uint8Array, maxBytes: number): Preview {
  for (const level of LEVELS) {
    const preview = new PreviewMaker(bytes, level, maxBytes).make(root);
    if (preview) return preview;
  }
  return new PreviewMaker(bytes, NOTHING, Infinity).make(root) ?? { value: null, shortened: [] };
}

/** A place of the value on the way to it. */
interface Path {
  readonly text: string;
  readonly depth: number;
}

class PreviewMaker {
  readonly #bytes: Uint8Array;
  readonly #level: Level;
  readonly #places: { readonly depth: number; readonly place: Shortened }[] = [];
  #left: number;

  constructor(bytes: Uint8Array, level: Level, maxBytes: number) {
    this.#bytes = bytes;
    this.#level = level;
    this.#left = maxBytes;
  }

  /** The preview; undefined when it is over its bound. */
  make(root: Outline): Preview | undefined {
    const value = this.#value(root, { text: '$', depth: 0 });
    if (this.#left < 0) return undefined;
    const places = this.#places.toSorted((a, b) => a.depth - b.depth);
    return { value, shortened: places.slice(0, MAX_PLACES).map(({ place }) => place) };
  }

  #value(outline: Outline, path: Path): unknown {
    if (this.#left < 0) return null;
    switch (outline.kind) {
      case 'plain':
        this.#left -= JSON.stringify(outline.value).length + 1;
        return outline.value;
      case 'text': {
        const head = headOf(this.#bytes, outline, this.#level.characters);
        const text = head.isWhole ? head.text : `${head.text}…`;
        if (!head.isWhole) this.#shorten(path, head.shown, outline.characters, 'characters');
        this.#left -= Buffer.byteLength(JSON.stringify(text)) + 1;
        return text;
      }
      case 'list': {
        const items = path.depth < this.#level.depth ? outline.items.slice(0, this.#level.items) : [];
        if (items.length < outline.total) this.#shorten(path, items.length, outline.total, 'items');
        this.#left -= 3;
        return items.map((item, index) => this.#value(item, { text: `${path.text}[${index}]`, depth: path.depth + 1 }));
      }
      case 'record': {
        const members = path.depth < this.#level.depth ? outline.members.slice(0, this.#level.keys) : [];
        if (members.length < outline.total) this.#shorten(path, members.length, outline.total, 'keys');
        this.#left -= 3;
        return this.#record(members, path);
      }
    }
  }

  #record(members: readonly { readonly key: string; readonly value: Outline }[], path: Path): object {
    const entries = members.map(({ key, value }) => {
      this.#left -= Buffer.byteLength(JSON.stringify(key)) + 1;
      return [key, this.#value(value, { text: path.text + stepTo(key), depth: path.depth + 1 })] as const;
    });
    // Not by assignment: a key such as `__proto__` is a member like others.
    return Object.fromEntries(entries);
  }

  #shorten(path: Path, shown: number, of: number, unit: Shortened['unit']): void {
    this.#places.push({ depth: path.depth, place: { path: path.text, shown, of, unit } });
  }
}

function stepTo(key: string): string {
  const shown = key.slice(0, KEY_CHARACTERS);
  return IDENTIFIER.test(shown) ? `.${shown}` : `[${JSON.stringify(shown)}]`;
}

/** The first characters of a string in a JSON text. */
function headOf(
  bytes: Uint8Array,
  { start, end }: { start: number; end: number },
  most: number,
): { text: string; shown: number; isWhole: boolean } {
  let at = start;
  let shown = 0;
  while (at < end && shown < most) {
    const byte = bytes[at] ?? 0;
    if (byte === 0x5c) at += bytes[at + 1] === 0x75 ? 6 : 2;
    else at += byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    shown++;
  }
  const stop = Math.min(at, end);
  const text = JSON.parse(`"${Buffer.from(bytes.buffer, bytes.byteOffset + start, stop - start).toString('utf8')}"`) as string;
  return { text: text.toWellFormed(), shown, isWhole: stop >= end };
}
