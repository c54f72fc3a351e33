import { expect, test } from 'vitest';
import { appendSegments } from '../../src/component/data-segments.ts';
import type { Delta } from '../../src/component/delta.ts';

const PREAMBLE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const EXPORTED_MEMORY = [5, 3, 1, 0, 2, 7, 5, 1, 1, 0x6d, 2, 0];

/** "engine" at 10, and a passive segment. */
const OWN_SEGMENTS = Uint8Array.of(2, 0, 0x41, 10, 0x0b, 6, ...Buffer.from('engine'), 1, 2, 7, 7);

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)];
}

/** Linear memory after a real engine has taken the data section. */
function memoryWith(parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const module = new WebAssembly.Module(Uint8Array.from([...PREAMBLE, ...EXPORTED_MEMORY, 11, ...leb(body.length), ...body]));
  const memory = new WebAssembly.Instance(module).exports['m'];
  if (!(memory instanceof WebAssembly.Memory)) throw new Error('no memory');
  return Buffer.from(memory.buffer);
}

const delta: Delta = {
  pages: 2,
  blocks: [0, 13, 20, 63, 64, 5000, 5010, 8191, 8192, 70_000, 131_071].map((offset) => ({ offset, bytes: Uint8Array.of(42) })),
};

function expected(): Buffer {
  const memory = Buffer.alloc(2 * 65_536);
  memory.write('engine', 10);
  for (const { offset } of delta.blocks) memory[offset] = 42;
  return memory;
}

test('blocks become segments behind those that are there, at every size of offset', () => {
  const { count, body } = appendSegments(OWN_SEGMENTS, delta);
  expect(count).toBe(2 + delta.blocks.length);
  expect(memoryWith(body).equals(expected())).toBe(true);
});

test.each([13, 12, 10, 7, 5, 4, 3])('never gives more than %i segments, and the memory is the same', (most) => {
  const { count, body } = appendSegments(OWN_SEGMENTS, delta, most);
  expect(count).toBeLessThanOrEqual(most);
  expect(memoryWith(body).equals(expected())).toBe(true);
});

test('more blocks than an engine takes segments are merged', () => {
  const blocks = Array.from({ length: 120_000 }, (_, i) => ({ offset: i + Math.floor(i / 3), bytes: Uint8Array.of(1) }));
  const { count, body } = appendSegments(Uint8Array.of(0), { pages: 3, blocks });
  expect(count).toBeLessThanOrEqual(100_000);
  expect(body.length).toBe(2 + 2 * count);
});

test('refuses a module that has no room for one more segment', () => {
  expect(() => appendSegments(OWN_SEGMENTS, delta, 2)).toThrow(expect.objectContaining({ code: 'ERR_COMPONENT_EXPORT' }));
});
