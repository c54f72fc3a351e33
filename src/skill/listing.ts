import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import { importLineOf } from './import-line.ts';
import type { SkillVersion } from './skill.ts';
import { importsOf } from './skill-set.ts';
import type { SkillStore } from './skill-store.ts';
import { toolNote } from './skills.ts';

/** A skill as a search shows it. */
export interface ListedSkill {
  readonly kind: 'skill';
  readonly name: string;
  readonly description: string;
  /** One line of TypeScript for each. */
  readonly exports: readonly string[];
  readonly importLine: string;
  readonly code: string;
  /** What has changed since it was saved about its tools, or is missing. */
  readonly note?: string;
}

/** The skills that a principal may import. The same list as long as neither they nor the wrappers changed. */
export type ListSkills = (principal: string, wrappers: WrapperSet) => readonly ListedSkill[];

/** Principals whose lists are kept. */
const MAX_KEPT = 32;

/** Lists what is in a store. */
export function createSkillLister(store: Pick<SkillStore, 'changes' | 'list'>): ListSkills {
  const kept = new Map<string, { changes: number; wrappers: WrapperSet; list: readonly ListedSkill[] }>();
  return (principal, wrappers) => {
    const changes = store.changes();
    const known = kept.get(principal);
    if (known?.changes === changes && known.wrappers === wrappers) return known.list;
    const skills = store.list(principal);
    const names = new Set(skills.map(({ name }) => name));
    const list = skills.map((skill) => toListed(skill, wrappers, names));
    kept.delete(principal);
    kept.set(principal, { changes, wrappers, list });
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return list;
  };
}

function toListed(skill: SkillVersion, wrappers: WrapperSet, names: ReadonlySet<string>): ListedSkill {
  const { name, description, code } = skill;
  const exports = skill.exports.map(({ signature }) => signature);
  const lost = importsOf(skill).filter((imported) => !names.has(imported));
  const notes = [toolNote(skill, wrappers), ...(lost.length > 0 ? [`It imports what is no more: ${lost.join(', ')}.`] : [])];
  const note = notes.filter((part) => part !== undefined).join(' ');
  return { kind: 'skill', name, description, exports, importLine: importLineOf(skill), code, ...(note !== '' && { note }) };
}
