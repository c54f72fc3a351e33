import { FUEL_IMPORT, RESERVED_EXPORT_PREFIX } from './abi.ts';
import type { Place } from './failure.ts';
import { skipReferenceType, skipValueType } from './instructions.ts';
import { Reader } from './reader.ts';

export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
} as const;

/** The order in which sections stand in a module. */
export const SECTION_ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11] as const;

/** The magic number and the version. */
export const HEADER_LENGTH = 8;

const EMPTY_VECTOR = Uint8Array.of(0);

/** What the meter has to know of a module before it rewrites it. Counts of what is imported and of what is defined. */
export interface CoreModule {
  place: Place;
  bytes: Uint8Array;
  sections: ReadonlyMap<number, Reader>;
  /** The custom section with names of functions and others. */
  names: Reader | undefined;
  /** Each function type as the text of its bytes, and the number of its parameters. */
  types: string[];
  parameters: number[];
  /** The type of each defined function. */
  functionTypes: number[];
  imported: { functions: number; tables: number; memories: number; globals: number };
  defined: { tables: number; memories: number; globals: number };
}

/** Reads a module up to what the meter needs. Throws ERR_ENGINE_METER for forms that it does not know. */
export function readModule(name: string, bytes: Uint8Array): CoreModule {
  const place: Place = { module: name, functionIndex: -1 };
  const { sections, names } = readSections(new Reader(bytes, place));
  const module: CoreModule = {
    place,
    bytes,
    sections,
    names,
    types: [],
    parameters: [],
    functionTypes: [],
    imported: { functions: 0, tables: 0, memories: 0, globals: 0 },
    defined: { tables: 0, memories: 0, globals: 0 },
  };
  readTypes(sectionOf(module, SECTION.type), module);
  readImports(sectionOf(module, SECTION.import), module);
  const functions = sectionOf(module, SECTION.function);
  for (let count = functions.u32(); count > 0; count--) module.functionTypes.push(functions.u32());
  module.defined.tables = sectionOf(module, SECTION.table).u32();
  module.defined.memories = sectionOf(module, SECTION.memory).u32();
  module.defined.globals = sectionOf(module, SECTION.global).u32();
  refuseReservedExports(sectionOf(module, SECTION.export));
  if (module.imported.memories + module.defined.memories > 1) functions.refuse('more than one memory');
  return module;
}

/** A fresh reader of a section's contents; of an empty vector when the module has no such section. */
export function sectionOf(module: CoreModule, id: number): Reader {
  const section = module.sections.get(id);
  if (section === undefined) return new Reader(EMPTY_VECTOR, module.place);
  return new Reader(section.bytes, section.place, section.position, section.end);
}

/** Passes over the limits of a table or memory. Shared and 64-bit ones are refused. */
export function readLimits(reader: Reader): { minimum: number; maximum: number | undefined } {
  const flags = reader.byte();
  if (flags > 1) reader.refuse('a shared or 64-bit memory or table, or another form of limits that the meter does not know');
  return { minimum: reader.u32(), maximum: flags === 1 ? reader.u32() : undefined };
}

function readSections(reader: Reader): { sections: Map<number, Reader>; names: Reader | undefined } {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  if (header.some((byte) => reader.byte() !== byte)) reader.refuse('it is no core module of version 1');
  const sections = new Map<number, Reader>();
  let names: Reader | undefined;
  let order = -1;
  while (reader.position < reader.end) {
    const at = reader.position;
    const id = reader.byte();
    const contents = reader.slice(reader.u32());
    if (id === SECTION.custom) {
      if (contents.name() === 'name') names = contents;
      continue;
    }
    const place = SECTION_ORDER.findIndex((known) => known === id);
    if (place <= order) reader.refuse(place < 0 ? `an unknown section, ${id}` : 'a section out of order', at);
    order = place;
    sections.set(id, contents);
  }
  return { sections, names };
}

function readTypes(reader: Reader, module: CoreModule): void {
  for (let count = reader.u32(); count > 0; count--) {
    const at = reader.position;
    if (reader.byte() !== 0x60) reader.refuse('a type that is not a plain function type', at);
    const parameters = reader.u32();
    for (let left = parameters; left > 0; left--) skipValueType(reader);
    for (let left = reader.u32(); left > 0; left--) skipValueType(reader);
    module.types.push(reader.bytes.subarray(at, reader.position).join());
    module.parameters.push(parameters);
  }
  reader.expectEnd('the type section');
}

function readImports(reader: Reader, module: CoreModule): void {
  for (let count = reader.u32(); count > 0; count--) {
    const at = reader.position;
    if (reader.name() === FUEL_IMPORT.module) reader.refuse('it is metered already', at);
    reader.name();
    const kind = reader.byte();
    if (kind === 0) {
      reader.u32();
      module.imported.functions++;
    } else if (kind === 1) {
      skipReferenceType(reader);
      readLimits(reader);
      module.imported.tables++;
    } else if (kind === 2) {
      readLimits(reader);
      module.imported.memories++;
    } else if (kind === 3) {
      skipValueType(reader);
      reader.skip(1);
      module.imported.globals++;
    } else reader.refuse('an import of a kind that the meter does not know', at);
  }
  reader.expectEnd('the import section');
}

function refuseReservedExports(reader: Reader): void {
  for (let count = reader.u32(); count > 0; count--) {
    const at = reader.position;
    if (reader.name().startsWith(RESERVED_EXPORT_PREFIX)) reader.refuse('it is metered already', at);
    reader.skip(1);
    reader.u32();
  }
}
