import { randomUUID } from 'node:crypto';
import type { Bundle } from './bundle/bundle.ts';
import type { Bundler } from './bundle/bundler.ts';
import { programKey } from './component/program-key.ts';
import type { Config } from './config/schema.ts';
import { SandboxError, toSandboxError } from './errors.ts';
import type { Executor, RunOutcome } from './execute/run.ts';
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
  readonly config: Pick<Config, 'limits'>;
  readonly upstreams: Upstreams;
  readonly validateArguments: ValidateArguments;
  /** The wrappers of the present catalog. */
  readonly wrappers: () => WrapperSet;
  readonly bundler: Bundler;
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
  bundle?: Bundle;
}

/** The way of a run: request, session, bundle, program, run, commit, answer. */
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
    const session = stages.sessions.open(request.session);
    progress.session = session;
    options.onProgress?.({ message: 'Bundling', progress: 1, total: 3 });
    const bundle = await timed(progress.phases, 'bundle', () => bundleCode(stages, request, options.signal));
    progress.bundle = bundle;
    options.onProgress?.({ message: 'Running', progress: 2, total: 3 });
    const outcome = await runBundle(stages, request, progress, bundle, session, options.signal);
    return finish(stages, progress, session, bundle, outcome);
  } catch (thrown) {
    return failed(stages, progress, thrown, options.signal);
  }
}

function bundleCode({ bundler, wrappers }: SandboxStages, { code }: ExecuteRequest, signal: AbortSignal): Promise<Bundle> {
  return bundler.bundle({ code, wrappers: wrappers() }, signal);
}

function runBundle(
  { config, executor, engineHash, upstreams, validateArguments }: SandboxStages,
  { input, limits }: ExecuteRequest,
  { executionId }: Progress,
  { script }: Bundle,
  session: Session,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const request = {
    executionId,
    program: { key: programKey({ script, engineHash }), script },
    input: JSON.stringify(input ?? null),
    state: session.state,
    limits: runLimits(config.limits, limits),
  };
  return executor.run(request, toolCalls({ upstreams, validateArguments, limits: config.limits }, limits?.servers), signal);
}

/** Commits the state and presents the outcome. A run whose answer cannot be presented, or whose state cannot be kept, has failed. */
function finish(
  { config, sessions }: SandboxStages,
  progress: Progress,
  session: Session,
  bundle: Bundle,
  outcome: RunOutcome,
): ExecuteResponse {
  const { executionId, phases } = progress;
  const input = { executionId, session: session.handle, outcome, bundle, phases, limits: config.limits };
  const response = presentOutcome(input);
  if (response.structured.status !== 'completed' || outcome.end.status !== 'completed') return response;
  try {
    sessions.commit(session.handle, session.version, outcome.end.state);
    return response;
  } catch (error) {
    return presentFailure({ ...input, error: toSandboxError(error) });
  }
}

function failed({ log }: SandboxStages, progress: Progress, thrown: unknown, signal: AbortSignal): ExecuteResponse {
  const { executionId, session, phases } = progress;
  const cancelled = signal.aborted && !(thrown instanceof SandboxError);
  const error = cancelled ? new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled.') : toSandboxError(thrown);
  if (error.code === 'ERR_INTERNAL') log.error({ executionId, err: thrown }, 'A run failed inside the sandbox');
  return presentFailure({ executionId, error, phases, ...(session ? { session: session.handle } : {}) });
}

function describe({ config, upstreams, wrappers }: SandboxStages): DescriptionSource {
  return { wrappers: wrappers(), catalog: upstreams.catalog(), limits: config.limits };
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
