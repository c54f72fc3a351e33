import { randomUUID } from 'node:crypto';
import type { Audit } from './audit/audit.ts';
import type { Config } from './config/schema.ts';
import type { Discovery } from './discovery/discovery.ts';
import { SandboxError, toSandboxError } from './errors.ts';
import type { ProgramSource, RunOutcome } from './execute/run.ts';
import type { KeptResults } from './kept-result/kept-results.ts';
import type { LargeCalls } from './large-calls.ts';
import type { Policing } from './policy/policing.ts';
import type { RunPolicies } from './policy/run-policies.ts';
import { advertisedOutputSchema } from './result/output-schema.ts';
import type { Quotas, RunQuota } from './quota/quotas.ts';
import type { AnswerForm } from './result/answer.ts';
import { presentFailure, presentOutcome, type ExecuteResponse } from './result/present.ts';
import { prepareProgram, type Prepared, type PrepareStages } from './prepare-program.ts';
import { RunAudit } from './run-audit.ts';
import { runLimits } from './run-limits.ts';
import { tellProgress, type RunProgress } from './run-progress.ts';
import { openRunResults, pageBounds, type RunResults } from './run-results.ts';
import type { RunTypes, Types } from './run-types.ts';
import {
  LOCAL_PRINCIPAL,
  type DescriptionSource,
  type ExecuteOptions,
  type ExecuteRequest,
  type SandboxPort,
} from './server/sandbox-port.ts';
import { keepSkill } from './keep-skill.ts';
import { openRunSession, type RunSession } from './session/run-session.ts';
import type { SessionStore } from './session/session-store.ts';
import type { ListSkills } from './skill/listing.ts';
import type { SkillFiles } from './skill/skill-files.ts';
import { toolCalls } from './tool-calls.ts';
import type { ValidateArguments } from './upstream/arguments.ts';
import type { Upstreams } from './upstream/upstreams.ts';

/** The stages of a running sandbox, each already started. */
export interface SandboxStages extends PrepareStages {
  readonly config: Pick<Config, 'limits' | 'check' | 'libraries' | 'mounts' | 'discovery' | 'skills' | 'language'>;
  readonly upstreams: Upstreams;
  readonly validateArguments: ValidateArguments;
  readonly sessions: SessionStore;
  readonly results: KeptResults;
  readonly discovery: Discovery;
  readonly skillFiles: SkillFiles;
  readonly listSkills: ListSkills;
  readonly types: Types;
  readonly policing: Policing;
  readonly largeCalls?: LargeCalls | undefined;
  readonly quotas: Quotas;
  readonly audit: Audit;
  readonly log: { error(fields: object, message: string): void };
}

/** What one call has come to so far: an answer can be made from it at any point. */
interface Progress {
  readonly executionId: string;
  readonly phases: Record<string, number>;
  readonly types: RunTypes;
  readonly policies: RunPolicies;
  readonly told: RunProgress;
  readonly results: RunResults;
  readonly form: AnswerForm | undefined;
  readonly audit: RunAudit;
  readonly quota: RunQuota;
  session?: RunSession;
}

/** The way of a run: request, check and bundle, session, program, run, commit, answer. */
export function createSandbox(stages: SandboxStages): SandboxPort {
  return {
    outputSchema: advertisedOutputSchema,
    execute: (request, options) => execute(stages, request, options),
    refuse: (error, form) => presentFailure({ executionId: newExecutionId(), error, form }),
    readResult: (id, query, principal = LOCAL_PRINCIPAL) => stages.results.read(principal, id, query, pageBounds(stages.config.limits)),
    asks: () => stages.policing.asks(stages.upstreams.catalog()),
    description: () => describe(stages),
    listSkills: (principal = LOCAL_PRINCIPAL) => stages.listSkills(principal, stages.wrappers()),
    saveSkill: (request, options) => keepSkill(stages, request, options),
    search: (request, principal = LOCAL_PRINCIPAL, grant) => stages.discovery.search(request, principal, grant),
  };
}

