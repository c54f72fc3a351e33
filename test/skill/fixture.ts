import type { Bundler } from '../../src/bundle/bundler.ts';
import { skillSet, type SkillModule, type SkillSet } from '../../src/skill/skill-set.ts';
import { importedNames } from '../../src/skill/skills.ts';
import type { ToolDependency } from '../../src/skill/skill.ts';

const SIGNAL = new AbortController().signal;

/** Skills of the given codes, as if each had been saved once. */
export async function skillsOf(
  bundler: Bundler,
  codes: Record<string, string>,
  tools: Record<string, ToolDependency[]> = {},
): Promise<SkillSet> {
  const modules = Object.entries(codes).map(async ([name, code]): Promise<SkillModule> => {
    const { scan, text } = await bundler.readModule(code, SIGNAL);
    const skills = importedNames(code).map((imported) => ({ name: imported, version: 1 }));
    return { name, version: 1, code: text, exports: scan.exports, depends: { tools: tools[name] ?? [], skills } };
  });
  return skillSet(await Promise.all(modules), () => Object.keys(codes).sort());
}
