import { zstdCompressSync } from 'node:zlib';
import { hash } from 'blake3';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createImage, type Image } from '../../src/component/image.ts';
import { PAGE_BYTES } from '../../src/component/memory-bytes.ts';
import { applyDelta, decodeRunImage, encodeRunImage, type RunContent, type RunGround } from '../../src/component/run-image.ts';
import { SandboxError } from '../../src/errors.ts';

const KEY = 'ab'.repeat(32);
const BOUNDS = { maximumPages: 4, maxHostBytes: 1_000 };
const block = (offset: number, fill: number, length = 256): { offset: number; bytes: Uint8Array } => ({
  offset,
  bytes: new Uint8Array(length).fill(fill),
});

/** An engine's memory of two pages, and a program of three with a block of its own. */
function programImage(fill = 7): Image {
  return createImage(new Uint8Array(2 * PAGE_BYTES).fill(1), { pages: 3, blocks: [block(512, fill)] });
}

const image = programImage();
const ground = { key: KEY, image };
const CONTENT: RunContent = {
  delta: { pages: 4, blocks: [block(0, 3), block(70_000, 9, 512), block(4 * PAGE_BYTES - 256, 5)] },
  host: Buffer.from('{"what":"the host held"}'),
};
const encode = (on: RunGround, content: RunContent): Uint8Array => encodeRunImage(on, content) ?? new Uint8Array();
const encoded = encode(ground, CONTENT);

/** Why the bytes are refused; undefined when they are not. */
function problemOf(bytes: Uint8Array, on = ground, bounds = BOUNDS): string | undefined {
  try {
    decodeRunImage(bytes, on, bounds);
    return undefined;
  } catch (error) {
    if (error instanceof SandboxError && error.code === 'ERR_COMPONENT_DAMAGED') return error.message;
    throw error;
  }
}

/** As an honest encoder would have closed it, with other things in its head, or another body. */
function forged(change: (file: Buffer) => void, body?: Uint8Array): Uint8Array {
  const HEAD = 92;
  const head = Buffer.from(encoded.subarray(0, HEAD));
  const file = Buffer.concat([head, body ? zstdCompressSync(body) : encoded.subarray(HEAD, -32)]);
  change(file);
  return Buffer.concat([file, Buffer.from(hash(file))]);
}

const PAGES_AT = 76;
const COUNT_AT = 80;
const DATA_AT = 84;
const HOST_AT = 88;

test('a run comes back as it was put away', () => {
  const { delta, host } = decodeRunImage(encoded, ground, BOUNDS);
  expect(delta.pages).toBe(4);
  expect(delta.blocks.map(({ offset, bytes }) => ({ offset, bytes: Uint8Array.from(bytes) }))).toEqual(CONTENT.delta.blocks);
  expect(Buffer.from(host).equals(CONTENT.host)).toBe(true);
});

test('the same run always gives the same bytes, with memory of their own', () => {
  const again = encode({ key: KEY, image: programImage() }, CONTENT);
  expect(Buffer.compare(again, encoded)).toBe(0);
  expect(again.buffer.byteLength).toBe(again.length);
});

test('a run that changed nothing, and of which the host holds nothing, comes back too', () => {
  const nothing = encode(ground, { delta: { pages: 3, blocks: [] }, host: new Uint8Array() });
  const { delta, host } = decodeRunImage(nothing, ground, BOUNDS);
  expect([delta, host.length]).toEqual([{ pages: 3, blocks: [] }, 0]);
});

test('an image may come in shared memory', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(encoded.length));
  shared.set(encoded);
  expect(problemOf(shared)).toBeUndefined();
});

test('blocks are put where they were', () => {
  const memory = new Uint8Array(4 * PAGE_BYTES);
  applyDelta(memory, decodeRunImage(encoded, ground, BOUNDS).delta);
  expect([memory[0], memory[255], memory[256], memory[70_511], memory[70_512], memory.at(-1)]).toEqual([3, 3, 0, 9, 0, 5]);
});

test('an image may be as long as it may be, and no longer', () => {
  expect(encodeRunImage(ground, CONTENT, encoded.length)?.length).toBe(encoded.length);
  for (const most of [encoded.length - 1, 100, 0]) expect(encodeRunImage(ground, CONTENT, most)).toBeUndefined();
});

test('every flipped byte is found', () => {
  const found = Array.from(encoded, (byte, at) => {
    const flipped = Uint8Array.from(encoded);
    flipped[at] = byte ^ (1 << (at % 8));
    return problemOf(flipped);
  });
  expect(found.filter((problem) => problem === undefined)).toEqual([]);
});

