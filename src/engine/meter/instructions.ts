import type { Reader } from './reader.ts';

/** The opcodes that the meter treats by name. All others only matter for the length of their immediates. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i64LtS: 0x53,
  i64Sub: 0x7d,
  i64ExtendI32U: 0xad,
  prefixBulk: 0xfc,
  prefixVector: 0xfd,
} as const;

/** Sub-opcodes of 0xfc whose last operand is a length. */
export const BULK = {
  memoryInit: 8,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  tableCopy: 14,
  tableGrow: 15,
  tableFill: 17,
} as const;

/** The immediates that follow an opcode. 0, which a table holds where nothing was entered, is an unknown opcode. */
const IMMEDIATES = {
  unknown: 0,
  none: 1,
  blockType: 2,
  index: 3, // one index
  twoIndices: 4,
  labels: 5, // br_table
  types: 6, // select with types
  memory: 7, // alignment and offset
  zero: 8, // a memory index, which must be 0
  i32: 9,
  i64: 10,
  four: 11, // bytes
  eight: 12,
  sixteen: 13,
  lane: 14,
  memoryLane: 15,
  heapType: 16,
  indexAndZero: 17,
  twoZeros: 18,
} as const;
type Immediates = (typeof IMMEDIATES)[keyof typeof IMMEDIATES];
type Ranges = readonly (readonly [first: number, last: number, immediates: Immediates])[];

function tableOf(size: number, ranges: Ranges): Uint8Array {
  const table = new Uint8Array(size);
  for (const [first, last, immediates] of ranges) table.fill(immediates, first, last + 1);
  return table;
}

const I = IMMEDIATES;

/** MVP, sign extension, multi-value and reference types. */
const PLAIN = tableOf(256, [
  [0x00, 0x01, I.none], // unreachable, nop
  [0x02, 0x04, I.blockType], // block, loop, if
  [0x05, 0x05, I.none], // else
  [0x0b, 0x0b, I.none], // end
  [0x0c, 0x0d, I.index], // br, br_if
  [0x0e, 0x0e, I.labels], // br_table
  [0x0f, 0x0f, I.none], // return
  [0x10, 0x10, I.index], // call
  [0x11, 0x11, I.twoIndices], // call_indirect
  [0x1a, 0x1b, I.none], // drop, select
  [0x1c, 0x1c, I.types], // select t
  [0x20, 0x26, I.index], // local.*, global.*, table.get, table.set
  [0x28, 0x3e, I.memory], // loads and stores
  [0x3f, 0x40, I.zero], // memory.size, memory.grow
  [0x41, 0x41, I.i32],
  [0x42, 0x42, I.i64],
  [0x43, 0x43, I.four],
  [0x44, 0x44, I.eight],
  [0x45, 0xc4, I.none], // comparisons, arithmetic, conversions, sign extension
  [0xd0, 0xd0, I.heapType], // ref.null
  [0xd1, 0xd1, I.none], // ref.is_null
  [0xd2, 0xd2, I.index], // ref.func
]);

/** 0xfc: saturating conversions, bulk memory, tables. */
const PREFIX_BULK = tableOf(18, [
  [0, 7, I.none], // trunc_sat
  [8, 8, I.indexAndZero], // memory.init
  [9, 9, I.index], // data.drop
  [10, 10, I.twoZeros], // memory.copy
  [11, 11, I.zero], // memory.fill
  [12, 12, I.twoIndices], // table.init
  [13, 13, I.index], // elem.drop
  [14, 14, I.twoIndices], // table.copy
  [15, 17, I.index], // table.grow, size, fill
]);

