import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { hash } from 'blake3';
import { SandboxError } from '../errors.ts';
import type { Delta, DeltaBlock } from './delta.ts';
import { imageDigest } from './image-digest.ts';
import type { Image } from './image.ts';
import { MAX_PAGES, PAGE_BYTES, asBuffer } from './memory-bytes.ts';
import { GRANULE_BYTES } from './take-delta.ts';

/*
 * A run that left its instance. All numbers are 32-bit little-endian: magic (8 bytes), format version, the program's key (32 bytes), digest of the
 * program's image (32 bytes), pages, number of blocks, bytes of the blocks, bytes of the host's part, then compressed as one zstd frame: the
 * host's part, offset and length of each block, the blocks; last Blake3 (32 bytes) over everything before it.
 */
const MAGIC = Buffer.from('AMPRUN\0\0', 'latin1');
const FORMAT_VERSION = 1;
const HASH_BYTES = 32;
const VERSION_AT = MAGIC.length;
const KEY_AT = VERSION_AT + 4;
const IMAGE_AT = KEY_AT + HASH_BYTES;
const PAGES_AT = IMAGE_AT + HASH_BYTES;
const COUNT_AT = PAGES_AT + 4;
const DATA_BYTES_AT = COUNT_AT + 4;
const HOST_BYTES_AT = DATA_BYTES_AT + 4;
const BODY_AT = HOST_BYTES_AT + 4;
const ENTRY_BYTES = 8;
/** Measured on memory of runs: lower ones are hardly faster, higher ones take several times as long for a few hundredths less. */
const LEVEL = 3;

/** What a run's image stands on: only together with the same it means anything. */
export interface RunGround {
  /** The program's key, which covers the engine too: 64 hexadecimal digits. */
  readonly key: string;
  /** The memory that the delta is against. */
  readonly image: Image;
}

/** A run between two export calls. */
export interface RunContent {
  /** Against the program's image. */
  readonly delta: Delta;
  /** What the host holds for the run; opaque here. */
  readonly host: Uint8Array;
}

/** What an honest image may at most hold. */
export interface RunImageBounds {
  /** Of memory. */
  readonly maximumPages: number;
  readonly maxHostBytes: number;
}

/**
 * The run as bytes, with memory of their own. The same always gives the same.
 * @param maxBytes of all
 * @returns undefined when they would be more
 */
export function encodeRunImage(
  { key, image }: RunGround,
  { delta, host }: RunContent,
  maxBytes: number = Infinity,
): Uint8Array<ArrayBuffer> | undefined {
  const { dataBytes, body } = encodeBody(delta, host);
  const compressed = pack(body, maxBytes - BODY_AT - HASH_BYTES);
  if (!compressed) return undefined;
  const file = Buffer.allocUnsafeSlow(BODY_AT + compressed.length + HASH_BYTES);
  MAGIC.copy(file);
  file.writeUInt32LE(FORMAT_VERSION, VERSION_AT);
  file.write(key, KEY_AT, 'hex');
  imageDigest(image).copy(file, IMAGE_AT);
  file.writeUInt32LE(delta.pages, PAGES_AT);
  file.writeUInt32LE(delta.blocks.length, COUNT_AT);
  file.writeUInt32LE(dataBytes, DATA_BYTES_AT);
  file.writeUInt32LE(host.length, HOST_BYTES_AT);
  compressed.copy(file, BODY_AT);
  digest(file).copy(file, file.length - HASH_BYTES);
  return file;
}

/** Stops as soon as it would be too long: packing all of a large memory takes time that other runs of the thread wait for. */
function pack(body: Buffer, maxBytes: number): Buffer | undefined {
  if (maxBytes < 1) return undefined;
  try {
    const most = Number.isFinite(maxBytes) ? { maxOutputLength: maxBytes } : {};
    return zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL }, ...most });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function encodeBody({ blocks }: Delta, host: Uint8Array): { dataBytes: number; body: Buffer } {
  let dataBytes = 0;
  for (const { bytes } of blocks) dataBytes += bytes.length;
  const body = Buffer.allocUnsafe(host.length + blocks.length * ENTRY_BYTES + dataBytes);
  body.set(host);
  let entryAt = host.length;
  let dataAt = entryAt + blocks.length * ENTRY_BYTES;
  for (const { offset, bytes } of blocks) {
    body.writeUInt32LE(offset, entryAt);
    body.writeUInt32LE(bytes.length, entryAt + 4);
    body.set(bytes, dataAt);
    entryAt += ENTRY_BYTES;
    dataAt += bytes.length;
  }
  return { dataBytes, body };
}

/**
 * The run in an image. Everything is checked before anything is made from it, and no more is unpacked than a run may hold.
 * @param bounds of this run
 * @throws SandboxError ERR_COMPONENT_DAMAGED when the bytes are anything but what `encodeRunImage` made on that ground, within those bounds
 */
