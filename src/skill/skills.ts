import { type Diagnostic, SandboxError } from '../errors.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import { closureOf, drawCircle, MAX_MODULES } from './closure.ts';
import { importsOf, skillSet, type SkillSet } from './skill-set.ts';
import type { SkillStore } from './skill-store.ts';
import { changedTools } from './tool-hashes.ts';

/** As an import stands in code. What is found too much costs a look into the store and changes nothing. */
const IMPORT = /\b(?:from|import)(?:\s*\(\s*|\s*)(["'`])skills\/([a-z][a-z0-9-]{0,63})(?:\.ts)?\1/gu;
/** Names that are looked up for one piece of code. */
const MAX_NAMES = 200;

/** Where the skills of code are looked up. */
export type SkillSource = Pick<SkillStore, 'find' | 'names'>;

/**
 * The skills that a piece of code imports, as the principal uses them now; undefined for code that names none, which is told
 * without asking the store. Names without a skill are left to the bundler to explain.
 * @throws SandboxError ERR_BUNDLE_IMPORT for a circle, or too many; ERR_SKILL_STORE
 */
export function skillsIn(code: string, store: SkillSource, principal: string): SkillSet | undefined {
  if (!code.includes('skills/')) return undefined;
  const imports = importedNames(code);
  const { found, circle, isTooLarge } = closureOf(imports, (name) => store.find(name, principal), importsOf);
  if (circle !== undefined) {
    throw new SandboxError('ERR_BUNDLE_IMPORT', `Skills import each other in a circle: ${drawCircle(circle)}.`, {
      hint: 'Save one of them again without its import.',
    });
  }
  if (isTooLarge) {
    throw new SandboxError('ERR_BUNDLE_IMPORT', `The code needs more than ${MAX_MODULES} skills, with those that its skills import.`);
  }
  return skillSet(found.values(), () => store.names(principal));
}

/** The names in the text's imports of skills. */
export function importedNames(code: string): string[] {
  return [...new Set([...code.matchAll(IMPORT)].slice(0, MAX_NAMES).map((match) => match[2] ?? ''))];
}

/** A warning for each skill whose tools are not what they were when it was saved. */
export function toolWarnings(set: SkillSet | undefined, wrappers: WrapperSet): Diagnostic[] {
  return [...(set?.modules.values() ?? [])].flatMap((module) => {
    const note = toolNote(module, wrappers);
    return note === undefined ? [] : [{ code: 'WARN_SKILL_TOOLS_CHANGED', message: `The skill "${module.name}": ${note}` }];
  });
}

/** What has changed about a skill's tools since it was saved, in a sentence. */
export function toolNote(skill: Parameters<typeof changedTools>[0], wrappers: WrapperSet): string | undefined {
  const { changed, gone } = changedTools(skill, wrappers);
  const parts = [
    ...(changed.length > 0 ? [`${list(changed)} changed since it was saved`] : []),
    ...(gone.length > 0 ? [`${list(gone)} cannot be called now`] : []),
  ];
  return parts.length === 0 ? undefined : `${parts.join('; ')}.`;
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}
