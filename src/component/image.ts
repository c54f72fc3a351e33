import type { Delta } from './delta.ts';
import { CHUNK_BYTES, PAGE_BYTES, ZERO_CHUNK, asBuffer } from './memory-bytes.ts';

/**
 * The memory that every run of a program starts from. Its content never changes. The chunks that the delta touches are the program's own;
 * all others are shared with the engine's image, or are the one chunk of zeros.
 */
export interface Image {
  /** Virtual size of memory, in 64 KiB pages. */
  readonly pages: number;
  /** Bytes that this image holds beside the engine's image. */
  readonly ownBytes: number;
  /** The buffer that holds them. */
  readonly own: Buffer;
  /** For each chunk of memory, in order: the buffer that holds its content, and where in it. */
  readonly sources: readonly Buffer[];
  readonly offsets: Int32Array;
  /** For each chunk how many chunks from it on, itself included, have their content in one piece, or are zeros. */
  readonly spans: Uint8Array;
  /** For each chunk 1 when runs of late have changed it. A hint: what is copied in vain is right too. */
  readonly changing: Uint8Array;
  /** Restores since the hints were last made anew. */
  restores: number;
}

/** Most chunks that are compared in one call. */
const MAX_SPAN = 16;
/** So many restores copy what one of them found changed, without looking again. */
const HINTS_LAST = 64;
/** A run that filled its memory is no rule for others: copying all of it would make it resident in every instance. */
const MAX_CHANGING_BYTES = 1024 * 1024;

/** The chunks of an engine's image, worked out once for each engine: finding its zeros reads all of it. */
const basePlans = new WeakMap<Uint8Array, readonly Buffer[]>();

/**
 * The image of a program, or of the engine itself when `delta` is null.
 * @param base the engine's memory, a whole number of pages. It must not change afterwards.
 * @throws RangeError when the delta does not fit the base.
 */
export function createImage(base: Uint8Array, delta: Delta | null): Image {
  if (base.length === 0 || base.length % PAGE_BYTES !== 0) {
    throw new RangeError(`base is ${base.length} bytes, not a whole number of pages`);
  }
  const pages = delta?.pages ?? base.length / PAGE_BYTES;
  if (pages * PAGE_BYTES < base.length) throw new RangeError(`delta.pages is ${pages}, but the base has ${base.length / PAGE_BYTES}`);
  const sources = baseSources(base, pages);
  const offsets = Int32Array.from(sources, (source, chunk) => (source === ZERO_CHUNK ? 0 : chunk * CHUNK_BYTES));
  const touched = delta === null ? [] : touchedChunks(delta);
  const own = Buffer.allocUnsafeSlow(touched.length * CHUNK_BYTES);
  for (const [index, chunk] of touched.entries()) {
    sources[chunk]?.copy(own, index * CHUNK_BYTES, offsets[chunk], (offsets[chunk] ?? 0) + CHUNK_BYTES);
    sources[chunk] = own;
    offsets[chunk] = index * CHUNK_BYTES;
  }
  if (delta !== null) overlay(delta, own, offsets);
  const spans = spansOf(sources, offsets);
  return { pages, ownBytes: own.length, own, sources, offsets, spans, changing: new Uint8Array(sources.length), restores: 0 };
}

/** See {@link Image.spans}. */
function spansOf(sources: readonly Buffer[], offsets: Int32Array): Uint8Array {
  const spans = new Uint8Array(sources.length).fill(1);
  for (let chunk = sources.length - 2; chunk >= 0; chunk--) {
    const source = sources[chunk];
    const isNext = source === ZERO_CHUNK || (offsets[chunk + 1] ?? 0) === (offsets[chunk] ?? 0) + CHUNK_BYTES;
    if (source === sources[chunk + 1] && isNext) spans[chunk] = Math.min((spans[chunk + 1] ?? 1) + 1, MAX_SPAN);
  }
  return spans;
}

function baseSources(base: Uint8Array, pages: number): Buffer[] {
  const plan = basePlans.get(base) ?? planBase(base);
  basePlans.set(base, plan);
  const sources = [...plan];
  while (sources.length < (pages * PAGE_BYTES) / CHUNK_BYTES) sources.push(ZERO_CHUNK);
  return sources;
}

function planBase(base: Uint8Array): Buffer[] {
  const buffer = asBuffer(base);
  return Array.from({ length: base.length / CHUNK_BYTES }, (_, chunk) =>
    ZERO_CHUNK.compare(buffer, chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES) === 0 ? ZERO_CHUNK : buffer,
  );
}

/** Indexes of the chunks that the delta's blocks lie in, ascending. */
function touchedChunks(delta: Delta): number[] {
  const chunks: number[] = [];
  let previousEnd = 0;
  for (const { offset, bytes } of delta.blocks) {
    const end = offset + bytes.length;
    if (offset < previousEnd || end > delta.pages * PAGE_BYTES) throw new RangeError(`delta block at ${offset} is out of order or memory`);
    previousEnd = end;
    const first = Math.max(Math.floor(offset / CHUNK_BYTES), (chunks.at(-1) ?? -1) + 1);
    for (let chunk = first; chunk * CHUNK_BYTES < end; chunk++) chunks.push(chunk);
  }
  return chunks;
}

