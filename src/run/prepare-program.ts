import type { Bundle } from '../bundle/bundle.ts';
import type { Bundler } from '../bundle/bundler.ts';
import { localeWarnings } from '../bundle/locale-warnings.ts';
import { checkError, type CheckMode, type CheckReport, type Checker } from '../check/checker.ts';
import { programKey } from '../component/program-key.ts';
import type { Config } from '../config/schema.ts';
import { SandboxError, type Diagnostic } from '../errors.ts';
import type { Executor, ProgramSource } from '../execute/run.ts';
import { LOCAL_PRINCIPAL, type ExecuteOptions, type ExecuteRequest } from '../server/sandbox-port.ts';
import type { SkillStore } from '../skill/skill-store.ts';
import { skillsIn, toolWarnings } from '../skill/skills.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';

/** The stages between a request and a program. */
export interface PrepareStages {
  readonly config: Pick<Config, 'check' | 'language'>;
  /** The wrappers of the present catalog. */
  readonly wrappers: () => WrapperSet;
  readonly skills: SkillStore;
  readonly bundler: Bundler;
  /** Absent when the operator wants no check. */
  readonly checker?: Checker | undefined;
  /** Blake3 of the engine that programs are made for. */
  readonly engineHash: string;
  readonly executor: Executor;
}

/** A program that may run. */
export interface Prepared {
  readonly bundle: Bundle;
  readonly program: ProgramSource;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Checks and bundles side by side; while the check goes on the program is made from the bundle. Nothing of it runs before the check
 * has passed, because tool calls have side effects.
 * @param phases gets the milliseconds of each phase
 * @throws SandboxError ERR_CHECK_*, ERR_BUNDLE_*
 */
export async function prepareProgram(
  stages: PrepareStages,
  { code }: ExecuteRequest,
  phases: Record<string, number>,
  { signal, principal = LOCAL_PRINCIPAL }: ExecuteOptions,
): Promise<Prepared> {
  const { bundler, checker, config, executor, engineHash } = stages;
  const source = { code, wrappers: stages.wrappers(), skills: skillsIn(code, stages.skills, principal) };
  const checked = checker && timed(phases, 'check', () => checker.check({ ...source, owner: principal }, signal));
  // The bundler's words on syntax and imports come first; what the check thinks of the same code is of no use then.
  let isChecked = checked === undefined;
  checked?.catch(() => undefined).finally(() => (isChecked = true));
  // Learned types change nothing that runs.
  const declared = { ...source, wrappers: source.wrappers.declared ?? source.wrappers };
  const bundle = await timed(phases, 'bundle', () => bundler.bundle(declared, signal));
  const program = { key: programKey({ script: bundle.script, engineHash }), script: bundle.script };
  if (!isChecked) executor.prepare(program);
  const locales = localeWarnings(code, config.language.locales);
  return {
    bundle,
    program,
    warnings: [...(await judge(checked, config.check)), ...toolWarnings(source.skills, source.wrappers), ...locales],
  };
}

/** What the check found and may pass. @throws SandboxError ERR_CHECK_* when it may not */
export async function judge(checked: Promise<CheckReport> | undefined, mode: CheckMode): Promise<readonly Diagnostic[]> {
  if (!checked || mode === 'off') return [];
  try {
    const report = await checked;
    if (mode === 'error' && report.diagnostics.length > 0) throw checkError(report);
    return report.diagnostics;
  } catch (error) {
    if (mode === 'error' || !(error instanceof SandboxError)) throw error;
    return [{ message: error.message }];
  }
}

async function timed<T>(phases: Record<string, number>, name: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  try {
    return await work();
  } finally {
    phases[name] = performance.now() - began;
  }
}