/** 0xfd: vectors, relaxed ones from 0x100. The gaps are opcodes that nobody has assigned. */
const PREFIX_VECTOR = tableOf(0x114, [
  [0x00, 0x0b, I.memory],
  [0x0c, 0x0d, I.sixteen], // v128.const, shuffle
  [0x0e, 0x14, I.none], // swizzle, splats
  [0x15, 0x22, I.lane],
  [0x23, 0x53, I.none],
  [0x54, 0x5b, I.memoryLane],
  [0x5c, 0x5d, I.memory],
  [0x5e, 0x99, I.none],
  [0x9b, 0xa1, I.none],
  [0xa3, 0xa4, I.none],
  [0xa7, 0xae, I.none],
  [0xb1, 0xb1, I.none],
  [0xb5, 0xba, I.none],
  [0xbc, 0xc1, I.none],
  [0xc3, 0xc4, I.none],
  [0xc7, 0xce, I.none],
  [0xd1, 0xd1, I.none],
  [0xd5, 0xe1, I.none],
  [0xe3, 0xed, I.none],
  [0xef, 0x113, I.none],
]);

/** Passes over the immediates of `opcode`, which was just read; `sub` is what `readSubOpcode` gave for the two prefixes. */
export function skipImmediates(reader: Reader, opcode: number, sub: number): void {
  if (opcode === OP.prefixBulk) skip(reader, PREFIX_BULK[sub] ?? 0);
  else if (opcode === OP.prefixVector) skip(reader, PREFIX_VECTOR[sub] ?? 0);
  else skip(reader, PLAIN[opcode] ?? 0);
}

/** The second part of a prefixed opcode, or 0. */
export function readSubOpcode(reader: Reader, opcode: number): number {
  return opcode === OP.prefixBulk || opcode === OP.prefixVector ? reader.u32() : 0;
}

/** Numbers, v128, funcref, externref. */
function isValueType(byte: number): boolean {
  return (byte >= 0x7b && byte <= 0x7f) || byte === 0x70 || byte === 0x6f;
}

// oxlint-disable-next-line max-lines-per-function -- one case per form of immediates; splitting would hide that it is a table
function skip(reader: Reader, immediates: number): void {
  switch (immediates) {
    case I.none:
      return;
    case I.index:
      return reader.skipLeb(5);
    case I.memory:
      return skipMemory(reader);
    case I.i32:
      return reader.skipLeb(5);
    case I.i64:
      return reader.skipLeb(10);
    case I.blockType:
      return skipBlockType(reader);
    case I.twoIndices:
      reader.skipLeb(5);
      return reader.skipLeb(5);
    case I.labels:
      for (let count = reader.u32() + 1; count > 0; count--) reader.skipLeb(5);
      return;
    case I.types:
      for (let count = reader.u32(); count > 0; count--) skipValueType(reader);
      return;
    case I.zero:
      return skipZero(reader);
    case I.twoZeros:
      skipZero(reader);
      return skipZero(reader);
    case I.indexAndZero:
      reader.skipLeb(5);
      return skipZero(reader);
    case I.four:
      return reader.skip(4);
    case I.eight:
      return reader.skip(8);
    case I.sixteen:
      return reader.skip(16);
    case I.lane:
      return reader.skip(1);
    case I.memoryLane:
      skipMemory(reader);
      return reader.skip(1);
    case I.heapType:
      return skipReferenceType(reader);
    default:
      return reader.refuse('an opcode that the meter does not know');
  }
}

function skipMemory(reader: Reader): void {
  // Alignments are below 2^6; the bit above says that a memory index follows.
  if (reader.u32() >= 0x40) reader.refuse('more than one memory');
  reader.skipLeb(5);
}

function skipZero(reader: Reader): void {
  if (reader.byte() !== 0) reader.refuse('more than one memory');
}

function skipBlockType(reader: Reader): void {
  const first = reader.byte();
  if (first < 0x40 || first === 0x40 || isValueType(first)) return;
  if (first < 0x80) reader.refuse('a block type that the meter does not know');
  reader.skipLeb(4);
}

/** Passes over a value type, and refuses one that the meter does not know. */
export function skipValueType(reader: Reader): void {
  if (!isValueType(reader.byte())) reader.refuse('a value type that the meter does not know');
}

/** Passes over a reference type: funcref or externref. */
export function skipReferenceType(reader: Reader): void {
  const type = reader.byte();
  if (type !== 0x70 && type !== 0x6f) reader.refuse('a reference type that the meter does not know');
}
