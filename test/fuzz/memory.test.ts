import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { appendSegments } from '../../src/component/data-segments.ts';
import type { Delta } from '../../src/component/delta.ts';
import { openDiskCache, type DiskCache } from '../../src/component/disk-cache.ts';
import { createImage, restoreImage, switchImage } from '../../src/component/image.ts';
import { decodeProgram, encodeProgram } from '../../src/component/program-file.ts';
import { takeDelta } from '../../src/component/take-delta.ts';
import { property } from './property.ts';

const PAGE = 65_536;
const KEY = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);

/** Writes into memory: place, length and byte. */
const writes = fc.array(
  fc.tuple(
    fc.oneof(
      fc.nat(3 * PAGE),
      fc.nat(12).map((chunk) => chunk * 16_384),
      fc.nat(48).map((n) => n * 4_096 - 1),
    ),
    fc.oneof(fc.nat(9), fc.nat(20_000)),
    fc.nat(255),
  ),
  { maxLength: 12 },
);
type Writes = readonly (readonly [number, number, number])[];

function written(pages: number, list: Writes, begin?: Uint8Array): Uint8Array {
  const memory = new Uint8Array(pages * PAGE);
  if (begin) memory.set(begin.subarray(0, memory.length));
  for (const [at, length, byte] of list) if (at >= 0) memory.fill(byte, Math.min(at, memory.length), Math.min(at + length, memory.length));
  return memory;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const memories = fc.record({
  engine: writes,
  program: writes,
  other: writes,
  dirt: writes,
  basePages: fc.integer({ min: 1, max: 2 }),
  grown: fc.nat(2),
  otherGrown: fc.nat(2),
  more: fc.nat(1),
});

property(
  'a program comes back from its delta, its file and its image byte for byte, whatever was there before',
  60,
  memories,
  ({ engine, program, other, dirt, basePages, grown, otherGrown, more }) => {
    const base = written(basePages, engine);
    const live = written(basePages + grown, program, base);
    const elsewhere = written(basePages + otherGrown, other, base);
    const decoded = decodeProgram(encodeProgram(KEY, takeDelta(live, base, basePages + grown)), KEY);
    const image = createImage(base, decoded);
    const otherImage = createImage(base, takeDelta(elsewhere, base, basePages + otherGrown));
    const size = Math.max(live.length, elsewhere.length) + more * PAGE;
    const memory = written(size / PAGE, dirt);
    const expected = written(size / PAGE, [], live);
    for (let turn = 0; turn < 3; turn++) {
      restoreImage(memory, image);
      expect(isSame(memory, expected)).toBe(true);
      switchImage(memory, image, otherImage);
      expect(isSame(memory, written(size / PAGE, [], elsewhere))).toBe(true);
      for (const [at, length, byte] of dirt) memory.fill(byte, Math.max(0, at), Math.max(0, at) + length);
    }
  },
);

property(
  'the data segments of a delta put the same bytes where they were',
  60,
  fc.tuple(writes, writes, fc.integer({ min: 1, max: 9 })),
  ([engine, program, limit]) => {
    const base = written(1, engine);
    const live = written(2, program, base);
    const delta = takeDelta(live, base, 2);
    const before = appendSegments(Uint8Array.of(0), takeDelta(written(2, [], base), new Uint8Array(PAGE), 2));
    const { body } = appendSegments(Buffer.concat(before.body), delta, before.count + limit);
    expect(isSame(memoryOf(Buffer.concat(body)), live)).toBe(true);
  },
);

/** What V8 makes of a data section in a memory of two pages. */
function memoryOf(data: Uint8Array): Uint8Array {
  const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
  const bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 2, 7, 5, 1, 1, 0x6d, 2, 0, 11, ...leb(data.length)];
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.concat([Buffer.from(bytes), data])));
  return new Uint8Array((exports['m'] as WebAssembly.Memory).buffer);
}

