/** Reads at most so many bytes from a place. */
export type ReadAt = (at: number, length: number) => Uint8Array;

/** Where parts of a kept result are, in bytes. */
export interface Part {
  readonly start: number;
  readonly end: number;
  readonly shown: number;
}

export interface PartRequest {
  readonly offset: number;
  readonly limit: number;
  readonly maxBytes: number;
}

type Marks = readonly (readonly [number: number, at: number])[];

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 10;
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;

/** Says of each byte in turn whether a part ends before it ("after" it for a line), or the whole does. */
type Divider = (byte: number) => 'inside' | 'divides' | 'ends';

/** Items of a list of JSON, from the one of `offset` on: as many as there may be. */
export function findItems(readAt: ReadAt, marks: Marks, request: PartRequest): Part {
  return find(readAt, markBefore(marks, request.offset, 1), request, itemDivider(), 0);
}

/** Lines of a text, each with its end. */
export function findLines(readAt: ReadAt, marks: Marks, request: PartRequest): Part {
  return find(readAt, markBefore(marks, request.offset, 0), request, (byte) => (byte === NEWLINE ? 'divides' : 'inside'), 1);
}

/** @param own bytes of the divider that belong to the part before it. */
function find(
  readAt: ReadAt,
  mark: readonly [number, number],
  { offset, limit, maxBytes }: PartRequest,
  divide: Divider,
  own: 0 | 1,
): Part {
  let [number, at] = mark;
  let start = number === offset ? at : -1;
  let end = start;
  for (;;) {
    const chunk = readAt(at, CHUNK_BYTES);
    for (const byte of chunk) {
      const kind = divide(byte);
      if (kind !== 'inside') {
        const stop = at + own;
        if (start >= 0 && stop - start > maxBytes) return { start, end, shown: number - offset };
        if (start >= 0) end = stop;
        number++;
        if (kind === 'ends' || number - offset >= limit) return { start, end, shown: number - offset };
        if (number === offset) start = end = at + 1;
      }
      at++;
    }
    if (start >= 0 && at - start > maxBytes) return { start, end, shown: number - offset };
    if (chunk.length === CHUNK_BYTES) continue;
    // The last line may have no end.
    if (start < 0 || at === end) return { start, end, shown: Math.max(0, number - offset) };
    return { start, end: at, shown: number + 1 - offset };
  }
}

function markBefore(marks: Marks, offset: number, first: number): readonly [number, number] {
  let found: readonly [number, number] = [0, first];
  for (const mark of marks) {
    if (mark[0] > offset) break;
    found = mark;
  }
  return found;
}

function itemDivider(): Divider {
  let depth = 0;
  let inString = false;
  let escaped = false;
  return (byte) => {
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) inString = false;
      return 'inside';
    }
    if (byte === QUOTE) inString = true;
    else if (byte === COMMA) return depth === 0 ? 'divides' : 'inside';
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) return depth-- === 0 ? 'ends' : 'inside';
    return 'inside';
  };
}
