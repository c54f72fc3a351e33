import { readFile } from 'node:fs/promises';

/** The engine's core modules by their file names. */
export type EngineModules = ReadonlyMap<string, Uint8Array>;

/** Name and length of a module whose bytes are in a payload. */
export interface ModulePart {
  readonly name: string;
  readonly bytes: number;
}

const known = new WeakMap<object, EngineModules>();

/**
 * Reads the modules for an executor, which may not read them itself, once for each `paths`: the files were checked when the gateway
 * started, and an executor that is started again gets what was there then, whatever has become of them.
 * @param paths file name to path
 */
export async function readModules(paths: Readonly<Record<string, string>>): Promise<EngineModules> {
  const modules = known.get(paths) ?? (await readFiles(paths));
  known.set(paths, modules);
  return modules;
}

async function readFiles(paths: Readonly<Record<string, string>>): Promise<EngineModules> {
  const read = Object.entries(paths).map(async ([name, path]) => [name, await readFile(path)] as const);
  return new Map(await Promise.all(read));
}

/** All modules as one payload, and what is where in it. */
export function joinModules(modules: EngineModules): { parts: ModulePart[]; payload: Buffer } {
  const parts = [...modules].map(([name, { length }]) => ({ name, bytes: length }));
  return { parts, payload: Buffer.concat([...modules.values()]) };
}

/** The opposite of {@link joinModules}. */
export function splitModules(parts: readonly ModulePart[], payload: Buffer): EngineModules {
  let at = 0;
  return new Map(parts.map(({ name, bytes }) => [name, payload.subarray(at, (at += bytes))]));
}
