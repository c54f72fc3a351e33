import type { SourceLocation } from '../errors.ts';

const MAX_SHOWN_LINE = 400;
const FENCE_HEAD = /^\s*(```+|~~~+)[^\n`]*\n/u;
const HASHBANG = /^\s*#![^\n\r\u2028\u2029]*/u;

/** An agent's text as it came, and the same text made parsable without moving anything in it. */
export interface PreparedSource {
  /** Without a byte order mark. Positions that an agent sees count in this. */
  readonly shown: string;
  /** As long as `shown`; a Markdown fence around the whole and a hashbang line are blank. */
  readonly text: string;
}

/** Removes what is around the code: byte order mark, Markdown fence, hashbang line. */
export function prepareSource(code: string): PreparedSource {
  const shown = code.startsWith('\uFEFF') ? code.slice(1) : code;
  const fenced = insideFence(shown);
  const text =
    fenced === undefined
      ? shown
      : blank(shown.slice(0, fenced.start)) + shown.slice(fenced.start, fenced.end) + blank(shown.slice(fenced.end));
  const hashbang = HASHBANG.exec(text)?.[0];
  return { shown, text: hashbang === undefined ? text : blank(hashbang) + text.slice(hashbang.length) };
}

function insideFence(text: string): { start: number; end: number } | undefined {
  const head = FENCE_HEAD.exec(text);
  if (head === null) return undefined;
  const trimmed = text.trimEnd();
  const end = trimmed.lastIndexOf('\n') + 1;
  const start = head[0].length;
  return trimmed.slice(end).trim() === head[1] && end >= start ? { start, end } : undefined;
}

/** Spaces for every character that is not a line end. */
export function blank(text: string): string {
  return text.replaceAll(/[^\n\r\u2028\u2029]/gu, (character) => ' '.repeat(character.length));
}

/** Offsets of line starts. `script` counts U+2028 and U+2029 as JavaScript does; `editor` does not, as people do not. */
export class LineTable {
  readonly #starts: number[] = [0];
  readonly #text: string;

  constructor(text: string, lineEnds: 'script' | 'editor') {
    this.#text = text;
    const ends = lineEnds === 'script' ? /\r\n|[\n\r\u2028\u2029]/gu : /\r\n|[\n\r]/gu;
    for (const match of text.matchAll(ends)) this.#starts.push(match.index + match[0].length);
  }

  /** The offset of a 1-based line and a 0-based UTF-16 column, within the text. */
  offsetAt(line: number, column: number): number {
    const start = this.#starts[line - 1] ?? this.#text.length;
    return Math.min(start + column, this.#text.length);
  }

  /** As {@link offsetAt}, with the column counted in UTF-8 bytes, as esbuild's messages do. */
  offsetAtBytes(line: number, byteColumn: number): number {
    let offset = this.offsetAt(line, 0);
    for (let bytes = 0; bytes < byteColumn && offset < this.#text.length;) {
      const codePoint = this.#text.codePointAt(offset) ?? 0;
      bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x1_00_00 ? 3 : 4;
      offset += codePoint < 0x1_00_00 ? 1 : 2;
    }
    return offset;
  }

  /** The 1-based line and 1-based column of an offset. */
  placeAt(offset: number): { line: number; column: number } {
    const line = this.#lineAt(offset);
    return { line, column: offset - (this.#starts[line - 1] ?? 0) + 1 };
  }

  /** The position of an offset as it is shown to people. A very long line is cut to the part around the column. */
  locationAt(offset: number): SourceLocation {
    const at = Math.max(0, Math.min(offset, this.#text.length));
    const line = this.#lineAt(at);
    const start = this.#starts[line - 1] ?? 0;
    const next = this.#starts[line] ?? this.#text.length;
    const column = at - start;
    const from = column > MAX_SHOWN_LINE / 2 && next - start > MAX_SHOWN_LINE ? start + column - MAX_SHOWN_LINE / 2 : start;
    const shown = this.#text.slice(from, Math.min(next, from + MAX_SHOWN_LINE)).replace(/[\r\n]+$/u, '');
    return { line, column: column + 1, source: shown };
  }

  #lineAt(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }
}

/** An agent's text made parsable, and the way from offsets in it to positions as they are shown. */
export function readSource(code: string): { readonly text: string; locationAt(offset: number): SourceLocation } {
  const { shown, text } = prepareSource(code);
  const lines = new LineTable(shown, 'editor');
  return { text, locationAt: (offset) => lines.locationAt(offset) };
}
