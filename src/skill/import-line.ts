import type { SkillVersion } from './skill.ts';

const MAX_NAMES = 6;

/** The line that imports what a skill exports, ready to be pasted: functions and constants, or its types when there is nothing else. */
export function importLineOf({ name, exports }: Pick<SkillVersion, 'name' | 'exports'>): string {
  const values = exports.filter(({ kind }) => kind !== 'type');
  const names = (values.length > 0 ? values : exports).map((entry) => entry.name);
  if (names.length > MAX_NAMES) return `import * as ${camelCase(name)} from "skills/${name}";`;
  return `import ${values.length > 0 ? '' : 'type '}{ ${names.join(', ')} } from "skills/${name}";`;
}

function camelCase(name: string): string {
  return name.replaceAll(/-+([a-z0-9]?)/gu, (_, letter: string) => letter.toUpperCase());
}
