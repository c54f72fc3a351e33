import { leb, readLeb, rewriteSections, signedLeb, unsupported, type Cursor } from './wasm-sections.ts';

/** Sections of a core module that a snapshot replaces (WebAssembly core specification, section 5.5). */
const SECTION = { memory: 5, global: 6, export: 7, start: 8, dataCount: 12, data: 11 } as const;
const PAGE_BYTES = 65_536;
const MUTABLE = 1;
/** A gap of zeros shorter than this is cheaper inside a segment than the header of a new one. */
const MERGE_GAP_BYTES = 64;

export interface SnapshotOptions {
  /** Exports that were only needed to get to this state. They are removed. */
  readonly spentExports: ReadonlySet<string>;
  /** How many mutable globals the module may have: those that are known to have their first value again whenever no export runs. */
  readonly settledGlobals: number;
}

/**
 * `source` with the state of its instance written into it: memory becomes data segments. Running the result starts where the
 * instance stood. The module must have one memory and active data segments only.
 *
 * @throws SandboxError ERR_ENGINE_BUILD when the module has another form.
 */
export function snapshotModule(source: Uint8Array, memory: Uint8Array, options: SnapshotOptions): Uint8Array {
  const segments = dataSegments(memory);
  return rewriteSections(source, ({ id, body }) => replaceSection(id, body, memory.length / PAGE_BYTES, segments, options));
}

function replaceSection(id: number, body: Uint8Array, pages: number, segments: Segment[], options: SnapshotOptions): Uint8Array {
  switch (id) {
    case SECTION.start:
      throw unsupported('a start function');
    case SECTION.memory:
      if (body[0] !== 1 || body[1] !== 0) throw unsupported('a memory that is not one, unshared and without a maximum');
      return Uint8Array.of(1, 0, ...leb(pages));
    case SECTION.global:
      if (countMutable(body) > options.settledGlobals) throw unsupported('a mutable global that the snapshot does not know');
      return body;
    case SECTION.export:
      return withoutExports(body, options.spentExports);
    case SECTION.dataCount:
      return Uint8Array.from(leb(segments.length));
    case SECTION.data:
      return encodeSegments(segments);
    default:
      return body;
  }
}

/** Globals whose value is a constant; each is a type, whether it can change, and `i32.const value; end`. */
function countMutable(body: Uint8Array): number {
  const cursor = { bytes: body, at: 0 };
  let mutable = 0;
  for (let left = readLeb(cursor); left > 0; left--) {
    if (body[cursor.at + 1] === MUTABLE) mutable++;
    if (body[cursor.at + 2] !== I32_CONST) throw unsupported('a global that is not a number of 32 bits');
    cursor.at += 3;
    readLeb(cursor);
    if (body[cursor.at++] !== END) throw unsupported('a global that is not a constant');
  }
  return mutable;
}

const I32_CONST = 0x41;
const END = 0x0b;

interface Segment {
  offset: number;
  bytes: Uint8Array;
}

function dataSegments(memory: Uint8Array): Segment[] {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / 8);
  const segments: Segment[] = [];
  let start = -1;
  let end = -1;
  for (let word = 0; word < words.length; word++) {
    if (words[word] === 0n) continue;
    const at = word * 8;
    if (start >= 0 && at - end > MERGE_GAP_BYTES) {
      segments.push({ offset: start, bytes: memory.subarray(start, end) });
      start = at;
    } else if (start < 0) start = at;
    end = at + 8;
  }
  if (start >= 0) segments.push({ offset: start, bytes: memory.subarray(start, end) });
  return segments;
}

function encodeSegments(segments: readonly Segment[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from(leb(segments.length))];
  // An active segment of memory 0: flag 0, `i32.const offset; end`, then the bytes.
  for (const { offset, bytes } of segments) {
    parts.push(Uint8Array.of(0, I32_CONST, ...signedLeb(offset), END, ...leb(bytes.length)), bytes);
  }
  return Buffer.concat(parts);
}

function withoutExports(body: Uint8Array, spent: ReadonlySet<string>): Uint8Array {
  const cursor: Cursor = { bytes: body, at: 0 };
  const kept: Uint8Array[] = [];
  for (let left = readLeb(cursor); left > 0; left--) {
    const start = cursor.at;
    const length = readLeb(cursor);
    const name = Buffer.from(body.subarray(cursor.at, cursor.at + length)).toString('utf8');
    cursor.at += length + 1;
    readLeb(cursor);
    if (!spent.has(name)) kept.push(body.subarray(start, cursor.at));
  }
  return Buffer.concat([Uint8Array.from(leb(kept.length)), ...kept]);
}