export function decodeRunImage(bytes: Uint8Array, ground: RunGround, bounds: RunImageBounds): RunContent {
  const file = asBuffer(bytes);
  const problem = findHeadProblem(file, ground, bounds);
  if (problem !== undefined) throw damagedImage(problem);
  const count = file.readUInt32LE(COUNT_AT);
  const hostBytes = file.readUInt32LE(HOST_BYTES_AT);
  const body = unpack(file, hostBytes + count * ENTRY_BYTES + file.readUInt32LE(DATA_BYTES_AT));
  const pages = file.readUInt32LE(PAGES_AT);
  return { host: body.subarray(0, hostBytes), delta: { pages, blocks: readBlocks(body, hostBytes, count, pages * PAGE_BYTES) } };
}

/** The error for an image that no run can go on from. */
export function damagedImage(problem: string): SandboxError {
  return new SandboxError('ERR_COMPONENT_DAMAGED', `The stored memory of the run cannot be used: ${problem}.`, {
    hint: 'The run can be begun again from its start, with the answers that it had.',
  });
}

function findHeadProblem(file: Buffer, { key, image }: RunGround, { maximumPages, maxHostBytes }: RunImageBounds): string | undefined {
  if (file.length < BODY_AT + HASH_BYTES) return `${file.length} bytes are too few`;
  if (file.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) return 'it is not the memory of a run';
  const version = file.readUInt32LE(VERSION_AT);
  if (version !== FORMAT_VERSION) return `its format version is ${version}, not ${FORMAT_VERSION}`;
  if (!digest(file).equals(file.subarray(file.length - HASH_BYTES))) return 'its checksum does not match';
  if (file.toString('hex', KEY_AT, IMAGE_AT) !== key) return 'it belongs to another program or engine';
  if (!imageDigest(image).equals(file.subarray(IMAGE_AT, PAGES_AT))) return 'the program was made otherwise when the run began';
  const pages = file.readUInt32LE(PAGES_AT);
  const most = Math.min(maximumPages, MAX_PAGES);
  if (pages < image.pages || pages > most) return `it has ${pages} pages of memory, not ${image.pages} to ${most}`;
  const dataBytes = file.readUInt32LE(DATA_BYTES_AT);
  if (dataBytes > pages * PAGE_BYTES) return `it has ${dataBytes} bytes for ${pages} pages of memory`;
  const count = file.readUInt32LE(COUNT_AT);
  // So the table of blocks, too, is bounded by the memory.
  if (count * GRANULE_BYTES > dataBytes) return `it has ${count} blocks in ${dataBytes} bytes`;
  const hostBytes = file.readUInt32LE(HOST_BYTES_AT);
  return hostBytes > maxHostBytes ? `${hostBytes} bytes of what the host held are more than the ${maxHostBytes} allowed` : undefined;
}

/** Stops when there is more than the head says, however much it would be. */
function unpack(file: Buffer, length: number): Buffer {
  let body: Buffer;
  try {
    body = zstdDecompressSync(file.subarray(BODY_AT, file.length - HASH_BYTES), { maxOutputLength: Math.max(length, 1) });
  } catch {
    throw damagedImage('it cannot be unpacked');
  }
  if (body.length !== length) throw damagedImage(`it unpacks to ${body.length} bytes, not ${length}`);
  return body;
}

function readBlocks(body: Buffer, tableAt: number, count: number, memoryBytes: number): DeltaBlock[] {
  const blocks: DeltaBlock[] = [];
  let dataAt = tableAt + count * ENTRY_BYTES;
  let previousEnd = 0;
  for (let entry = tableAt; entry < tableAt + count * ENTRY_BYTES; entry += ENTRY_BYTES) {
    const offset = body.readUInt32LE(entry);
    const length = body.readUInt32LE(entry + 4);
    if (length === 0 || offset < previousEnd) throw damagedImage('its blocks are empty, overlap or are not in order');
    previousEnd = offset + length;
    if (previousEnd > memoryBytes || dataAt + length > body.length) throw damagedImage('a block ends outside of memory');
    blocks.push({ offset, bytes: body.subarray(dataAt, dataAt + length) });
    dataAt += length;
  }
  if (dataAt !== body.length) throw damagedImage('its blocks are shorter than it says');
  return blocks;
}

/** Takes an instance from its program's image to the run's memory. @param memory at the image, and as long as the delta says */
export function applyDelta(memory: Uint8Array, { blocks }: Delta): void {
  for (const { offset, bytes } of blocks) memory.set(bytes, offset);
}

function digest(file: Buffer): Buffer {
  return Buffer.from(hash(file.subarray(0, file.length - HASH_BYTES)));
}
