import type { WrapperSet } from '../wrappers/wrapper-set.ts';
import type { CheckReport, CheckSource, Checker } from './checker.ts';

/** Tools that are tried one by one; each costs one more check of a program that fails anyway. */
const MAX_TRIED = 4;
/** A cast between types that do not overlap. */
const DOUBTFUL_CAST = 2352;

/**
 * A checker that holds no learned type against a program: what was fine while the tool's result was `unknown` (a cast to a type of its
 * own, a `typeof`) stays fine, whatever was learned since. A program that fails with the learned types is checked again without them,
 * and then without those of single tools.
 */
export function lenientToLearned(checker: Checker): Checker {
  return {
    ...checker,
    async check(source, signal) {
      const report = await checker.check(source, signal);
      if (report.diagnostics.length === 0 || source.wrappers.declared === undefined) return report;
      return forgive(checker, source, report, signal);
    },
  };
}

async function forgive(checker: Checker, source: CheckSource, report: CheckReport, signal: AbortSignal): Promise<CheckReport> {
  const { code, wrappers, skills } = source;
  const texts = [code, ...[...(skills?.modules.values() ?? [])].map((skill) => skill.code)];
  const named = learnedFiles(wrappers).filter(({ name }) => texts.some((text) => text.includes(name)));
  if (named.length === 0) return report;
  // A cast is the program's own word, and what was seen so far is no proof against it.
  if (report.diagnostics.every(({ tsCode }) => tsCode === DOUBTFUL_CAST)) return { diagnostics: [] };
  const declared = await checker.check({ ...source, wrappers: wrappers.declared ?? wrappers }, signal);
  if (declared.diagnostics.length === 0) return declared;
  let [best, forgiven]: [CheckReport, readonly string[]] = [report, []];
  for (const { path } of named.length > 1 ? named.slice(0, MAX_TRIED) : []) {
    const without = [...forgiven, path];
    const next = await checker.check({ ...source, wrappers: withoutLearned(wrappers, without) }, signal);
    if (next.diagnostics.length < best.diagnostics.length) [best, forgiven] = [next, without];
    if (best.diagnostics.length === 0) return best;
  }
  return report;
}

/** The files that have a learned type, with the names of their functions. */
function learnedFiles({ tools }: WrapperSet): { name: string; path: string }[] {
  return tools
    .filter(({ learnedSignature }) => learnedSignature !== undefined)
    .map(({ folder, functionName }) => ({ name: functionName, path: `${folder}/${functionName}.ts` }));
}

function withoutLearned(wrappers: WrapperSet, paths: readonly string[]): WrapperSet {
  const files = new Map(wrappers.files);
  for (const path of paths) files.set(path, wrappers.declared?.files.get(path) ?? '');
  return { ...wrappers, hash: `${wrappers.hash} without ${paths.join()}`, files };
}
