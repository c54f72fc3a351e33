import { SandboxError } from '../../errors.ts';

/** Sections of a core module that a snapshot replaces (WebAssembly core specification, section 5.5). */
const SECTION = { memory: 5, global: 6, export: 7, start: 8, dataCount: 12, data: 11 } as const;
const PAGE_BYTES = 65_536;
/** A gap of zeros shorter than this is cheaper inside a segment than the header of a new one. */
const MERGE_GAP_BYTES = 64;

/**
 * `source` with the state of its instance written into it: memory becomes data segments, and the exports that were only
 * needed to get there are removed. Running the result starts where the instance stood.
 *
 * The module must have one memory, active data segments only, and no mutable global other than the stack pointer, which has
 * its first value again whenever no export is running.
 *
 * @throws SandboxError ERR_ENGINE_BUILD when the module has another form.
 */
export function snapshotModule(source: Uint8Array, memory: Uint8Array, spentExports: ReadonlySet<string>): Uint8Array {
  const segments = dataSegments(memory);
  const parts: Uint8Array[] = [source.subarray(0, 8)];
  for (const { id, body } of sections(source)) {
    const replaced = replaceSection(id, body, memory.length / PAGE_BYTES, segments, spentExports);
    parts.push(Uint8Array.of(id, ...leb(replaced.length)), replaced);
  }
  return Buffer.concat(parts);
}

function replaceSection(id: number, body: Uint8Array, pages: number, segments: Segment[], spent: ReadonlySet<string>): Uint8Array {
  switch (id) {
    case SECTION.start:
      throw unsupported('a start function');
    case SECTION.memory:
      if (body[0] !== 1 || body[1] !== 0) throw unsupported('a memory that is not one, unshared and without a maximum');
      return Uint8Array.of(1, 0, ...leb(pages));
    case SECTION.global:
      if (body[0] !== 1) throw unsupported('more than one global');
      return body;
    case SECTION.export:
      return withoutExports(body, spent);
    case SECTION.dataCount:
      return Uint8Array.from(leb(segments.length));
    case SECTION.data:
      return encodeSegments(segments);
    default:
      return body;
  }
}

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
    parts.push(Uint8Array.of(0, 0x41, ...signedLeb(offset), 0x0b, ...leb(bytes.length)), bytes);
  }
  return Buffer.concat(parts);
}

function withoutExports(body: Uint8Array, spent: ReadonlySet<string>): Uint8Array {
  const reader = { bytes: body, at: 0 };
  const kept: Uint8Array[] = [];
  for (let left = readLeb(reader); left > 0; left--) {
    const start = reader.at;
    const length = readLeb(reader);
    const name = Buffer.from(body.subarray(reader.at, reader.at + length)).toString('utf8');
    reader.at += length + 1;
    readLeb(reader);
    if (!spent.has(name)) kept.push(body.subarray(start, reader.at));
  }
  return Buffer.concat([Uint8Array.from(leb(kept.length)), ...kept]);
}

function* sections(source: Uint8Array): Generator<{ id: number; body: Uint8Array }> {
  const reader = { bytes: source, at: 8 };
  while (reader.at < source.length) {
    const id = source[reader.at++] ?? 0;
    const length = readLeb(reader);
    yield { id, body: source.subarray(reader.at, reader.at + length) };
    reader.at += length;
  }
}

function readLeb(reader: { bytes: Uint8Array; at: number }): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw unsupported('a truncated section');
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
  return bytes;
}

function signedLeb(value: number): number[] {
  const bytes = leb(value);
  const last = bytes.at(-1) ?? 0;
  // The sixth bit of the last byte is the sign: a positive number that sets it needs one byte more.
  if (last & 0x40) bytes.splice(-1, 1, last | 0x80, 0);
  return bytes;
}

function unsupported(what: string): SandboxError {
  return new SandboxError('ERR_ENGINE_BUILD', `The engine module has ${what}, which a snapshot cannot keep.`);
}
