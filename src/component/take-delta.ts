import type { Delta, DeltaBlock } from './delta.ts';
import { holdsSpan, type Image } from './image.ts';
import { CHUNK_BYTES, PAGE_BYTES, ZERO_CHUNK, asBuffer } from './memory-bytes.ts';

/** What is compared when a chunk differs, before the granules. */
const SUB_CHUNK_BYTES = 4096;
/** Resolution of a delta: a changed byte costs this much. Smaller makes more blocks, larger makes more bytes. */
export const GRANULE_BYTES = 256;

/**
 * The difference between a live linear memory and the engine's image.
 * @param live linear memory, at least `pages` long; what lies beyond is not looked at.
 * @param image a whole number of pages; what lies beyond it counts as zeros.
 * @param pages the memory's (virtual) size, in 64 KiB pages.
 * @returns a delta whose blocks are copies in one backing buffer.
 * @throws RangeError when a size is wrong, which is also what a memory detached by growth looks like.
 */
export function takeDelta(live: Uint8Array, image: Uint8Array, pages: number): Delta {
  if (image.length % PAGE_BYTES !== 0) throw new RangeError(`image is ${image.length} bytes, which is not a whole number of pages`);
  const end = pages * PAGE_BYTES;
  if (!Number.isInteger(pages) || pages < 1 || end > live.length || end < image.length) {
    throw new RangeError(`pages is ${pages}, with ${live.length} bytes of live memory and an image of ${image.length} bytes`);
  }
  return { pages, blocks: copyRanges(live, changedRanges(asBuffer(live), asBuffer(image), end)) };
}

/**
 * The difference between a live linear memory and a program's image: what a run of it has changed.
 * @param live as in {@link takeDelta}
 * @returns a delta whose blocks are views of `live`: they are good as long as nothing runs in it
 * @throws RangeError likewise
 */
export function takeRunDelta(live: Uint8Array, image: Image, pages: number): Delta {
  const end = pages * PAGE_BYTES;
  if (!Number.isInteger(pages) || end > live.length || pages < image.pages) {
    throw new RangeError(`pages is ${pages}, with ${live.length} bytes of live memory and an image of ${image.pages} pages`);
  }
  return { pages, blocks: viewRanges(live, rangesBeside(asBuffer(live), image, end)) };
}

function rangesBeside(live: Buffer, image: Image, end: number): number[] {
  const ranges: number[] = [];
  for (let chunk = 0, index = 0; chunk < end; chunk = index * CHUNK_BYTES) {
    const span = image.spans[index] ?? 1;
    if (index < image.sources.length && span > 1 && holdsSpan(live, image, index, span)) {
      index += span;
      continue;
    }
    // One changed chunk in a span is no reason to look at each granule of it.
    for (const last = index + span; index < last; index++) {
      const at = index * CHUNK_BYTES;
      addChanges(ranges, live, image.sources[index] ?? ZERO_CHUNK, at - (image.offsets[index] ?? 0), at);
    }
  }
  return ranges;
}

/** Offset and end of every changed range, one after the other, ascending and never adjacent. */
function changedRanges(live: Buffer, image: Buffer, end: number): number[] {
  const ranges: number[] = [];
  for (let chunk = 0; chunk < end; chunk += CHUNK_BYTES) {
    const inImage = chunk < image.length;
    addChanges(ranges, live, inImage ? image : ZERO_CHUNK, inImage ? 0 : chunk, chunk);
  }
  return ranges;
}

/** The changed ranges of one chunk, which begins at `chunk` and is to be compared with what is in `expected`, at `chunk - shift`. */
function addChanges(ranges: number[], live: Buffer, expected: Buffer, shift: number, chunk: number): void {
  if (!differs(live, expected, shift, chunk, CHUNK_BYTES)) return;
  for (let sub = chunk; sub < chunk + CHUNK_BYTES; sub += SUB_CHUNK_BYTES) {
    if (!differs(live, expected, shift, sub, SUB_CHUNK_BYTES)) continue;
    for (let granule = sub; granule < sub + SUB_CHUNK_BYTES; granule += GRANULE_BYTES) {
      if (differs(live, expected, shift, granule, GRANULE_BYTES)) addRange(ranges, granule);
    }
  }
}

function differs(live: Buffer, expected: Buffer, shift: number, at: number, length: number): boolean {
  return live.compare(expected, at - shift, at - shift + length, at, at + length) !== 0;
}

function addRange(ranges: number[], offset: number): void {
  if (ranges.at(-1) === offset) ranges[ranges.length - 1] = offset + GRANULE_BYTES;
  else ranges.push(offset, offset + GRANULE_BYTES);
}

function copyRanges(live: Uint8Array, ranges: readonly number[]): DeltaBlock[] {
  let total = 0;
  for (let i = 0; i < ranges.length; i += 2) total += (ranges[i + 1] ?? 0) - (ranges[i] ?? 0);
  const backing = new Uint8Array(total);
  const blocks: DeltaBlock[] = [];
  let filled = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    const offset = ranges[i] ?? 0;
    const source = live.subarray(offset, ranges[i + 1]);
    backing.set(source, filled);
    blocks.push({ offset, bytes: backing.subarray(filled, filled + source.length) });
    filled += source.length;
  }
  return blocks;
}

function viewRanges(live: Uint8Array, ranges: readonly number[]): DeltaBlock[] {
  const blocks: DeltaBlock[] = [];
  for (let i = 0; i < ranges.length; i += 2) {
    const offset = ranges[i] ?? 0;
    blocks.push({ offset, bytes: live.subarray(offset, ranges[i + 1]) });
  }
  return blocks;
}
