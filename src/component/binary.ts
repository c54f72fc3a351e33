import { SandboxError } from '../errors.ts';

/** A section of a core module or of a component: `id`, and where its header and its body are. */
export interface Section {
  readonly id: number;
  readonly header: number;
  readonly start: number;
  readonly end: number;
}

/** What both kinds of binary begin with: magic, version and layer. */
const PREAMBLE_BYTES = 8;

/** The sections of a core module or component, in order. */
export function readSections(binary: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (let header = PREAMBLE_BYTES; header < binary.length;) {
    const size = readU32(binary, header + 1);
    const end = size.next + size.value;
    if (end > binary.length) throw malformed(`a section ends at ${end} of ${binary.length} bytes`);
    sections.push({ id: binary[header] ?? 0, header, start: size.next, end });
    header = end;
  }
  return sections;
}

/** A section with this body, its length in the shortest form. */
export function encodeSection(id: number, body: readonly Uint8Array[]): Uint8Array[] {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.of(id, ...encodeU32(length)), ...body];
}

/** An unsigned LEB128 number of at most 32 bits, and the offset behind it. */
export function readU32(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  throw malformed(`there is no number at ${at}`);
}

export function encodeU32(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

/** A signed LEB128 number that is not negative: as unsigned, with one more byte where the sign bit would be set. */
export function encodeS32(value: number): number[] {
  const bytes = encodeU32(value);
  const last = bytes.at(-1) ?? 0;
  if ((last & 0x40) === 0) return bytes;
  return [...bytes.slice(0, -1), last | 0x80, 0];
}

/** The error for an engine component that this stage cannot read or append to. */
export function malformed(reason: string): SandboxError {
  return new SandboxError('ERR_COMPONENT_EXPORT', `The program cannot be appended to the engine component: ${reason}.`, {
    hint: 'Build the engine again and repeat the export.',
  });
}
