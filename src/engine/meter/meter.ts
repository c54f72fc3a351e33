import { SandboxError } from '../../errors.ts';
import { BodyWriter } from './body.ts';
import type { BodyTarget } from './body.ts';
import { refuse } from './failure.ts';
import { BranchHints } from './hints.ts';
import { HEADER_LENGTH, SECTION, SECTION_ORDER, readLimits, readModule, sectionOf } from './module.ts';
import type { CoreModule } from './module.ts';
import { BodyScan } from './scan.ts';
import {
  appendEntries,
  moveSection,
  writeData,
  writeElements,
  writeExports,
  writeFuelImport,
  writeGlobals,
  writeMemories,
  writeTables,
} from './sections.ts';
import { boundTrampolines, isTrampolines } from './trampolines.ts';
import { Writer } from './writer.ts';

export { METER_VERSION } from './abi.ts';

export interface MeterOptions {
  /** The module that defines the counter; null: all import it, and the host makes it. */
  owner: string | null;
  /** The most that a memory may grow to, in pages of 64 KiB. */
  maximumPages: number;
}

/** The function types through which a module calls the host, as bytes: `refuel`, `size`, `grow`. */
const HOST_TYPES = [
  [0x60, 0, 0],
  [0x60, 0, 1, 0x7f],
  [0x60, 1, 0x7f, 1, 0x7f],
] as const;

/** One module while it is rewritten. */
interface Job {
  module: CoreModule;
  target: BodyTarget;
  ownsFuel: boolean;
  maximumPages: number;
  /** Function types that the module lacks. */
  addedTypes: readonly (readonly number[])[];
  /** The new code section, and what it says about its branches. */
  code: Writer;
  hints: BranchHints;
}

/**
 * Rewrites core modules so that they pay for what they execute from one counter of fuel, ask the host for the size and
 * growth of their memory, and can be interrupted; see `abi.ts`. Pure: equal input gives equal bytes. A module that holds
 * nothing but trampolines stays as it is, but for the maximum of its memory.
 *
 * @param modules all that an engine is made of, in the order in which they are made.
 * @throws SandboxError ERR_ENGINE_METER, with the module, function and offset, for everything that the meter does not know.
 */
export function meterModules(modules: ReadonlyMap<string, Uint8Array>, options: MeterOptions): Map<string, Uint8Array> {
  if (options.owner !== null && !modules.has(options.owner)) {
    throw new SandboxError('ERR_ENGINE_METER', `The owner of the fuel counter, "${options.owner}", is none of the modules.`, {
      hint: `Name one of: ${[...modules.keys()].join(', ')}.`,
    });
  }
  const metered = new Map<string, Uint8Array>();
  const found: Found = { counter: options.owner === null, memory: false };
  for (const [name, bytes] of modules) {
    const module = readModule(name, bytes);
    metered.set(name, rewrite(module, name === options.owner, found, options.maximumPages));
    // An invalid module could name the counter or the host table by the index that they get, and become valid.
    if (!WebAssembly.validate(bytes.slice())) refuse(module.place, 0, 'it is not valid');
  }
  return metered;
}

/** What the modules so far have: the host grows one memory, and a module cannot import a counter that is not there yet. */
interface Found {
  counter: boolean;
  memory: boolean;
}

function rewrite(module: CoreModule, ownsFuel: boolean, found: Found, maximumPages: number): Uint8Array {
  if (definesPages(module)) {
    if (found.memory) refuse(module.place, 0, 'a second memory, besides that of a module before it');
    found.memory = true;
  }
  if (!ownsFuel && isTrampolines(module)) return boundTrampolines(module, maximumPages);
  found.counter ||= ownsFuel;
  if (!found.counter) refuse(module.place, 0, 'it has code to meter and is made before the owner of the counter');
  return meterModule(module, ownsFuel, maximumPages);
}

/** Stub modules have a memory without pages. The host never lets it grow. */
function definesPages(module: CoreModule): boolean {
  const reader = sectionOf(module, SECTION.memory);
  return reader.u32() > 0 && readLimits(reader).minimum > 0;
}

