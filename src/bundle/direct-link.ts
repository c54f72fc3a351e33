import { AMPOULE_EXPORTS } from './ampoule-module.ts';
import type { Binding } from './scan-result.ts';
import { type ModuleWorld, resolveAgentImport } from './specifiers.ts';
import type { WrapperLinker } from './wrapper-linker.ts';

/** Imports as plain declarations: what stands in front of the program's function, in scopes of its own. */
export interface DirectLink {
  /** Statements in whose scope nothing of the agent's is declared. */
  readonly outer: string;
  /** Statements that declare the imported names. */
  readonly inner: string;
}

/**
 * Links a program that imports only wrappers and `ampoule`. esbuild would ask back for every module, which costs more than all
 * that it then does.
 * @param prefix - begins names that do not occur in the agent's text.
 * @returns undefined when there is something that only the bundler can do, or explain.
 * @throws SandboxError ERR_BUNDLE_FAILED
 */
export async function linkDirectly(
  bindings: readonly Binding[],
  world: ModuleWorld,
  linker: WrapperLinker,
  prefix: string,
): Promise<DirectLink | undefined> {
  const modules = new LinkedModules(world, linker, prefix);
  const inner: string[] = [];
  for (const { specifier, local, imported, members } of bindings) {
    const parts = partsOf(specifier, imported === '*' ? members : [imported], world);
    if (parts === undefined) return undefined;
    const values = await Promise.all(parts.map((part) => modules.valueOf(part)));
    if (values.includes(undefined)) return undefined;
    const properties = parts.map(({ name }, at) => `${name}:${values[at]}`);
    inner.push(`const ${local}=${imported === '*' ? `Object.freeze({__proto__:null,${properties.join()}})` : values[0]};`);
  }
  return { outer: modules.declarations.join(''), inner: inner.join('') };
}

/** Wrapper files as constants, each once. */
class LinkedModules {
  readonly #world: ModuleWorld;
  readonly #linker: WrapperLinker;
  readonly #prefix: string;
  readonly #constants = new Map<string, string>();
  readonly declarations: string[] = [];

  constructor(world: ModuleWorld, linker: WrapperLinker, prefix: string) {
    [this.#world, this.#linker, this.#prefix] = [world, linker, prefix];
  }

  /** An expression for an export; undefined when there is none of that name. */
  async valueOf({ name, path }: Part): Promise<string | undefined> {
    if (path === undefined) return `${this.#constant('', 'ampoule')}.${name}`;
    const { expression, names } = await this.#linker.loadObject(path, this.#world);
    return names.has(name) ? `${this.#constant(path, expression)}.${name}` : undefined;
  }

  #constant(key: string, expression: string): string {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `${this.#prefix}${this.#constants.size}`;
    this.#constants.set(key, name);
    this.declarations.push(`const ${name}=${expression};`);
    return name;
  }
}

interface Part {
  readonly name: string;
  /** The wrapper file that has it; none for the host's own. */
  readonly path?: string;
}

/** The exports that an import needs (undefined: all), and where they are; undefined when that is not plain. */
function partsOf(specifier: string, wanted: readonly string[] | undefined, world: ModuleWorld): Part[] | undefined {
  const resolution = resolveAgentImport(specifier, world);
  if (resolution.kind === 'ampoule') {
    const all: readonly string[] = AMPOULE_EXPORTS;
    return (wanted ?? all).every((name) => all.includes(name)) ? (wanted ?? all).map((name) => ({ name })) : undefined;
  }
  if (resolution.kind !== 'wrapper' || wanted === undefined) return undefined;
  const { path } = resolution;
  // Each function has a file of its own: the others of its server need not come along.
  const folder = path.endsWith('/index.ts') ? path.slice(0, -'index.ts'.length) : undefined;
  const parts = wanted.map((name) => ({ name, path: folder === undefined ? path : `${folder}${name}.ts` }));
  return parts.every((part) => world.files.has(part.path)) ? parts : undefined;
}
