import type { SkillSet } from '../skill/skill-set.ts';
import type { CheckDiagnostic, CheckReport, CheckSource } from './checker.ts';

const MAX_DIAGNOSTICS = 10;

type Check = (source: CheckSource, signal: AbortSignal) => Promise<CheckReport>;

/**
 * What is wrong with skills among today's wrappers. Each is checked as if it were a program: so what was checked when it was saved,
 * or for another program, is known already.
 */
export async function skillReports(
  skills: SkillSet,
  { wrappers, owner }: Pick<CheckSource, 'wrappers' | 'owner'>,
  check: Check,
  signal: AbortSignal,
): Promise<CheckDiagnostic[]> {
  const reports = [...skills.modules.values()].map(async (module) => {
    const { diagnostics } = await check({ code: module.code, wrappers, skills: skills.importedBy(module.name), owner }, signal);
    return diagnostics.map((diagnostic) => inSkill(module.name, diagnostic));
  });
  return (await Promise.all(reports)).flat();
}

/** The program's own errors first. */
export function withSkills({ diagnostics }: CheckReport, more: readonly CheckDiagnostic[]): CheckReport {
  return { diagnostics: [...diagnostics, ...more].slice(0, MAX_DIAGNOSTICS) };
}

function inSkill(name: string, { location, message, ...rest }: CheckDiagnostic): CheckDiagnostic {
  return { ...rest, message: `The skill "${name}": ${message}`, ...(location && { location: { ...location, module: `skills/${name}` } }) };
}