async function execute(stages: SandboxStages, request: ExecuteRequest, options: ExecuteOptions): Promise<ExecuteResponse> {
  const { principal = LOCAL_PRINCIPAL } = options;
  const types = stages.types.begin({ code: request.code, principal, wrappers: stages.wrappers() });
  const told = tellProgress(options.onProgress);
  const policies = stages.policing.begin({
    principal,
    tools: request.limits?.tools,
    dryRun: request.dryRun,
    catalog: stages.upstreams.catalog(),
  });
  const results = openRunResults(stages.results, principal, stages.config.limits, policies.hideText);
  const executionId = newExecutionId();
  const quota = stages.quotas.of(principal);
  const audit = new RunAudit(stages.audit, { executionId, principal, request, policies });
  const progress: Progress = { executionId, phases: {}, types, policies, told, results, form: options.form, audit, quota };
  try {
    quota.enter();
    await audit.begin();
    // A handle that is not valid is told before any work is done for it.
    const session = (progress.session = openRunSession(stages.sessions, request, principal));
    told.checking();
    const prepared = await types.checked(prepareProgram(stages, request, progress.phases, options));
    policies.openProgram(request);
    policies.openSession(session);
    const outcome = await runProgram(stages, request, progress, prepared.program, session, options);
    return audit.end(await finish(stages, progress, session, prepared, outcome));
  } catch (thrown) {
    return audit.end(failed(stages, progress, thrown, options.signal));
  } finally {
    quota.leave();
    policies.end();
    told.finished();
  }
}

function runProgram(
  { config, executor, upstreams, validateArguments, skillFiles, largeCalls, types: { learner } }: SandboxStages,
  { code, input, limits }: ExecuteRequest,
  { executionId, types, policies, told, results, audit, quota }: Progress,
  program: ProgramSource,
  session: RunSession,
  { principal = LOCAL_PRINCIPAL, grant, approver, signal }: ExecuteOptions,
): Promise<RunOutcome> {
  const request = {
    executionId,
    program,
    input: JSON.stringify(input ?? null),
    state: session.state,
    limits: runLimits(config.limits, limits),
    results: results.folder,
    skills: skillFiles.folderFor(program.script, principal),
  };
  told.running(request.limits);
  const callStages = { upstreams, validateArguments, observe: types.observe, learner, limits: config.limits, largeCalls };
  const caller = { principal, grant, approver: audit.asking(approver), quota };
  const onCall = toolCalls(callStages, { ...caller, policies, servers: limits?.servers, program: { code, hash: program.key } });
  const answering = told.counting(results.keeping(audit.calls(onCall)));
  return quota.run(request.limits, (allowed) => executor.run({ ...request, limits: allowed }, answering, signal));
}

/** Commits the state and presents the outcome. A run whose answer cannot be presented, or whose state cannot be kept, has failed. */
async function finish(
  { config }: SandboxStages,
  progress: Progress,
  session: RunSession,
  prepared: Prepared,
  ended: RunOutcome,
): Promise<ExecuteResponse> {
  const { executionId, phases, types, policies, results, form } = progress;
  const outcome = policies.hideNumbers(ended);
  const found = [...types.finished(prepared.bundle.script, outcome.calls), ...session.warnings(outcome), ...results.warnings];
  const warnings = [...prepared.warnings, ...policies.hideFindings([...policies.warnings, ...found])];
  const handles = { session: session.handle, keptSession: session.keptHandle };
  const { keep, kept } = results;
  const policed = { hide: policies.hideText, dryRun: [...policies.dryCalls.listed] };
  const input = { executionId, ...handles, outcome, ...prepared, warnings, phases, limits: config.limits, keep, kept, form, ...policed };
  const response = await presentOutcome(input).finally(() => ended.large?.done?.());
  policies.keepResults(response.structured.kept);
  if (response.structured.status !== 'completed') return response;
  try {
    policies.keepSession(session, ended);
    await session.keep(ended);
    return response;
  } catch (error) {
    return presentFailure({ ...input, after: response, error: toSandboxError(error) });
  }
}

function failed(
  { log }: SandboxStages,
  { executionId, session, phases, policies, form }: Progress,
  thrown: unknown,
  signal: AbortSignal,
): ExecuteResponse {
  const cancelled = signal.aborted && !(thrown instanceof SandboxError);
  const error = cancelled ? new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled.') : toSandboxError(thrown);
  if (error.code === 'ERR_INTERNAL') log.error({ executionId, err: thrown }, 'A run failed inside the sandbox');
  return presentFailure({ executionId, error, phases, session: session?.handle, hide: policies.hideText, form });
}

function describe({ config, upstreams, wrappers }: SandboxStages): DescriptionSource {
  return {
    wrappers: wrappers(),
    catalog: upstreams.catalog(),
    limits: config.limits,
    libraries: config.libraries,
    mounts: Object.keys(config.mounts),
    skills: config.skills !== 'off',
    descriptionTokens: config.discovery.descriptionTokens,
  };
}

function newExecutionId(): string {
  return `exe_${randomUUID()}`;
}
