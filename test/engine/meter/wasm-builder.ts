/** Just enough of an assembler to write small core modules in tests. Numbers are LEB128-encoded by `u` and `s`. */
export type Bytes = readonly number[];

export const I32 = 0x7f;

export function u(value: number): Bytes {
  const low = value & 0x7f;
  const rest = value >>> 7;
  return rest === 0 ? [low] : [low | 0x80, ...u(rest)];
}

export function s(value: number): Bytes {
  const low = value & 0x7f;
  const rest = value >> 7;
  const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return done ? [low] : [low | 0x80, ...s(rest)];
}

export function text(value: string): Bytes {
  const bytes = [...new TextEncoder().encode(value)];
  return [...u(bytes.length), ...bytes];
}

export function vector(entries: readonly Bytes[]): Bytes {
  return [...u(entries.length), ...entries.flat()];
}

export interface FunctionSpec {
  parameters?: Bytes;
  results?: Bytes;
  /** Value types of the locals. */
  locals?: Bytes;
  /** Without the closing `end`. */
  code: Bytes;
  name?: string;
}

export interface ModuleSpec {
  functions: readonly FunctionSpec[];
  /** Entries of sections, as bytes. */
  imports?: readonly Bytes[];
  importedFunctions?: number;
  tables?: readonly Bytes[];
  memories?: readonly Bytes[];
  globals?: readonly Bytes[];
  exports?: readonly Bytes[];
  start?: number;
  elements?: readonly Bytes[];
  data?: readonly Bytes[];
}

const HEADER: Bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Function type n is the type of function n; imports use the types after those, given in `extraTypes`. */
export function buildModule(spec: ModuleSpec, extraTypes: readonly Bytes[] = []): Uint8Array {
  const { functions, importedFunctions = 0 } = spec;
  const types = functions.map((f) => [
    0x60,
    ...u(f.parameters?.length ?? 0),
    ...(f.parameters ?? []),
    ...u(f.results?.length ?? 0),
    ...(f.results ?? []),
  ]);
  const exports = functions.flatMap((f, index) => (f.name === undefined ? [] : [[...text(f.name), 0, ...u(importedFunctions + index)]]));
  const bodies = functions.map((f) => {
    const body = [...vector((f.locals ?? []).map((type) => [1, type])), ...f.code, 0x0b];
    return [...u(body.length), ...body];
  });
  return Uint8Array.from([
    ...HEADER,
    ...section(1, [...types, ...extraTypes]),
    ...section(2, spec.imports),
    ...section(
      3,
      functions.map((_, index) => u(index)),
    ),
    ...section(4, spec.tables),
    ...section(5, spec.memories),
    ...section(6, spec.globals),
    ...section(7, [...exports, ...(spec.exports ?? [])]),
    ...(spec.start === undefined ? [] : [8, 1, spec.start]),
    ...section(9, spec.elements),
    ...(spec.data === undefined ? [] : [12, 1, spec.data.length]),
    ...section(10, bodies),
    ...section(11, spec.data),
  ]);
}

function section(id: number, entries: readonly Bytes[] | undefined): Bytes {
  if (entries === undefined || entries.length === 0) return [];
  const contents = vector(entries);
  return [id, ...u(contents.length), ...contents];
}
