import { HEADER_LENGTH, SECTION, SECTION_ORDER, sectionOf } from './module.ts';
import type { CoreModule } from './module.ts';
import { skipValueType } from './instructions.ts';
import { BodyScan } from './scan.ts';
import { moveSection, writeMemories } from './sections.ts';
import { Writer } from './writer.ts';

/** What a function of a module without a meter may cost at most. */
const TRAMPOLINE_LIMIT = 64;

/**
 * Whether a module has no code to meter: each of its functions is short, has no loop, touches neither the size of a memory
 * nor a bulk operation, and makes at most one call. Such a function does a bounded number of instructions and hands over to
 * at most one other, so a chain of them ends with the stack, and can be begun again only by metered code or the host. It
 * holds whatever its tables contain.
 */
export function isTrampolines(module: CoreModule): boolean {
  const reader = sectionOf(module, SECTION.code);
  const scan = new BodyScan(false);
  const first = module.imported.functions;
  for (let left = reader.u32(), index = 0; left > 0; left--, index++) {
    module.place.functionIndex = first + index;
    const body = reader.slice(reader.u32());
    for (let groups = body.u32(); groups > 0; groups--) {
      body.u32();
      skipValueType(body);
    }
    scan.run(body);
    const heavy = scan.loops + scan.bulk + scan.hostCalls > 0;
    module.place.functionIndex = -1;
    if (heavy || scan.calls > 1 || scan.plan.total > TRAMPOLINE_LIMIT) return false;
  }
  return true;
}

/** A module of trampolines as it is, but for the maximum of the memory that it may define. */
export function boundTrampolines(module: CoreModule, maximumPages: number): Uint8Array {
  if (module.defined.memories === 0) return module.bytes;
  const out = new Writer(1 << 20);
  const contents = new Writer(1 << 20);
  out.copy(module.bytes, 0, HEADER_LENGTH);
  for (const id of SECTION_ORDER) {
    if (!module.sections.has(id)) continue;
    const reader = sectionOf(module, id);
    if (id === SECTION.memory) writeMemories(reader, contents, maximumPages);
    else contents.copy(reader.bytes, reader.position, reader.end);
    moveSection(id, contents, out);
  }
  return out.view().slice();
}
