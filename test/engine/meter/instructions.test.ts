import { expect, test } from 'vitest';
import { SandboxError } from '../../../src/errors.ts';
import { readSubOpcode, skipImmediates } from '../../../src/engine/meter/instructions.ts';
import { Reader } from '../../../src/engine/meter/reader.ts';
import { buildModule, u } from './wasm-builder.ts';
import type { Bytes } from './wasm-builder.ts';

/** How many bytes the meter takes for the instruction at the start of `bytes`; undefined: it refuses it. */
function lengthOf(bytes: Bytes): number | undefined {
  const reader = new Reader(Uint8Array.from(bytes), { module: 'm', functionIndex: 0 });
  const opcode = reader.byte();
  try {
    skipImmediates(reader, opcode, readSubOpcode(reader, opcode));
    return reader.position;
  } catch (thrown) {
    if (thrown instanceof SandboxError) return undefined;
    throw thrown;
  }
}

/** Whether the engine takes the instruction after `unreachable`, where operands of any type are at hand. */
function isValid(instruction: Bytes): boolean {
  const code = [0x00, ...instruction, 0x00];
  const bytes = buildModule({
    functions: [{ code, locals: [0x7f] }],
    tables: [[0x70, 0, 1]],
    memories: [[0, 1]],
    globals: [[0x7f, 1, 0x41, 0, 0x0b]],
    elements: [[1, 0, 1, 0]],
    data: [[1, 0]],
  });
  return WebAssembly.validate(Buffer.from(bytes));
}

/** `prefix` and as many zero bytes as the meter takes for it. */
function complete(prefix: Bytes): Bytes | undefined {
  const length = lengthOf([...prefix, ...Array.from({ length: 20 }, () => 0)]);
  if (length === undefined) return undefined;
  return Array.from({ length }, (_, index) => prefix[index] ?? 0);
}

/** Whether some number of zero bytes makes an instruction of `prefix`. */
function validLengths(prefix: Bytes): number[] {
  const candidates = [0, 1, 2, 3, 16].map((count) => [...prefix, ...Array.from({ length: count }, () => 0)]);
  return candidates.filter(isValid).map((bytes) => bytes.length);
}

/** What is wrong with the meter's idea of the instruction that begins with `prefix`; undefined: nothing. */
function mistake(prefix: Bytes, instruction = complete(prefix)): string | undefined {
  const name = prefix.map((byte) => byte.toString(16)).join(' ');
  if (instruction !== undefined) return isValid(instruction) ? undefined : `${name} is not known to the engine, or longer or shorter`;
  return validLengths(prefix).length === 0 ? undefined : `${name} is known to the engine`;
}

test('knows exactly the vector opcodes that the engine knows, with their lengths', () => {
  const mistakes = Array.from({ length: 0x114 }, (_, sub) => mistake([0xfd, ...u(sub)]));
  expect(mistakes.filter((found) => found !== undefined)).toEqual([]);
});

test('knows the bulk opcodes with their lengths', () => {
  const mistakes = Array.from({ length: 32 }, (_, sub) => mistake([0xfc, ...u(sub)]));
  expect(mistakes.filter((found) => found !== undefined)).toEqual([]);
  expect(lengthOf([0xfc, 17, 0])).toBe(3);
  expect(lengthOf([0xfc, 18, 0, 0, 0])).toBeUndefined();
});

test('knows the plain opcodes with their lengths', () => {
  // Those whose immediates cannot be zeros, and those that open or close a block, are written out.
  const written = new Map<number, Bytes>([
    [0x02, [0x02, 0x40, 0x0b]],
    [0x03, [0x03, 0x40, 0x0b]],
    [0x04, [0x04, 0x40, 0x0b]],
    [0x05, [0x04, 0x40, 0x05, 0x0b]],
    [0x0b, [0x02, 0x40, 0x0b]],
    [0x1c, [0x1c, 1, 0x7f]],
    [0xd0, [0xd0, 0x70]],
  ]);
  const known = Array.from({ length: 256 }, (_, opcode) => opcode).filter((opcode) => opcode < 0xfc && complete([opcode]) !== undefined);
  const all = [...new Set([...known, ...written.keys()])];
  expect(all.map((opcode) => mistake([opcode], written.get(opcode))).filter((found) => found !== undefined)).toEqual([]);
  // 0x00 to 0xd2 without the holes: what WebAssembly 2.0 has.
  expect(all).toHaveLength(183);
});
