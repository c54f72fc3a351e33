import { hash } from 'blake3';
import { SandboxError } from '../errors.ts';
import type { Delta, DeltaBlock } from './delta.ts';
import { MAX_PAGES, PAGE_BYTES } from './memory-bytes.ts';

/*
 * The file, all numbers 32-bit little-endian: magic (8 bytes), format version, key (32 bytes), pages, number of blocks, offset and
 * length of each block, the blocks' bytes one after the other, Blake3 (32 bytes) over everything before it.
 */
const MAGIC = Buffer.from('AMPOULE\0', 'latin1');
const FORMAT_VERSION = 1;
const VERSION_AT = MAGIC.length;
const KEY_AT = VERSION_AT + 4;
const PAGES_AT = KEY_AT + 32;
const COUNT_AT = PAGES_AT + 4;
const TABLE_AT = COUNT_AT + 4;
const ENTRY_BYTES = 8;
const HASH_BYTES = 32;

/**
 * A program as bytes for the cache. The same key and delta always give the same bytes.
 * @param key the program's key, 64 hexadecimal digits. It is part of the bytes, so an entry cannot stand in for another.
 * @throws TypeError when the key is no key; RangeError when the delta is not sorted or does not fit in its pages.
 */
export function encodeProgram(key: string, delta: Delta): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(key)) throw new TypeError(`key is ${JSON.stringify(key)}, not 64 lower-case hexadecimal digits`);
  let dataBytes = 0;
  for (const { bytes } of delta.blocks) dataBytes += bytes.length;
  const dataAt = TABLE_AT + delta.blocks.length * ENTRY_BYTES;
  const file = Buffer.alloc(dataAt + dataBytes + HASH_BYTES);
  MAGIC.copy(file);
  file.writeUInt32LE(FORMAT_VERSION, VERSION_AT);
  file.write(key, KEY_AT, 'hex');
  file.writeUInt32LE(delta.pages, PAGES_AT);
  file.writeUInt32LE(delta.blocks.length, COUNT_AT);
  writeBlocks(file, dataAt, delta.blocks);
  const problem = findLayoutProblem(file, key);
  if (problem !== undefined) throw new RangeError(`delta cannot be encoded: ${problem}`);
  digest(file).copy(file, file.length - HASH_BYTES);
  return file;
}

function writeBlocks(file: Buffer, dataAt: number, blocks: readonly DeltaBlock[]): void {
  let entryAt = TABLE_AT;
  let filled = dataAt;
  for (const { offset, bytes } of blocks) {
    file.writeUInt32LE(offset, entryAt);
    file.writeUInt32LE(bytes.length, entryAt + 4);
    file.set(bytes, filled);
    entryAt += ENTRY_BYTES;
    filled += bytes.length;
  }
}

/**
 * The delta of an encoded program. Everything is checked before anything is made from it.
 * @param key the key that the program must have.
 * @returns a delta whose blocks are views into `bytes`.
 * @throws SandboxError ERR_COMPONENT_DAMAGED when the bytes are anything but what `encodeProgram` made for that key.
 */
export function decodeProgram(bytes: Uint8Array, key: string): Delta {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const problem = findLayoutProblem(file, key) ?? findHashProblem(file);
  if (problem !== undefined) {
    throw new SandboxError('ERR_COMPONENT_DAMAGED', `The cached program ${key.slice(0, 12)} is damaged: ${problem}.`, {
      hint: 'Delete the entry; the program is then made again from its source.',
    });
  }
  const blocks: DeltaBlock[] = [];
  const tableEnd = TABLE_AT + file.readUInt32LE(COUNT_AT) * ENTRY_BYTES;
  let dataAt = tableEnd;
  for (let entry = TABLE_AT; entry < tableEnd; entry += ENTRY_BYTES) {
    const length = file.readUInt32LE(entry + 4);
    blocks.push({ offset: file.readUInt32LE(entry), bytes: bytes.subarray(dataAt, dataAt + length) });
    dataAt += length;
  }
  return { pages: file.readUInt32LE(PAGES_AT), blocks };
}

/** Why the file is not laid out as its head says, or undefined. Reads only what the file's length allows. */
function findLayoutProblem(file: Buffer, key: string): string | undefined {
  if (file.length < TABLE_AT + HASH_BYTES) return `${file.length} bytes are too few`;
  if (file.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) return 'it is not a program file';
  const version = file.readUInt32LE(VERSION_AT);
  if (version !== FORMAT_VERSION) return `its format version is ${version}, not ${FORMAT_VERSION}`;
  if (file.toString('hex', KEY_AT, PAGES_AT) !== key) return 'it belongs to another key';
  const pages = file.readUInt32LE(PAGES_AT);
  if (pages < 1 || pages > MAX_PAGES) return `it has ${pages} pages of memory, not 1 to ${MAX_PAGES}`;
  const dataAt = TABLE_AT + file.readUInt32LE(COUNT_AT) * ENTRY_BYTES;
  if (dataAt > file.length - HASH_BYTES) return 'its table of blocks is longer than the file';
  return findBlockProblem(file, dataAt, pages * PAGE_BYTES);
}

function findBlockProblem(file: Buffer, dataAt: number, memoryBytes: number): string | undefined {
  let previousEnd = 0;
  let fileEnd = dataAt + HASH_BYTES;
  for (let entry = TABLE_AT; entry < dataAt; entry += ENTRY_BYTES) {
    const offset = file.readUInt32LE(entry);
    const length = file.readUInt32LE(entry + 4);
    if (length === 0) return 'a block is empty';
    if (offset < previousEnd) return 'its blocks overlap or are not in order';
    previousEnd = offset + length;
    if (previousEnd > memoryBytes) return 'a block ends outside of memory';
    fileEnd += length;
  }
  return fileEnd === file.length ? undefined : `it is ${file.length} bytes long, but its blocks need ${fileEnd}`;
}

function findHashProblem(file: Buffer): string | undefined {
  const expected = file.subarray(file.length - HASH_BYTES);
  return digest(file).equals(expected) ? undefined : 'its checksum does not match';
}

function digest(file: Buffer): Buffer {
  return Buffer.from(hash(file.subarray(0, file.length - HASH_BYTES)));
}