function meterModule(module: CoreModule, ownsFuel: boolean, maximumPages: number): Uint8Array {
  if (module.sections.has(SECTION.start)) {
    sectionOf(module, SECTION.start).refuse('a start function, which would run before the host can fill the host table');
  }
  const job = planJob(module, ownsFuel, maximumPages);
  writeCode(job);
  const out = new Writer(1 << 20);
  const contents = new Writer(1 << 20);
  out.copy(module.bytes, 0, HEADER_LENGTH);
  for (const id of SECTION_ORDER) {
    if (id === SECTION.code) {
      job.hints.write(contents);
      moveSection(SECTION.custom, contents, out);
    }
    if (writeSection(job, id, contents)) moveSection(id, contents, out);
  }
  if (ownsFuel && module.names !== undefined) {
    // No function moved. All other custom sections go: the offsets in them would be wrong.
    contents.name('name');
    contents.copy(module.names.bytes, module.names.position, module.names.end);
    moveSection(SECTION.custom, contents, out);
  }
  return out.view().slice();
}

function planJob(module: CoreModule, ownsFuel: boolean, maximumPages: number): Job {
  const { imported, defined } = module;
  const known = [...module.types];
  const addedTypes = HOST_TYPES.filter((type) => !known.includes(type.join()));
  known.push(...addedTypes.map((type) => type.join()));
  const [refuelType, sizeType, growType] = HOST_TYPES.map((type) => known.indexOf(type.join())) as [number, number, number];
  const target: BodyTarget = {
    // Behind all globals, so that none moves; an import can only stand behind the other imports.
    fuelGlobal: imported.globals + (ownsFuel ? defined.globals : 0),
    hostTable: imported.tables + defined.tables,
    refuelType,
    sizeType,
    growType,
  };
  const code = new Writer(1 << 20);
  return { module, target, ownsFuel, maximumPages, addedTypes, code, hints: new BranchHints() };
}

/** Writes the new contents of a section to `out`; false: the new module has no such section. */
function writeSection(job: Job, id: (typeof SECTION_ORDER)[number], out: Writer): boolean {
  const { module, target, ownsFuel } = job;
  const reader = sectionOf(module, id);
  switch (id) {
    case SECTION.type:
      appendEntries(reader, out, job.addedTypes.length, () => job.addedTypes.forEach((type) => out.copy(Uint8Array.from(type))));
      return true;
    case SECTION.import:
      appendEntries(reader, out, ownsFuel ? 0 : 1, () => ownsFuel || writeFuelImport(out));
      return true;
    case SECTION.table:
      writeTables(reader, out);
      return true;
    case SECTION.memory:
      writeMemories(reader, out, job.maximumPages);
      return true;
    case SECTION.global:
      writeGlobals(reader, out, target.fuelGlobal, ownsFuel);
      return true;
    case SECTION.export:
      writeExports(reader, out, target.fuelGlobal, target.hostTable, ownsFuel);
      return true;
    case SECTION.element:
      writeElements(reader, out, target.fuelGlobal);
      return true;
    case SECTION.code:
      out.copy(job.code.view());
      return true;
    case SECTION.data:
      writeData(reader, out, target.fuelGlobal);
      return true;
    case SECTION.function:
    case SECTION.start:
    case SECTION.dataCount:
      if (!module.sections.has(id)) return false;
      out.copy(reader.bytes, reader.position, reader.end);
      return true;
  }
}

function writeCode(job: Job): void {
  const { module, target, code: out, hints } = job;
  const reader = sectionOf(module, SECTION.code);
  const count = reader.u32();
  if (count !== module.functionTypes.length) reader.refuse('it has more or fewer function bodies than functions');
  out.u32(count);
  const scan = new BodyScan(!job.ownsFuel);
  const writer = new BodyWriter(target, hints);
  for (const [index, type] of module.functionTypes.entries()) {
    module.place.functionIndex = module.imported.functions + index;
    const parameters = module.parameters[type] ?? reader.refuse('a function of a type that does not exist');
    const body = writer.rewrite(reader.slice(reader.u32()), parameters, scan);
    out.u32(body.length);
    out.copy(body);
    hints.endFunction(module.place.functionIndex);
  }
  module.place.functionIndex = -1;
  reader.expectEnd('the code section');
}
