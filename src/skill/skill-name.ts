import { SandboxError } from '../errors.ts';

const MAX_NAME = 64;
const NAME = /^[a-z][a-z0-9-]*$/u;

/** The name in `skills/<name>`, when a specifier has that form; the ending `.ts` may stand behind it. */
export function skillNameOf(specifier: string): string | undefined {
  const name = specifier.startsWith('skills/') ? specifier.slice('skills/'.length).replace(/\.ts$/u, '') : '';
  return isSkillName(name) ? name : undefined;
}

/** Whether a skill may have this name: 1 to 64 small letters, digits and hyphens, a letter first. */
export function isSkillName(name: string): boolean {
  // A name of JavaScript's own objects is no danger in a Map, but would be one in the first object that is keyed by it.
  return name.length <= MAX_NAME && NAME.test(name) && !(name in Object.prototype);
}

/** @throws SandboxError ERR_SKILL_NAME */
export function checkSkillName(name: string): void {
  if (isSkillName(name)) return;
  const shown = JSON.stringify(name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name.toWellFormed());
  throw new SandboxError('ERR_SKILL_NAME', `${shown} is not a name for a skill.`);
}