/** Writes the delta into `own`, whose chunks are found through `offsets`. */
function overlay(delta: Delta, own: Buffer, offsets: Int32Array): void {
  for (const { offset, bytes } of delta.blocks) {
    // Chunks next to each other in memory are next to each other in `own`, so a block is never torn.
    own.set(bytes, (offsets[Math.floor(offset / CHUNK_BYTES)] ?? 0) + (offset % CHUNK_BYTES));
  }
}

/**
 * Puts linear memory back to an image, whatever is in it. Only chunks that differ are written, because a write costs more than
 * a comparison and makes the page dirty; but what runs of this image always change is written without looking.
 * @param memory the whole physical memory, at least as long as the image.
 * @param usedPages how far memory may hold anything but zeros: the virtual size of the run before. Default: all of it.
 * @returns the number of bytes written.
 * @throws RangeError when memory is shorter than the image, which is also what a memory detached by growth looks like, or when
 * `usedPages` is no size: a restore that did nothing would hand one run's memory to the next.
 */
export function restoreImage(memory: Uint8Array, image: Image, usedPages: number = memory.length / PAGE_BYTES): number {
  const imageEnd = image.pages * PAGE_BYTES;
  if (memory.length < imageEnd) {
    throw new RangeError(`memory is ${memory.length} bytes, shorter than the image of ${imageEnd} bytes, or detached`);
  }
  if (!(usedPages >= 0)) throw new RangeError(`usedPages is ${usedPages}, which is not a number of pages`);
  const live = asBuffer(memory);
  if (image.restores++ % HINTS_LAST === 0) image.changing.fill(0);
  let written = 0;
  for (let chunk = 0; chunk < image.sources.length;) {
    const quiet = quietSpan(image, chunk);
    if (quiet > 1 && holdsSpan(live, image, chunk, quiet)) chunk += quiet;
    else for (const end = chunk + Math.max(quiet, 1); chunk < end; chunk++) written += restoreChunk(live, image, chunk);
  }
  if (written > MAX_CHANGING_BYTES) image.changing.fill(0);
  return written + clear(live, imageEnd, Math.min(live.length, usedPages * PAGE_BYTES));
}

/** How many chunks from this one on can be compared in one call: those that no run of late has changed. */
function quietSpan({ spans, changing }: Image, chunk: number): number {
  const most = spans[chunk] ?? 1;
  let quiet = 0;
  while (quiet < most && changing[chunk + quiet] === 0) quiet++;
  return quiet;
}

/** Whether memory holds the image's content in so many chunks of one span. */
export function holdsSpan(live: Buffer, { sources, offsets }: Image, chunk: number, count: number): boolean {
  const at = chunk * CHUNK_BYTES;
  const end = at + count * CHUNK_BYTES;
  const source = sources[chunk] ?? ZERO_CHUNK;
  if (source === ZERO_CHUNK) return isZero(live, at, end);
  const from = offsets[chunk] ?? 0;
  return live.compare(source, from, from + end - at, at, end) === 0;
}

/** Restores one chunk; returns the number of bytes written. */
function restoreChunk(live: Buffer, image: Image, chunk: number): number {
  const at = chunk * CHUNK_BYTES;
  if (image.changing[chunk] === 0) {
    if (holdsSpan(live, image, chunk, 1)) return 0;
    image.changing[chunk] = 1;
  }
  const from = image.offsets[chunk] ?? 0;
  (image.sources[chunk] ?? ZERO_CHUNK).copy(live, at, from, from + CHUNK_BYTES);
  return CHUNK_BYTES;
}

/**
 * Takes linear memory from one image to another. Only for memory that is known to be at `from`, byte for byte: it was restored to it, and
 * no guest has run since.
 * @param memory at least as long as both images.
 * @returns the number of bytes written.
 * @throws RangeError when memory is shorter than an image, or detached by growth.
 */
export function switchImage(memory: Uint8Array, from: Image, to: Image): number {
  const pages = Math.max(from.pages, to.pages);
  if (memory.length < pages * PAGE_BYTES) {
    throw new RangeError(`memory is ${memory.length} bytes, shorter than an image of ${pages * PAGE_BYTES} bytes, or detached`);
  }
  const live = asBuffer(memory);
  let written = 0;
  for (let chunk = 0, at = 0; at < pages * PAGE_BYTES; chunk++, at += CHUNK_BYTES) {
    const source = to.sources[chunk] ?? ZERO_CHUNK;
    const offset = to.offsets[chunk] ?? 0;
    if (source === (from.sources[chunk] ?? ZERO_CHUNK) && offset === (from.offsets[chunk] ?? 0)) continue;
    source.copy(live, at, offset, offset + CHUNK_BYTES);
    written += CHUNK_BYTES;
  }
  return written;
}

/** Zeros what is not zero from `start` to `end`, both chunk boundaries; returns the number of bytes written. */
function clear(live: Buffer, start: number, end: number): number {
  let written = 0;
  for (let at = start; at < end; at += CHUNK_BYTES) {
    if (isZero(live, at, at + CHUNK_BYTES)) continue;
    live.fill(0, at, at + CHUNK_BYTES);
    written += CHUNK_BYTES;
  }
  return written;
}

/** Whether all bytes from `start` up to `end` are zero: the first one is, and each is the same as the next. Reads nothing but them. */
function isZero(live: Buffer, start: number, end: number): boolean {
  return live[start] === 0 && live.compare(live, start, end - 1, start + 1, end) === 0;
}
