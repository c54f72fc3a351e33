import type { Audit } from '../audit/audit.ts';
import type { Bundler } from '../bundle/bundler.ts';
import type { CheckSource, Checker } from '../check/checker.ts';
import type { Config } from '../config/schema.ts';
import { SandboxError, toSandboxError, type Diagnostic } from '../errors.ts';
import { judge } from './prepare-program.ts';
import type { Quotas } from '../quota/quotas.ts';
import { presentSkill, presentSkillFailure, type SkillAnswer } from '../result/skill-answer.ts';
import { LOCAL_PRINCIPAL, type ExecuteOptions } from '../server/sandbox-port.ts';
import { saveSkill, type SaveSkillRequest } from '../skill/save-skill.ts';
import type { SkillStore } from '../skill/skill-store.ts';
import type { WrapperSet } from '../wrappers/wrapper-set.ts';

/** What a skill goes through: the same stages as a program, and the store. */
export interface KeepStages {
  readonly config: Pick<Config, 'limits' | 'check'>;
  readonly skills: SkillStore;
  readonly wrappers: () => WrapperSet;
  readonly bundler: Bundler;
  readonly checker?: Checker | undefined;
  readonly quotas: Quotas;
  readonly audit: Audit;
  readonly log: { error(fields: object, message: string): void };
}

/** The way of a skill: read, bundled and checked as a program is, and kept. Whatever goes wrong is an answer. */
export async function keepSkill(stages: KeepStages, request: SaveSkillRequest, options: ExecuteOptions): Promise<SkillAnswer> {
  const { config, skills, wrappers, bundler, checker, quotas, audit, log } = stages;
  const { signal, principal = LOCAL_PRINCIPAL } = options;
  const check = (source: CheckSource): Promise<readonly Diagnostic[]> =>
    judge(checker?.check({ ...source, owner: principal }, signal), config.check);
  // It takes as much work as a run does.
  const quota = quotas.of(principal);
  const event = { kind: 'skill', action: 'save', principal, subject: request.name } as const;
  try {
    quota.enter();
    await audit.begin({ ...event, kind: 'begin' });
    const saved = await saveSkill({ store: skills, limits: config.limits, wrappers, bundler, check }, request, principal, signal);
    audit.record({ ...event, subject: `${saved.name}@${saved.version}`, program: audit.hash(request.code) });
    return presentSkill(saved);
  } catch (thrown) {
    const cancelled = signal.aborted && !(thrown instanceof SandboxError);
    const error = cancelled
      ? new SandboxError('ERR_EXECUTE_CANCELLED', 'The skill was not saved: the call was cancelled.')
      : toSandboxError(thrown);
    if (error.code === 'ERR_INTERNAL' || error.code === 'ERR_SKILL_STORE') log.error({ err: thrown }, 'A skill could not be saved');
    audit.record({ ...event, code: error.code });
    return presentSkillFailure(error);
  } finally {
    quota.leave();
  }
}
