import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Delta } from '../../src/component/delta.ts';
import { createImage, restoreImage, switchImage } from '../../src/component/image.ts';

const PAGE = 65_536;
const CHUNK = 16_384;

/** A base with content in some chunks and zeros in others. */
function baseOf(pages: number): Uint8Array {
  const base = new Uint8Array(pages * PAGE);
  for (let at = 0; at < base.length; at += 3 * CHUNK) base.fill((at / CHUNK) % 250 || 1, at, at + 900);
  return base;
}

function expectedMemory(base: Uint8Array, delta: Delta | null, length: number): Uint8Array {
  const memory = new Uint8Array(length);
  memory.set(base);
  for (const { offset, bytes } of delta?.blocks ?? []) memory.set(bytes, offset);
  return memory;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const delta: Delta = {
  pages: 3,
  blocks: [
    { offset: 100, bytes: Uint8Array.of(1, 2, 3) },
    { offset: CHUNK - 2, bytes: new Uint8Array(5).fill(8) },
    { offset: PAGE + 5, bytes: new Uint8Array(3 * CHUNK).fill(9) },
    { offset: 3 * PAGE - 1, bytes: Uint8Array.of(4) },
  ],
};

test.each([
  ['the engine alone', null],
  ['a program that grew memory', delta],
])('puts a memory full of rubbish back to %s', (_, overlay) => {
  const base = baseOf(2);
  const memory = new Uint8Array(5 * PAGE).fill(0xaa);
  const written = restoreImage(memory, createImage(base, overlay));
  expect(written).toBe(memory.length);
  expect(same(memory, expectedMemory(base, overlay, memory.length))).toBe(true);
});

test('writes nothing into a memory that is the image already', () => {
  const memory = expectedMemory(baseOf(2), delta, 4 * PAGE);
  expect(restoreImage(memory, createImage(baseOf(2), delta))).toBe(0);
});

test('writes what runs change without looking for a while, and everything is right whatever changes', () => {
  const image = createImage(baseOf(2), delta);
  const wanted = expectedMemory(baseOf(2), delta, 3 * PAGE);
  const memory = Uint8Array.from(wanted);
  const written = Array.from({ length: 130 }, (_, run) => {
    if (run < 64) memory[CHUNK * (run % 3)] = 0xee;
    const bytes = restoreImage(memory, image);
    expect(same(memory, wanted)).toBe(true);
    return bytes / CHUNK;
  });
  expect(written.slice(0, 4)).toEqual([1, 2, 3, 3]);
  expect([written[63], written[64], written[129]]).toEqual([3, 0, 0]);
});

test('what changed in a run that changed more than a mebibyte is not copied after the runs that follow', () => {
  const image = createImage(baseOf(20), null);
  const memory = expectedMemory(baseOf(20), null, 20 * PAGE);
  memory.fill(9, 0, 17 * PAGE);
  expect(restoreImage(memory, image)).toBe(17 * PAGE);
  expect(restoreImage(memory, image)).toBe(0);
  memory.fill(9, 0, 15 * PAGE);
  expect([restoreImage(memory, image), restoreImage(memory, image)]).toEqual([15 * PAGE, 15 * PAGE]);
  expect(same(memory, expectedMemory(baseOf(20), null, 20 * PAGE))).toBe(true);
});

test.each([
  ['the engine to a program', null, delta],
  ['a program to the engine', delta, null],
  ['a program to another', delta, { pages: 4, blocks: [{ offset: 3 * PAGE + 5, bytes: Uint8Array.of(1, 2, 3) }] }],
  ['a program to itself', delta, delta],
] as const)('switches from %s without looking at memory', (_what, from, to) => {
  const base = baseOf(2);
  const memory = new Uint8Array(5 * PAGE);
  const first = createImage(base, from);
  restoreImage(memory, first);
  switchImage(memory, first, createImage(base, to));
  expect(same(memory, expectedMemory(baseOf(2), to, 5 * PAGE))).toBe(true);
});

test('switching a memory that is shorter than an image is refused', () => {
  const [first, second] = [createImage(baseOf(2), null), createImage(baseOf(2), delta)];
  expect(() => switchImage(new Uint8Array(2 * PAGE), first, second)).toThrow(RangeError);
  expect(() => switchImage(new Uint8Array(0), first, first)).toThrow('detached');
});

test('writes only the chunk in which a byte differs', () => {
  const image = createImage(baseOf(2), delta);
  const memory = expectedMemory(baseOf(2), delta, 3 * PAGE);
  memory[PAGE + 77] = 0;
  expect(restoreImage(memory, image)).toBe(CHUNK);
  expect(same(memory, expectedMemory(baseOf(2), delta, 3 * PAGE))).toBe(true);
});

test('looks beyond the image only as far as the run before could reach', () => {
  const memory = expectedMemory(baseOf(2), null, 8 * PAGE);
  memory[4 * PAGE - 1] = 1;
  memory[6 * PAGE] = 1;
  expect(restoreImage(memory, createImage(baseOf(2), null), 4)).toBe(CHUNK);
  expect([memory[4 * PAGE - 1], memory[6 * PAGE]]).toEqual([0, 1]);
});

test('restores the whole image when the run before used fewer pages than it has', () => {
  const memory = new Uint8Array(3 * PAGE);
  restoreImage(memory, createImage(baseOf(2), delta), 1);
  expect(same(memory, expectedMemory(baseOf(2), delta, 3 * PAGE))).toBe(true);
});

test('two images of one engine do not mix, and the base stays as it is', () => {
  const base = baseOf(2);
  const first = createImage(base, delta);
  const second = createImage(base, { pages: 2, blocks: [{ offset: 0, bytes: Uint8Array.of(255) }] });
  const memory = new Uint8Array(3 * PAGE);
  restoreImage(memory, first);
  restoreImage(memory, second);
  expect(memory[0]).toBe(255);
  expect(memory[PAGE + 5]).toBe(baseOf(2)[PAGE + 5]);
  expect(same(base, baseOf(2))).toBe(true);
});

test('a block that is changed later does not change the image', () => {
  const bytes = Uint8Array.of(42);
  const image = createImage(baseOf(1), { pages: 1, blocks: [{ offset: 7, bytes }] });
  bytes[0] = 0;
  const memory = new Uint8Array(PAGE);
  restoreImage(memory, image);
  expect(memory[7]).toBe(42);
});

test('works on a shared memory', () => {
  const memory = new Uint8Array(new WebAssembly.Memory({ initial: 3, maximum: 3, shared: true }).buffer).fill(1);
  restoreImage(memory, createImage(baseOf(2), delta));
  expect(same(memory.slice(), expectedMemory(baseOf(2), delta, 3 * PAGE))).toBe(true);
});

test('a memory that growth detached is refused instead of silently left as it is', () => {
  const memory = new WebAssembly.Memory({ initial: 2 });
  const view = new Uint8Array(memory.buffer);
  memory.grow(1);
  expect(() => restoreImage(view, createImage(baseOf(2), null))).toThrow(/memory is 0 bytes/);
  expect(() => restoreImage(new Uint8Array(PAGE), createImage(baseOf(2), null))).toThrow(RangeError);
});

test.each([Number.NaN, -1])('refuses %s as the number of used pages', (used) => {
  expect(() => restoreImage(new Uint8Array(PAGE), createImage(baseOf(1), null), used)).toThrow(/usedPages/);
});

test.each([
  ['fewer pages than the base', { pages: 1, blocks: [] }],
  ['a block outside of memory', { pages: 2, blocks: [{ offset: 2 * PAGE - 1, bytes: new Uint8Array(2) }] }],
  [
    'blocks out of order',
    {
      pages: 2,
      blocks: [
        { offset: 9, bytes: new Uint8Array(2) },
        { offset: 10, bytes: new Uint8Array(2) },
      ],
    },
  ],
])('refuses a delta with %s', (_, bad) => {
  expect(() => createImage(baseOf(2), bad)).toThrow(RangeError);
});

test('refuses a base that is empty or not a whole number of pages', () => {
  expect(() => createImage(new Uint8Array(0), null)).toThrow(RangeError);
  expect(() => createImage(new Uint8Array(PAGE + 1), null)).toThrow(RangeError);
});

test('any delta over any memory gives exactly the base with the delta over it', () => {
  const base = baseOf(2);
  const gaps = fc.array(fc.tuple(fc.nat(20_000), fc.integer({ min: 1, max: 20_000 }), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(gaps, fc.uint8Array({ minLength: 1, maxLength: 50 }), (parts, dirt) => {
      let at = 0;
      const blocks = parts.map(([gap, length, value]) => {
        const offset = at + gap;
        at = offset + length;
        return { offset, bytes: new Uint8Array(length).fill(value) };
      });
      const any: Delta = { pages: 6, blocks };
      const memory = new Uint8Array(7 * PAGE);
      for (let i = 0; i < memory.length; i += 4099) memory[i] = dirt[i % dirt.length] ?? 0;
      restoreImage(memory, createImage(base, any));
      expect(same(memory, expectedMemory(base, any, memory.length))).toBe(true);
    }),
    { numRuns: 50 },
  );
});
