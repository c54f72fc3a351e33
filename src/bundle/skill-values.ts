import type { SkillModule } from '../skill/skill-set.ts';

/** The names of a skill's exports that there are at run time. */
export function valuesOf({ exports }: Pick<SkillModule, 'exports'>): string[] {
  return exports.filter(({ kind }) => kind !== 'type').map(({ name }) => name);
}
