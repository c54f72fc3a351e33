import { encodeS32, encodeU32, malformed, readU32 } from './binary.ts';
import type { Delta, DeltaBlock } from './delta.ts';
import { PAGE_BYTES } from './memory-bytes.ts';

/** WebAssembly engines refuse modules with more data segments than this. */
export const MAX_SEGMENTS = 100_000;

const I32_CONST = 0x41;
const END = 0x0b;

/** The body of a data section with the delta's blocks behind its own segments, and the new number of segments. */
export function appendSegments(body: Uint8Array, delta: Delta, maxSegments: number = MAX_SEGMENTS): { count: number; body: Uint8Array[] } {
  const present = readU32(body, 0);
  const blocks = mergeBlocks(delta, maxSegments - present.value, body);
  const count = present.value + blocks.length;
  const parts = [Uint8Array.from(encodeU32(count)), body.subarray(present.next)];
  for (const { offset, bytes } of blocks) {
    parts.push(Uint8Array.of(0, I32_CONST, ...encodeS32(offset), END, ...encodeU32(bytes.length)), bytes);
  }
  return { count, body: parts };
}

/** The blocks, as at most `limit` of them: the narrowest gaps are filled with what the module's own segments put there. */
function mergeBlocks(delta: Delta, limit: number, dataSection: Uint8Array): readonly DeltaBlock[] {
  const { blocks } = delta;
  if (blocks.length <= limit) return blocks;
  if (limit < 1) throw malformed(`it has no room for further data segments`);
  const gaps = blocks.slice(1).map((block, index) => block.offset - endOf(blocks[index]));
  const widest = gaps.toSorted((a, b) => a - b)[blocks.length - limit - 1] ?? 0;
  const memory = initialMemory(dataSection, delta.pages);
  for (const { offset, bytes } of blocks) memory.set(bytes, offset);
  const merged: { offset: number; end: number }[] = [];
  for (const block of blocks) {
    const last = merged.at(-1);
    if (last !== undefined && block.offset - last.end <= widest) last.end = endOf(block);
    else merged.push({ offset: block.offset, end: endOf(block) });
  }
  return merged.map(({ offset, end }) => ({ offset, bytes: memory.subarray(offset, end) }));
}

function endOf(block: DeltaBlock | undefined): number {
  return block === undefined ? 0 : block.offset + block.bytes.length;
}

/** Linear memory as a data section's active segments leave it. */
function initialMemory(body: Uint8Array, pages: number): Uint8Array {
  const memory = new Uint8Array(pages * PAGE_BYTES);
  const count = readU32(body, 0);
  let at = count.next;
  for (let segment = 0; segment < count.value; segment++) {
    const flags = readU32(body, at);
    const place = flags.value === 1 ? undefined : readPlace(body, flags);
    const length = readU32(body, place?.next ?? flags.next);
    at = length.next + length.value;
    if (place === undefined) continue;
    if (at > body.length || place.value + length.value > memory.length) throw malformed('a data segment is out of bounds');
    memory.set(body.subarray(length.next, at), place.value);
  }
  return memory;
}

/** The constant offset of an active segment of memory 0. */
function readPlace(body: Uint8Array, flags: { value: number; next: number }): { value: number; next: number } {
  if (flags.value !== 0 || body[flags.next] !== I32_CONST) throw malformed('a data segment is not at a constant offset of memory 0');
  const place = readU32(body, flags.next + 1);
  if (body[place.next] !== END) throw malformed('a data segment is not at a constant offset of memory 0');
  return { value: place.value, next: place.next + 1 };
}
