import { createHash } from 'node:crypto';
import { closureOf } from './closure.ts';
import type { SkillVersion } from './skill.ts';

/** A skill as programs import it: the version in use. */
export type SkillModule = Pick<SkillVersion, 'name' | 'version' | 'code' | 'exports' | 'depends'>;

/** The skills that one piece of code imports, and those that these import. Never changes: another version is another set. */
export interface SkillSet {
  /** Of all names and codes. */
  readonly hash: string;
  readonly modules: ReadonlyMap<string, SkillModule>;
  /** Every skill that could be imported, sorted: for what is said when one is not there, and looked up only then. */
  readonly names: () => readonly string[];
  /** The part that one of the skills imports, without itself; undefined when it imports none. */
  importedBy(name: string): SkillSet | undefined;
}

/** A set of the given modules. */
export function skillSet(found: Iterable<SkillModule>, names: () => readonly string[]): SkillSet {
  const sorted = [...found].sort((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const { name, code } of sorted) hash.update(`${name}\0${code.length}\0`).update(code, 'utf16le');
  const modules = new Map(sorted.map((module) => [module.name, module]));
  return {
    hash: hash.digest('hex'),
    modules,
    names,
    importedBy(name) {
      const { found: part } = closureOf(importsOf(modules.get(name)), (next) => modules.get(next), importsOf);
      return part.size === 0 ? undefined : skillSet(part.values(), names);
    },
  };
}

/** Names of the skills that a skill imports. */
export function importsOf(module: Pick<SkillModule, 'depends'> | undefined): string[] {
  return (module?.depends.skills ?? []).map(({ name }) => name);
}
