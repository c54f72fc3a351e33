import type { Bundler } from './bundle/bundler.ts';
import type { CheckSource, Checker } from './check/checker.ts';
import type { Config } from './config/schema.ts';
import { SandboxError, toSandboxError, type Diagnostic } from './errors.ts';
import { judge } from './prepare-program.ts';
import { presentSkill, presentSkillFailure, type SkillAnswer } from './result/skill-answer.ts';
import { LOCAL_PRINCIPAL, type ExecuteOptions } from './server/sandbox-port.ts';
import { saveSkill, type SaveSkillRequest } from './skill/save-skill.ts';
import type { SkillStore } from './skill/skill-store.ts';
import type { WrapperSet } from './wrappers/wrapper-set.ts';

/** What a skill goes through: the same stages as a program, and the store. */
export interface KeepStages {
  readonly config: Pick<Config, 'limits' | 'check'>;
  readonly skills: SkillStore;
  readonly wrappers: () => WrapperSet;
  readonly bundler: Bundler;
  readonly checker?: Checker | undefined;
  readonly log: { error(fields: object, message: string): void };
}

/** The way of a skill: read, bundled and checked as a program is, and kept. Whatever goes wrong is an answer. */
export async function keepSkill(stages: KeepStages, request: SaveSkillRequest, options: ExecuteOptions): Promise<SkillAnswer> {
  const { config, skills, wrappers, bundler, checker, log } = stages;
  const { signal, principal = LOCAL_PRINCIPAL } = options;
  const check = (source: CheckSource): Promise<readonly Diagnostic[]> => judge(checker?.check(source, signal), config.check);
  try {
    return presentSkill(await saveSkill({ store: skills, limits: config.limits, wrappers, bundler, check }, request, principal, signal));
  } catch (thrown) {
    const cancelled = signal.aborted && !(thrown instanceof SandboxError);
    const error = cancelled
      ? new SandboxError('ERR_EXECUTE_CANCELLED', 'The skill was not saved: the call was cancelled.')
      : toSandboxError(thrown);
    if (error.code === 'ERR_INTERNAL' || error.code === 'ERR_SKILL_STORE') log.error({ err: thrown }, 'A skill could not be saved');
    return presentSkillFailure(error);
  }
}
