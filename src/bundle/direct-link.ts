import type { SourceLocation } from '../errors.ts';
import { AMPOULE_EXPORTS } from './ampoule-module.ts';
import type { Binding } from './scan-result.ts';
import type { SkillLinker, SkillObject } from './skill-linker.ts';
import { valuesOf } from './skill-values.ts';
import { type ModuleWorld, resolveAgentImport } from './specifiers.ts';
import type { WrapperLinker } from './wrapper-linker.ts';

/** Imports as plain declarations: what stands in front of the program's function, in scopes of its own. */
export interface DirectLink {
  /** Statements in whose scope nothing of the agent's is declared. */
  readonly outer: string;
  /** Statements that declare the imported names. */
  readonly inner: string;
  /** The place in a skill for an offset in `outer`. */
  readonly inSkill: (offset: number) => SourceLocation | undefined;
}

/** What modules are linked with. */
export interface Linkers {
  readonly linker: WrapperLinker;
  readonly skills: SkillLinker;
}

/**
 * Links a program that imports only wrappers, skills and `ampoule`. esbuild would ask back for every module, which costs more than all
 * that it then does.
 * @param prefix - begins names that do not occur in the agent's text.
 * @returns undefined when there is something that only the bundler can do, or explain.
 * @throws SandboxError ERR_BUNDLE_FAILED
 */
export async function linkDirectly(
  bindings: readonly Binding[],
  world: ModuleWorld,
  linkers: Linkers,
  prefix: string,
): Promise<DirectLink | undefined> {
  const modules = new LinkedModules(world, linkers, prefix);
  const skills = bindings.map(({ specifier }) => skillNamed(specifier, world)).filter((name) => name !== undefined);
  if (skills.length > 0 && !(await modules.addSkills([...new Set(skills)].sort()))) return undefined;
  const inner: string[] = [];
  for (const { specifier, local, imported, members } of bindings) {
    const skill = skillNamed(specifier, world);
    if (skill !== undefined && imported === '*') {
      inner.push(`const ${local}=${modules.skill(skill)};`);
      continue;
    }
    const parts = partsOf(specifier, imported === '*' ? members : [imported], world);
    if (parts === undefined) return undefined;
    const values = await Promise.all(parts.map((part) => modules.valueOf(part)));
    if (values.includes(undefined)) return undefined;
    const properties = parts.map(({ name }, at) => `${name}:${values[at]}`);
    inner.push(`const ${local}=${imported === '*' ? modules.whole(specifier, properties) : values[0]};`);
  }
  return { outer: modules.declarations.join(''), inner: inner.join(''), inSkill: (offset) => modules.inSkill(offset) };
}

/** The skill that a specifier names. */
function skillNamed(specifier: string, world: ModuleWorld): string | undefined {
  const resolution = specifier.startsWith('skills/') ? resolveAgentImport(specifier, world) : undefined;
  return resolution?.kind === 'skill' ? resolution.name : undefined;
}

/** Wrapper files as constants, each once, and all skills as another. */
class LinkedModules {
  readonly #world: ModuleWorld;
  readonly #linkers: Linkers;
  readonly #prefix: string;
  readonly #constants = new Map<string, string>();
  readonly declarations: string[] = [];
  #skills: SkillObject | undefined;
  #skillsAt = 0;

  constructor(world: ModuleWorld, linkers: Linkers, prefix: string) {
    [this.#world, this.#linkers, this.#prefix] = [world, linkers, prefix];
  }

  /** Before anything else; false when they cannot be linked. */
  async addSkills(names: readonly string[]): Promise<boolean> {
    this.#skills = await this.#linkers.skills.load(names, this.#world);
    if (this.#skills === undefined) return false;
    const name = this.#constant('skills', this.#skills.expression);
    this.#skillsAt = `const ${name}=`.length;
    return true;
  }

  /** An expression for the module of a skill. */
  skill(name: string): string {
    return `${this.#constant('skills', '')}.${this.#skills?.properties.get(name)}`;
  }

  /** An expression for a module of these properties. Made where no name is the agent's: it may have called an import `Object`. */
  whole(specifier: string, properties: readonly string[]): string {
    return this.#constant(`* of ${specifier}`, `Object.freeze({__proto__:null,${properties.join()}})`);
  }

  /** The place in a skill for an offset in the declarations. */
  inSkill(offset: number): SourceLocation | undefined {
    const at = offset - this.#skillsAt;
    return this.#skills !== undefined && at < this.#skills.expression.length ? this.#skills.locate(at) : undefined;
  }

  /** An expression for an export; undefined when there is none of that name. */
  async valueOf({ name, path, skill }: Part): Promise<string | undefined> {
    if (skill !== undefined) return `${this.skill(skill)}.${name}`;
    if (path === undefined) return `${this.#constant('', 'ampoule')}.${name}`;
    const { expression, names } = await this.#linkers.linker.loadObject(path, this.#world);
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
  /** The skill that has it. */
  readonly skill?: string;
}

/** The exports that an import needs (undefined: all), and where they are; undefined when that is not plain. */
function partsOf(specifier: string, wanted: readonly string[] | undefined, world: ModuleWorld): Part[] | undefined {
  const resolution = resolveAgentImport(specifier, world);
  if (resolution.kind === 'ampoule') {
    const all: readonly string[] = AMPOULE_EXPORTS;
    return (wanted ?? all).every((name) => all.includes(name)) ? (wanted ?? all).map((name) => ({ name })) : undefined;
  }
  if (resolution.kind === 'skill') {
    const { name: skill } = resolution;
    const values = world.skills?.modules.get(skill);
    const isKnown = wanted !== undefined && values !== undefined && wanted.every((name) => valuesOf(values).includes(name));
    return isKnown ? wanted.map((name) => ({ name, skill })) : undefined;
  }
  if (resolution.kind !== 'wrapper' || wanted === undefined) return undefined;
  const { path } = resolution;
  // Each function has a file of its own: the others of its server need not come along.
  const folder = path.endsWith('/index.ts') ? path.slice(0, -'index.ts'.length) : undefined;
  const parts = wanted.map((name) => ({ name, path: folder === undefined ? path : `${folder}${name}.ts` }));
  return parts.every((part) => world.files.has(part.path)) ? parts : undefined;
}
