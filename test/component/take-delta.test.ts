import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createImage, restoreImage, type Image } from '../../src/component/image.ts';
import { takeDelta, takeRunDelta } from '../../src/component/take-delta.ts';

const PAGE = 65_536;

function pagesOf(count: number, bytes: Record<number, number> = {}): Uint8Array {
  const memory = new Uint8Array(count * PAGE);
  for (const [offset, value] of Object.entries(bytes)) memory[Number(offset)] = value;
  return memory;
}

/** The other way round, written as plainly as possible. */
function applyDelta(image: Uint8Array, delta: ReturnType<typeof takeDelta>): Uint8Array {
  const memory = new Uint8Array(delta.pages * PAGE);
  memory.set(image);
  for (const { offset, bytes } of delta.blocks) memory.set(bytes, offset);
  return memory;
}

test('a memory that equals its image has no blocks', () => {
  const image = pagesOf(2, { 5: 1, 70_000: 9 });
  expect(takeDelta(image.slice(), image, 2)).toEqual({ pages: 2, blocks: [] });
});

test('one changed byte costs one granule of 256 bytes', () => {
  const { blocks } = takeDelta(pagesOf(1, { 1000: 7 }), pagesOf(1), 1);
  expect(blocks.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([[768, 256]]);
  expect(blocks[0]?.bytes[1000 - 768]).toBe(7);
});

test('granules next to each other become one block, also across the chunks that are compared', () => {
  const live = pagesOf(1).fill(3, 16_000, 17_000);
  const { blocks } = takeDelta(live, pagesOf(1), 1);
  expect(blocks.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([[15_872, 1280]]);
});

test('a byte that became zero is part of the delta', () => {
  const { blocks } = takeDelta(pagesOf(1), pagesOf(1, { 512: 1 }), 1);
  expect(blocks.map(({ offset, bytes }) => [offset, bytes.every((byte) => byte === 0)])).toEqual([[512, true]]);
});

test('beyond the image only what is not zero is part of the delta', () => {
  const { pages, blocks } = takeDelta(pagesOf(3, { [2 * PAGE + 300]: 1 }), pagesOf(1), 3);
  expect(pages).toBe(3);
  expect(blocks.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([[2 * PAGE + 256, 256]]);
});

test('physical memory beyond the virtual size is not looked at', () => {
  expect(takeDelta(pagesOf(4, { [3 * PAGE]: 1 }), pagesOf(1), 3).blocks).toEqual([]);
});

test('blocks are copies, all in one buffer', () => {
  const live = pagesOf(1, { 0: 1, 40_000: 2 });
  const { blocks } = takeDelta(live, pagesOf(1), 1);
  live.fill(0);
  expect(blocks.map(({ bytes }) => bytes.some((byte) => byte !== 0))).toEqual([true, true]);
  expect(new Set(blocks.map(({ bytes }) => bytes.buffer)).size).toBe(1);
});

test('a shared memory works too', () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const live = new Uint8Array(memory.buffer);
  live[PAGE + 1] = 1;
  expect(takeDelta(live, pagesOf(1), 2).blocks.map(({ offset }) => offset)).toEqual([PAGE]);
});

test.each([
  ['a memory detached by growth', new Uint8Array(0), pagesOf(1), 1],
  ['a memory shorter than its pages', pagesOf(1), pagesOf(1), 2],
  ['fewer pages than the image', pagesOf(2), pagesOf(2), 1],
  ['an image that is not a whole number of pages', pagesOf(1), new Uint8Array(100), 1],
  ['half a page', pagesOf(2), pagesOf(1), 1.5],
])('refuses %s', (_, live, image, pages) => {
  expect(() => takeDelta(live, image, pages)).toThrow(RangeError);
});

test('the image with the delta over it is the live memory, whatever was written', () => {
  const writes = fc.array(fc.tuple(fc.nat(3 * PAGE - 1), fc.nat(5000), fc.nat(255)), { maxLength: 20 });
  fc.assert(
    fc.property(writes, writes, (before, after) => {
      const image = pagesOf(2);
      for (const [at, length, value] of before) image.fill(value, at, at + length);
      const live = pagesOf(3);
      live.set(image);
      for (const [at, length, value] of after) live.fill(value, at, at + length);
      expect(Buffer.compare(applyDelta(image, takeDelta(live, image, 3)), live)).toBe(0);
    }),
    { numRuns: 50 },
  );
});

/** A program's image of two pages over an engine's, and a memory at it. */
function programMemory(): { image: Image; memory: Uint8Array } {
  const base = pagesOf(2, { 3: 1, 70_000: 2 }).fill(9, 20_000, 50_000);
  const image = createImage(base, { pages: 3, blocks: [{ offset: 512, bytes: new Uint8Array(256).fill(5) }] });
  const memory = pagesOf(5);
  restoreImage(memory, image);
  return { image, memory };
}

test('a memory at its image has no blocks, whichever chunks are shared with the engine', () => {
  const { image, memory } = programMemory();
  expect(takeRunDelta(memory, image, 3)).toEqual({ pages: 3, blocks: [] });
});

test('whatever a run changes in memory, the delta against its program brings it back', () => {
  const writes = fc.array(fc.tuple(fc.nat(5 * PAGE - 1), fc.nat(255)), { maxLength: 60 });
  fc.assert(
    fc.property(writes, fc.integer({ min: 3, max: 5 }), (written, pages) => {
      const { image, memory } = programMemory();
      const fresh = memory.slice();
      for (const [offset, value] of written) if (offset < pages * PAGE) memory[offset] = value;
      const delta = takeRunDelta(memory, image, pages);
      for (const { offset, bytes } of delta.blocks) fresh.set(bytes, offset);
      expect(Buffer.compare(fresh, memory)).toBe(0);
      expect(delta.blocks.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(written.length * 256);
    }),
    { numRuns: 60 },
  );
});

test('a size that is none is refused', () => {
  const { image, memory } = programMemory();
  for (const pages of [2, 6, 3.5, Number.NaN]) expect(() => takeRunDelta(memory, image, pages)).toThrow(RangeError);
});
