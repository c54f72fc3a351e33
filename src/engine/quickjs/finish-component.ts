import { leb, readLeb, readSections, rewriteSections, unsupported, type Cursor } from '../snapshot/wasm-sections.ts';

/** Section ids of a component (Component Model, binary format). */
const CORE_MODULE = 1;
const COMPONENT = 4;
const EXPORT = 11;
/** The sort of an exported function. */
const FUNCTION = 1;

/**
 * `component` with one of its core modules replaced, however deep it is nested, and without the exported function `spent`.
 * All else stays as it is, byte for byte.
 *
 * @throws SandboxError ERR_ENGINE_BUILD when the module or the export is not there.
 */
export function finishComponent(component: Uint8Array, module: { from: Uint8Array; to: Uint8Array }, spent: string): Uint8Array {
  const replaced = replaceModule(component, module);
  if (replaced === component) throw unsupported('no core module like the one to replace');
  return removeExport(replaced, spent);
}

function replaceModule(component: Uint8Array, module: { from: Uint8Array; to: Uint8Array }): Uint8Array {
  const holds = [...readSections(component)].some(
    ({ id, body }) =>
      (id === CORE_MODULE || id === COMPONENT) && Buffer.from(body.buffer, body.byteOffset, body.length).includes(Buffer.from(module.from)),
  );
  if (!holds) return component;
  return rewriteSections(component, ({ id, body }) => {
    if (id === COMPONENT) return replaceModule(body, module);
    return id === CORE_MODULE && Buffer.compare(body, module.from) === 0 ? module.to : body;
  });
}

/**
 * Every export of a function is also a new function of the component, so those that follow get the number before. Only exports at the
 * top level refer to them.
 */
function removeExport(component: Uint8Array, spent: string): Uint8Array {
  const sections = [...readSections(component)].filter(({ id }) => id === EXPORT);
  const index = sections.findIndex(({ body }) => readExport(body).name === spent);
  const found = sections[index];
  if (!found) throw unsupported(`no export ${spent}`);
  const removed = readExport(found.body).item + 1;
  const later = new Set(sections.slice(index + 1).map(({ body }) => body));
  const parts = [component.subarray(0, 8)];
  for (const { id, body } of readSections(component)) {
    if (body.byteOffset === found.body.byteOffset && id === EXPORT) continue;
    const isLater = id === EXPORT && [...later].some(({ byteOffset }) => byteOffset === body.byteOffset);
    const kept = isLater ? renumbered(body, removed) : body;
    parts.push(Uint8Array.of(id, ...leb(kept.length)), kept);
  }
  return Buffer.concat(parts);
}

interface Export {
  readonly name: string;
  /** Where the number of the exported function stands, the number, and where it ends. */
  readonly start: number;
  readonly item: number;
  readonly end: number;
}

/** A section with one export of a function: count, kind of name, name, sort, number, no type. */
function readExport(body: Uint8Array): Export {
  const cursor: Cursor = { bytes: body, at: 0 };
  if (readLeb(cursor) !== 1) throw unsupported('a section of several exports');
  cursor.at++;
  const length = readLeb(cursor);
  const name = Buffer.from(body.subarray(cursor.at, cursor.at + length)).toString('utf8');
  cursor.at += length;
  if (body[cursor.at++] !== FUNCTION) throw unsupported(`an export ${name} that is not a function`);
  const start = cursor.at;
  return { name, start, item: readLeb(cursor), end: cursor.at };
}

function renumbered(body: Uint8Array, removed: number): Uint8Array {
  const { start, item, end } = readExport(body);
  if (item < removed) return body;
  return Buffer.concat([body.subarray(0, start), Uint8Array.from(leb(item - 1)), body.subarray(end)]);
}
