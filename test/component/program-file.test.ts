import * as fc from 'fast-check';
import { hash } from 'blake3';
import { expect, test } from 'vitest';
import type { Delta } from '../../src/component/delta.ts';
import { decodeProgram, encodeProgram } from '../../src/component/program-file.ts';

const KEY = '0123456789abcdef'.repeat(4);
const OTHER_KEY = 'f'.repeat(64);

const delta: Delta = {
  pages: 2,
  blocks: [
    { offset: 0, bytes: Uint8Array.of(1, 2, 3) },
    { offset: 65_536, bytes: Uint8Array.of(4) },
  ],
};

const damaged = expect.objectContaining({ code: 'ERR_COMPONENT_DAMAGED' });

/** Changes a 32-bit number of a program file and makes its checksum right again. */
function forge(at: number, value: number): Uint8Array {
  const file = Buffer.from(encodeProgram(KEY, delta));
  file.writeUInt32LE(value, at);
  file.set(Buffer.from(hash(file.subarray(0, -32))), file.length - 32);
  return file;
}

const anyDelta = fc
  .array(fc.tuple(fc.nat(3000), fc.uint8Array({ minLength: 1, maxLength: 300 })), { maxLength: 12 })
  .map((parts): Delta => {
    let at = 0;
    const blocks = parts.map(([gap, bytes]) => {
      const offset = at + gap;
      at = offset + bytes.length;
      return { offset, bytes };
    });
    return { pages: 1, blocks };
  });

test('a program comes back as it was', () => {
  fc.assert(
    fc.property(anyDelta, (any) => {
      const back = decodeProgram(encodeProgram(KEY, any), KEY);
      expect({ ...back, blocks: back.blocks.map(({ offset, bytes }) => ({ offset, bytes: Uint8Array.from(bytes) })) }).toEqual(any);
    }),
  );
});

test('the same program gives the same bytes, which are pinned', () => {
  expect(Buffer.from(encodeProgram(KEY, delta)).toString('hex')).toBe(
    '414d504f554c4500' +
      '01000000' +
      KEY +
      '02000000' +
      '02000000' +
      '0000000003000000' +
      '0000010001000000' +
      '01020304' +
      '5beb3bf4aea5f5ab17349244417101840be69022be8019c717357a1d95b80588',
  );
});

test('every flipped bit is refused', () => {
  const file = encodeProgram(KEY, delta);
  for (let bit = 0; bit < file.length * 8; bit++) {
    const flipped = Uint8Array.from(file);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => decodeProgram(flipped, KEY), `bit ${bit}`).toThrow(damaged);
  }
});

test('every truncation is refused', () => {
  const file = encodeProgram(KEY, delta);
  for (let length = 0; length < file.length; length++) expect(() => decodeProgram(file.subarray(0, length), KEY)).toThrow(damaged);
});

test('bytes behind the end, before the beginning or in the middle are refused', () => {
  const file = Buffer.from(encodeProgram(KEY, delta));
  fc.assert(
    fc.property(fc.nat(file.length), fc.uint8Array({ minLength: 1, maxLength: 100 }), (at, extra) => {
      expect(() => decodeProgram(Buffer.concat([file.subarray(0, at), extra, file.subarray(at)]), KEY)).toThrow(damaged);
    }),
  );
});

test('rubbish is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      expect(() => decodeProgram(bytes, KEY)).toThrow(damaged);
    }),
  );
});

test("another program's entry is refused, whole as it is", () => {
  expect(() => decodeProgram(encodeProgram(OTHER_KEY, delta), KEY)).toThrow(/another key/);
});

// Offsets: version 8, pages 44, number of blocks 48, then offset and length of each block from 52.
test.each([
  ['another format version', 8, 2, /format version is 2/],
  ['no pages', 44, 0, /0 pages/],
  ['more pages than a guest can have', 44, 4097, /4097 pages/],
  ['fewer pages than its blocks need', 44, 1, /outside of memory/],
  ['more blocks than the file can hold', 48, 0xffff_ffff, /longer than the file/],
  ['fewer blocks than it has', 48, 1, /bytes long/],
  ['an empty block', 56, 0, /empty/],
  ['a block longer than the file', 64, 30_000, /bytes long/],
  ['a block longer than memory', 64, 0xffff_ffff, /outside of memory/],
  ['a block before the one before it', 60, 2, /overlap/],
])('a file with a right checksum but with %s is refused', (_, at, value, reason) => {
  const file = forge(at, value);
  expect(() => decodeProgram(file, KEY)).toThrow(damaged);
  expect(() => decodeProgram(file, KEY)).toThrow(reason);
});

test('a program of the largest memory is taken', () => {
  const largest: Delta = { pages: 4096, blocks: [{ offset: 4096 * 65_536 - 1, bytes: Uint8Array.of(1) }] };
  expect(decodeProgram(encodeProgram(KEY, largest), KEY).blocks[0]?.offset).toBe(4096 * 65_536 - 1);
});

test('a delta that could not be decoded is not encoded', () => {
  expect(() => encodeProgram(KEY, { pages: 4097, blocks: [] })).toThrow(RangeError);
  expect(() => encodeProgram(KEY, { pages: 1, blocks: [{ offset: 65_536, bytes: Uint8Array.of(1) }] })).toThrow(RangeError);
  expect(() => encodeProgram('ABC', delta)).toThrow(TypeError);
});