type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'extend'; readonly bytes: Uint8Array }
  | { readonly kind: 'word'; readonly at: number; readonly value: number }
  | { readonly kind: 'swap'; readonly from: number; readonly to: number; readonly length: number }
  | { readonly kind: 'replace' }
  | { readonly kind: 'empty' };

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(4_000), bit: fc.nat(7) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(4_000) }),
  fc.record({ kind: fc.constant('extend' as const), bytes: fc.uint8Array({ minLength: 1, maxLength: 50 }) }),
  fc.record({ kind: fc.constant('word' as const), at: fc.nat(80), value: fc.nat(2 ** 32 - 1) }),
  fc.record({ kind: fc.constant('swap' as const), from: fc.nat(4_000), to: fc.nat(4_000), length: fc.nat(64) }),
  fc.constant({ kind: 'replace' as const }),
  fc.constant({ kind: 'empty' as const }),
);

function damaged(file: Uint8Array, other: Uint8Array, list: readonly Damage[]): Buffer {
  let bytes = Buffer.from(file);
  for (const one of list) {
    const at = 'at' in one ? one.at % Math.max(1, bytes.length) : 0;
    switch (one.kind) {
      case 'flip':
        bytes[at] = (bytes[at] ?? 0) ^ (1 << one.bit);
        break;
      case 'cut':
        bytes = bytes.subarray(0, at);
        break;
      case 'extend':
        bytes = Buffer.concat([bytes, one.bytes]);
        break;
      case 'word':
        if (one.at + 4 <= bytes.length) bytes.writeUInt32LE(one.value, one.at);
        break;
      case 'swap':
        bytes.copyWithin(
          one.to % Math.max(1, bytes.length),
          one.from % Math.max(1, bytes.length),
          (one.from % Math.max(1, bytes.length)) + one.length,
        );
        break;
      case 'replace':
        bytes = Buffer.from(other);
        break;
      case 'empty':
        bytes = Buffer.alloc(0);
        break;
    }
  }
  return bytes;
}

const deltas: fc.Arbitrary<Delta> = fc
  .array(fc.tuple(fc.nat(3_000), fc.uint8Array({ minLength: 1, maxLength: 300 })), { maxLength: 8 })
  .map((parts) => {
    let at = 0;
    const blocks = parts.map(([gap, bytes]) => {
      const offset = at + gap;
      at = offset + bytes.length;
      return { offset, bytes };
    });
    return { pages: 1, blocks };
  });

property(
  'a damaged program is refused with its code, or is the right one',
  800,
  fc.tuple(deltas, fc.array(damage, { minLength: 1, maxLength: 3 })),
  ([delta, list]) => {
    const file = encodeProgram(KEY, delta);
    const bytes = damaged(file, encodeProgram(OTHER, { pages: 1, blocks: [] }), list);
    try {
      decodeProgram(bytes, KEY);
      expect(isSame(bytes, file)).toBe(true);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'ERR_COMPONENT_DAMAGED' });
    }
  },
);

let folder: string;
let cache: DiskCache;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ampoule-fuzz-cache-'));
  cache = await openDiskCache({ directory: folder, maxBytes: 2 ** 24, log: () => undefined });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

property(
  'a damaged entry of the cache is a miss, or the right program',
  40,
  fc.tuple(deltas, fc.array(damage, { minLength: 1, maxLength: 3 })),
  async ([delta, list]) => {
    const file = encodeProgram(KEY, delta);
    const other = encodeProgram(OTHER, { pages: 1, blocks: [] });
    await cache.put(KEY, file);
    const path = join(folder, KEY.slice(0, 2), `${KEY}.program`);
    await writeFile(path, damaged(await readFile(path), other, list));
    const found = await cache.get(KEY);
    expect(found === undefined || isSame(found, file)).toBe(true);
    await cache.put(KEY, file);
    expect(await cache.get(KEY).then((again) => again !== undefined && isSame(again, file))).toBe(true);
  },
);
