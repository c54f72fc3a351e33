import { SandboxError } from '../../errors.ts';

/** What every core module and component begins with: magic, version and layer. */
const PREAMBLE_BYTES = 8;

/** One section of a core module or component. */
export interface WasmSection {
  readonly id: number;
  /** What follows the id and the length. */
  readonly body: Uint8Array;
}

/** A position in a binary. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** The sections of a core module or component, in order. @throws SandboxError ERR_ENGINE_BUILD */
export function* readSections(binary: Uint8Array): Generator<WasmSection> {
  const cursor = { bytes: binary, at: PREAMBLE_BYTES };
  while (cursor.at < binary.length) {
    const id = binary[cursor.at++] ?? 0;
    const length = readLeb(cursor);
    yield { id, body: binary.subarray(cursor.at, cursor.at + length) };
    cursor.at += length;
  }
}

/** The binary with each section's body replaced by what `rewrite` makes of it. */
export function rewriteSections(binary: Uint8Array, rewrite: (section: WasmSection) => Uint8Array): Uint8Array {
  const parts = [binary.subarray(0, PREAMBLE_BYTES)];
  for (const section of readSections(binary)) {
    const body = rewrite(section);
    parts.push(Uint8Array.of(section.id, ...leb(body.length)), body);
  }
  return Buffer.concat(parts);
}

/** Unsigned LEB128. */
export function readLeb(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw unsupported('a truncated section');
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
}

/** Unsigned LEB128, in the shortest form. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
  return bytes;
}

/** Signed LEB128 of a number that is not negative. */
export function signedLeb(value: number): number[] {
  const bytes = leb(value);
  const last = bytes.at(-1) ?? 0;
  // The sixth bit of the last byte is the sign: a positive number that sets it needs one byte more.
  if (last & 0x40) bytes.splice(-1, 1, last | 0x80, 0);
  return bytes;
}

export function unsupported(what: string): SandboxError {
  return new SandboxError('ERR_ENGINE_BUILD', `The engine module has ${what}, which the build cannot deal with.`);
}
