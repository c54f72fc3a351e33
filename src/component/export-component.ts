import { encodeSection, encodeU32, malformed, readSections, readU32 } from './binary.ts';
import { appendSegments } from './data-segments.ts';
import type { Delta } from './delta.ts';

/** Section ids: of a core module, then of a component. */
const MEMORY_SECTION = 5;
const DATA_SECTION = 11;
const DATA_COUNT_SECTION = 12;
const CORE_MODULE_SECTION = 1;
const COMPONENT_SECTION = 4;

const HAS_MAXIMUM = 1;
const SHARED = 2;

/**
 * A standalone, standard component of a program: the engine component whose memory begins as the program's. The delta becomes active
 * data segments of the core module that defines the memory, and that memory's minimum is raised to the delta's size; all else
 * stays as it is, byte for byte.
 * @param component the component that the delta was taken against.
 * @throws SandboxError ERR_COMPONENT_EXPORT when the component does not have exactly one memory with data, or a form that is not known.
 */
export function appendDelta(component: Uint8Array, delta: Delta): Uint8Array {
  const found: Uint8Array[] = [];
  const parts = rewriteComponent(component, delta, found);
  if (found.length !== 1) throw malformed(`it has ${found.length} core modules that define a memory with data, not one`);
  return Buffer.concat(parts);
}

/** @param found receives every core module that defines a memory and what is in it. */
function rewriteComponent(component: Uint8Array, delta: Delta, found: Uint8Array[]): Uint8Array[] {
  if (component[6] !== 1) throw malformed('it is not a component');
  const parts = [component.subarray(0, 8)];
  for (const { id, header, start, end } of readSections(component)) {
    const body = component.subarray(start, end);
    const before = found.length;
    const rewritten =
      id === CORE_MODULE_SECTION ? rewriteModule(body, delta, found) : id === COMPONENT_SECTION ? rewriteComponent(body, delta, found) : [];
    if (found.length === before) parts.push(component.subarray(header, end));
    else parts.push(...encodeSection(id, rewritten));
  }
  return parts;
}

function rewriteModule(module: Uint8Array, delta: Delta, found: Uint8Array[]): Uint8Array[] {
  const sections = readSections(module);
  const dataSection = sections.find(({ id }) => id === DATA_SECTION);
  // A memory without data is a stub's: an engine with a guest runtime in it has plenty.
  if (dataSection === undefined || !sections.some(({ id }) => id === MEMORY_SECTION)) return [module];
  found.push(module);
  const data = appendSegments(module.subarray(dataSection.start, dataSection.end), delta);
  const parts = [module.subarray(0, 8)];
  for (const { id, header, start, end } of sections) {
    if (id === MEMORY_SECTION) parts.push(...encodeSection(id, [raiseMinimum(module.subarray(start, end), delta.pages)]));
    else if (id === DATA_COUNT_SECTION) parts.push(...encodeSection(id, [Uint8Array.from(encodeU32(data.count))]));
    else if (id === DATA_SECTION) parts.push(...encodeSection(id, data.body));
    else parts.push(module.subarray(header, end));
  }
  return parts;
}

/** A memory section whose one memory is at least `pages` large. */
function raiseMinimum(body: Uint8Array, pages: number): Uint8Array {
  const count = readU32(body, 0);
  const flags = readU32(body, count.next);
  if (count.value !== 1 || (flags.value & ~(HAS_MAXIMUM | SHARED)) !== 0) throw malformed('its memory is of a kind that is not known');
  const minimum = readU32(body, flags.next);
  const raised = Math.max(minimum.value, pages);
  const limits = [1, ...encodeU32(flags.value), ...encodeU32(raised)];
  if ((flags.value & HAS_MAXIMUM) === 0) return Uint8Array.from(limits);
  return Uint8Array.from([...limits, ...encodeU32(Math.max(readU32(body, minimum.next).value, raised))]);
}
