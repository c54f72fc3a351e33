import { randomUUID } from 'node:crypto';
import type { Bundle } from './bundle/bundle.ts';
import type { Bundler } from './bundle/bundler.ts';
import { checkError, type CheckMode, type CheckReport, type Checker } from './check/checker.ts';
import { programKey } from './component/program-key.ts';
import type { Config } from './config/schema.ts';
import { SandboxError, toSandboxError, type Diagnostic } from './errors.ts';
import type { Executor, ProgramSource, RunOutcome } from './execute/run.ts';
import { executeOutputSchema } from './result/output-schema.ts';
import { presentFailure, presentOutcome, type ExecuteResponse } from './result/present.ts';
import { runLimits } from './run-limits.ts';
import type { DescriptionSource, ExecuteOptions, ExecuteRequest, SandboxPort } from './server/sandbox-port.ts';
import type { Session, SessionStore } from './session/session-store.ts';
import { toolCalls } from './tool-calls.ts';
import type { ValidateArguments } from './upstream/arguments.ts';
import type { Upstreams } from './upstream/upstreams.ts';
import type { WrapperSet } from './wrappers/wrapper-set.ts';

/** The stages of a running sandbox, each already started. */
export interface SandboxStages {
  readonly config: Pick<Config, 'limits' | 'check' | 'libraries' | 'mounts'>;
  readonly upstreams: Upstreams;
  readonly validateArguments: ValidateArguments;
  /** The wrappers of the present catalog. */
  readonly wrappers: () => WrapperSet;
  readonly bundler: Bundler;
  /** Absent when the operator wants no check. */
  readonly checker?: Checker | undefined;
  /** Blake3 of the engine that programs are made for. */
  readonly engineHash: string;
  readonly executor: Executor;
  readonly sessions: SessionStore;
  readonly log: { error(fields: object, message: string): void };
}

/** What one call has come to so far: an answer can be made from it at any point. */
interface Progress {
  readonly executionId: string;
  readonly phases: Record<string, number>;
  session?: Session;
}

/** The way of a run: request, check and bundle, session, program, run, commit, answer. */
export function createSandbox(stages: SandboxStages): SandboxPort {
  return {
    outputSchema: executeOutputSchema,
    execute: (request, options) => execute(stages, request, options),
    refuse: (error) => presentFailure({ executionId: newExecutionId(), error }),
    description: () => describe(stages),
  };
}

async function execute(stages: SandboxStages, request: ExecuteRequest, options: ExecuteOptions): Promise<ExecuteResponse> {
  const progress: Progress = { executionId: newExecutionId(), phases: {} };
  try {
    // A handle that is not valid is told before any work is done for it; a new one is given out when a run begins.
    if (request.session !== undefined) progress.session = stages.sessions.open(request.session);
    options.onProgress?.({ message: 'Checking', progress: 1, total: 3 });
    const prepared = await prepare(stages, request, progress.phases, options.signal);
    const session = (progress.session ??= stages.sessions.open());
    options.onProgress?.({ message: 'Running', progress: 2, total: 3 });
    const outcome = await runProgram(stages, request, progress, prepared.program, session, options.signal);
    return await finish(stages, progress, session, prepared, outcome);
  } catch (thrown) {
    return await failed(stages, progress, thrown, options.signal);
  }
}

/** A program that may run. */
interface Prepared {
  readonly bundle: Bundle;
  readonly program: ProgramSource;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Checks and bundles side by side; while the check goes on the program is made from the bundle. Nothing of it runs before the check
 * has passed, because tool calls have side effects.
 */
async function prepare(
  stages: SandboxStages,
  { code }: ExecuteRequest,
  phases: Record<string, number>,
  signal: AbortSignal,
): Promise<Prepared> {
  const { bundler, checker, config, executor, engineHash } = stages;
  const source = { code, wrappers: stages.wrappers() };
  const checked = checker && timed(phases, 'check', () => checker.check(source, signal));
  // The bundler's words on syntax and imports come first; what the check thinks of the same code is of no use then.
  let isChecked = checked === undefined;
  checked?.catch(() => undefined).finally(() => (isChecked = true));
  const bundle = await timed(phases, 'bundle', () => bundler.bundle(source, signal));
  const program = { key: programKey({ script: bundle.script, engineHash }), script: bundle.script };
  if (!isChecked) executor.prepare(program);
  return { bundle, program, warnings: await judge(checked, config.check) };
}

/** What the check found and may pass. @throws SandboxError ERR_CHECK_* when it may not */
async function judge(checked: Promise<CheckReport> | undefined, mode: CheckMode): Promise<readonly Diagnostic[]> {
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

function runProgram(
  { config, executor, upstreams, validateArguments }: SandboxStages,
  { input, limits }: ExecuteRequest,
  { executionId }: Progress,
  program: ProgramSource,
  session: Session,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const request = {
    executionId,
    program,
    input: JSON.stringify(input ?? null),
    state: session.state,
    limits: runLimits(config.limits, limits),
  };
  return executor.run(request, toolCalls({ upstreams, validateArguments, limits: config.limits }, limits?.servers), signal);
}

/** Commits the state and presents the outcome. A run whose answer cannot be presented, or whose state cannot be kept, has failed. */
async function finish(
  { config, sessions }: SandboxStages,
  progress: Progress,
  session: Session,
  prepared: Prepared,
  outcome: RunOutcome,
): Promise<ExecuteResponse> {
  const { executionId, phases } = progress;
  const input = { executionId, session: session.handle, outcome, ...prepared, phases, limits: config.limits };
  const response = presentOutcome(input);
  const hasState = response.structured.status === 'completed' && outcome.end.status === 'completed';
  try {
    await sessions.commit(session, hasState ? outcome.end.state : '');
    return response;
  } catch (error) {
    // What a failed run leaves has no state to lose: its own error says more.
    return hasState ? presentFailure({ ...input, error: toSandboxError(error) }) : response;
  }
}

async function failed(
  { log, sessions }: SandboxStages,
  { executionId, session, phases }: Progress,
  thrown: unknown,
  signal: AbortSignal,
): Promise<ExecuteResponse> {
  const cancelled = signal.aborted && !(thrown instanceof SandboxError);
  const error = cancelled ? new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled.') : toSandboxError(thrown);
  if (error.code === 'ERR_INTERNAL') log.error({ executionId, err: thrown }, 'A run failed inside the sandbox');
  // The handle goes to the caller, so the session must be there.
  if (session?.isNew === true) await sessions.commit(session, '').catch(() => undefined);
  return presentFailure({ executionId, error, phases, ...(session ? { session: session.handle } : {}) });
}

function describe({ config, upstreams, wrappers }: SandboxStages): DescriptionSource {
  return {
    wrappers: wrappers(),
    catalog: upstreams.catalog(),
    limits: config.limits,
    libraries: config.libraries,
    mounts: Object.keys(config.mounts),
  };
}

async function timed<T>(phases: Record<string, number>, name: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  try {
    return await work();
  } finally {
    phases[name] = performance.now() - began;
  }
}

function newExecutionId(): string {
  return `exe_${randomUUID()}`;
}
