import { FUEL_EXPORT, FUEL_IMPORT, HOST_TABLE_EXPORT, SLOT_COUNT } from './abi.ts';
import { movedGlobal } from './body.ts';
import { OP, readSubOpcode, skipImmediates, skipReferenceType, skipValueType } from './instructions.ts';
import { readLimits } from './module.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

const KIND = { table: 1, global: 3 } as const;
const FUNCREF = 0x70;
const I64 = 0x7e;
const MUTABLE = 1;

/** Writes `contents` as a section and empties it. */
export function moveSection(id: number, contents: Writer, out: Writer): void {
  out.byte(id);
  out.u32(contents.length);
  out.copy(contents.view());
  contents.clear();
}

/** Writes a vector section as it is, with `added` entries after it that `writeAdded` writes. */
export function appendEntries(reader: Reader, out: Writer, added: number, writeAdded: () => void): void {
  out.u32(reader.u32() + added);
  out.copy(reader.bytes, reader.position, reader.end);
  writeAdded();
}

export function writeFuelImport(out: Writer): void {
  out.name(FUEL_IMPORT.module);
  out.name(FUEL_IMPORT.name);
  out.byte(KIND.global);
  out.byte(I64);
  out.byte(MUTABLE);
}

/** The counter, which begins at 0: no fuel before the host gives some. */
export function writeFuelGlobal(out: Writer): void {
  out.byte(I64);
  out.byte(MUTABLE);
  out.byte(OP.i64Const);
  out.s32(0);
  out.byte(OP.end);
}

export function writeHostTable(out: Writer): void {
  out.byte(FUNCREF);
  out.byte(1);
  out.u32(SLOT_COUNT);
  out.u32(SLOT_COUNT);
}

/** Writes the memory section with a maximum of at most `maximumPages`. */
export function writeMemories(reader: Reader, out: Writer, maximumPages: number): void {
  const count = reader.u32();
  out.u32(count);
  if (count === 0) return;
  const at = reader.position;
  const { minimum, maximum } = readLimits(reader);
  if (minimum > maximumPages) reader.refuse(`its memory begins with ${minimum} pages, more than the maximum of ${maximumPages}`, at);
  out.byte(1);
  out.u32(minimum);
  out.u32(Math.min(maximum ?? maximumPages, maximumPages));
  reader.expectEnd('the memory section');
}

/** Writes the table section with the host table after the others. */
export function writeTables(reader: Reader, out: Writer): void {
  const count = reader.u32();
  out.u32(count + 1);
  const start = reader.position;
  for (let left = count; left > 0; left--) {
    skipReferenceType(reader);
    readLimits(reader);
  }
  reader.expectEnd('the table section');
  out.copy(reader.bytes, start, reader.end);
  writeHostTable(out);
}

/** Writes the global section; `ownsFuel`: with the counter after the others. */
export function writeGlobals(reader: Reader, out: Writer, fuelGlobal: number, ownsFuel: boolean): void {
  const count = reader.u32();
  out.u32(count + (ownsFuel ? 1 : 0));
  for (let left = count; left > 0; left--) {
    const start = reader.position;
    skipValueType(reader);
    reader.skip(1);
    out.copy(reader.bytes, start, reader.position);
    copyConstant(reader, out, fuelGlobal);
  }
  reader.expectEnd('the global section');
  if (ownsFuel) writeFuelGlobal(out);
}

/** Writes the export section with the host table, and the counter when the module owns it. */
export function writeExports(reader: Reader, out: Writer, fuelGlobal: number, hostTable: number, ownsFuel: boolean): void {
  const count = reader.u32();
  out.u32(count + (ownsFuel ? 2 : 1));
  for (let left = count; left > 0; left--) {
    const start = reader.position;
    reader.name();
    const kind = reader.byte();
    out.copy(reader.bytes, start, reader.position);
    const index = reader.u32();
    out.u32(kind === KIND.global ? movedGlobal(index, fuelGlobal) : index);
  }
  reader.expectEnd('the export section');
  out.name(HOST_TABLE_EXPORT);
  out.byte(KIND.table);
  out.u32(hostTable);
  if (!ownsFuel) return;
  out.name(FUEL_EXPORT);
  out.byte(KIND.global);
  out.u32(fuelGlobal);
}

/** Writes the element section. The bits of `flags` mean: 1 not active, 2 with a table index or declared, 4 expressions. */
export function writeElements(reader: Reader, out: Writer, fuelGlobal: number): void {
  const count = reader.u32();
  out.u32(count);
  for (let left = count; left > 0; left--) {
    const flags = reader.u32();
    if (flags > 7) reader.refuse('an element segment of a form that the meter does not know');
    out.u32(flags);
    if ((flags & 1) === 0) {
      if ((flags & 2) !== 0) out.u32(reader.u32());
      copyConstant(reader, out, fuelGlobal);
    }
    if ((flags & 3) !== 0) out.byte(reader.byte());
    const entries = reader.u32();
    out.u32(entries);
    for (let entry = 0; entry < entries; entry++) {
      if ((flags & 4) === 0) out.u32(reader.u32());
      else copyConstant(reader, out, fuelGlobal);
    }
  }
  reader.expectEnd('the element section');
}

/** Writes the data section. */
export function writeData(reader: Reader, out: Writer, fuelGlobal: number): void {
  const count = reader.u32();
  out.u32(count);
  for (let left = count; left > 0; left--) {
    const flags = reader.u32();
    if (flags > 2) reader.refuse('a data segment of a form that the meter does not know');
    if (flags === 2 && reader.u32() !== 0) reader.refuse('more than one memory');
    out.u32(flags === 1 ? 1 : 0);
    if (flags !== 1) copyConstant(reader, out, fuelGlobal);
    const length = reader.u32();
    out.u32(length);
    const start = reader.position;
    reader.skip(length);
    out.copy(reader.bytes, start, reader.position);
  }
  reader.expectEnd('the data section');
}

/** Copies a constant expression, moving the globals that it reads. */
function copyConstant(reader: Reader, out: Writer, fuelGlobal: number): void {
  for (;;) {
    const start = reader.position;
    const opcode = reader.byte();
    if (opcode >= OP.block && opcode <= OP.else) reader.refuse('a block in a constant expression', start);
    if (opcode === OP.globalGet) {
      out.byte(opcode);
      out.u32(movedGlobal(reader.u32(), fuelGlobal));
      continue;
    }
    skipImmediates(reader, opcode, readSubOpcode(reader, opcode));
    out.copy(reader.bytes, start, reader.position);
    if (opcode === OP.end) return;
  }
}