test('every truncated image is found, and one with more behind it', () => {
  const found = Array.from(encoded, (_byte, length) => problemOf(encoded.subarray(0, length)));
  expect(found.filter((problem) => problem === undefined)).toEqual([]);
  expect(problemOf(Buffer.concat([encoded, Buffer.alloc(1)]))).toMatch('checksum');
});

test('an image is good for its own program and engine only', () => {
  expect(problemOf(encoded, { key: 'cd'.repeat(32), image })).toMatch('another program or engine');
  // By the same key, and made otherwise.
  expect(problemOf(encoded, { key: KEY, image: programImage(8) })).toMatch('made otherwise');
  expect(problemOf(encoded, { key: KEY, image: createImage(new Uint8Array(2 * PAGE_BYTES).fill(1), null) })).toMatch('made otherwise');
});

test('an image of another format version is refused with both versions', () => {
  expect(problemOf(forged((file) => file.writeUInt32LE(2, 8)))).toMatch('its format version is 2, not 1');
  expect(problemOf(forged((file) => file.write('AMPOULE\0')))).toMatch('not the memory of a run');
});

test('memory may be as large as the run may have it, and no larger', () => {
  expect(problemOf(encoded, ground, { ...BOUNDS, maximumPages: 4 })).toBeUndefined();
  expect(problemOf(encoded, ground, { ...BOUNDS, maximumPages: 3 })).toMatch('4 pages of memory, not 3 to 3');
  expect(problemOf(forged((file) => file.writeUInt32LE(2, PAGES_AT)))).toMatch('2 pages of memory');
  expect(
    problemOf(
      forged((file) => file.writeUInt32LE(0xffff_ffff, PAGES_AT)),
      ground,
      { ...BOUNDS, maximumPages: Infinity },
    ),
  ).toMatch('not 3 to 4096');
});

test('what the host held may be as long as it may be, and no longer', () => {
  expect(problemOf(encoded, ground, { ...BOUNDS, maxHostBytes: CONTENT.host.length })).toBeUndefined();
  expect(problemOf(encoded, ground, { ...BOUNDS, maxHostBytes: CONTENT.host.length - 1 })).toMatch('the host held');
});

test('a bomb is not unpacked: neither one that says what it is, nor one that says less', () => {
  const bomb = new Uint8Array(64 * 1024 * 1024);
  expect(problemOf(forged(() => undefined, bomb))).toMatch('cannot be unpacked');
  const honest = forged((file) => file.writeUInt32LE(bomb.length, DATA_AT), bomb);
  expect(problemOf(honest)).toMatch('bytes for 4 pages of memory');
  expect(problemOf(forged((file) => file.writeUInt32LE(bomb.length, HOST_AT), bomb))).toMatch('the host held');
  expect(problemOf(forged((file) => file.writeUInt32LE(0xffff_ffff, COUNT_AT), bomb))).toMatch('blocks in');
});

test('whatever an image says with a checksum that is right, it is refused or is within the bounds', () => {
  const change = fc.record({ at: fc.nat(encoded.length - 33), byte: fc.nat(255) });
  const changes = fc.array(change, { minLength: 1, maxLength: 8 });
  const bodies = fc.option(fc.uint8Array({ maxLength: 1_200 }), { nil: undefined });
  fc.assert(
    fc.property(changes, bodies, (changed, body) => {
      const file = forged((bytes) => {
        for (const { at, byte } of changed) bytes[at % bytes.length] = byte;
      }, body);
      if (problemOf(file) !== undefined) return;
      const { delta, host } = decodeRunImage(file, ground, BOUNDS);
      expect(delta.pages).toBeLessThanOrEqual(4);
      expect(host.length).toBeLessThanOrEqual(1_000);
      applyDelta(new Uint8Array(delta.pages * PAGE_BYTES), delta);
    }),
    { numRuns: 500 },
  );
});

test('a body that is not as long as it should be, or no body at all, is refused', () => {
  expect(problemOf(forged(() => undefined, new Uint8Array(10)))).toMatch('it unpacks to 10 bytes');
  expect(problemOf(forged((file) => file.fill(0xff, 92)))).toMatch('cannot be unpacked');
});

test.each([
  ['overlap', [block(0, 1), block(128, 2)]],
  ['are out of order', [block(1_024, 1), block(0, 2)]],
  ['are empty', [block(0, 1, 512), { offset: 512, bytes: new Uint8Array() }]],
  ['end outside of memory', [block(4 * PAGE_BYTES - 128, 1)]],
])('blocks that %s are refused', (_how, blocks) => {
  expect(problemOf(encode(ground, { ...CONTENT, delta: { pages: 4, blocks } }))).toBeDefined();
});
