import { SandboxError, toSandboxError } from '../errors.ts';
import type { RunOutcome } from '../execute/run.ts';
import type { LiveExecution } from '../live/live-execution.ts';
import { outcomeText } from './outcome-text.ts';
import { presentFailure, presentOutcome } from '../result/present.ts';
import { writeAnswer } from '../result/stored-answer.ts';
import type { Beginning } from './run-beginning.ts';
import type { Run } from './run-parts.ts';
import type { SandboxStages } from '../sandbox-stages.ts';
import type { ExecuteResponse } from '../server/sandbox-port.ts';

/** How a run ended, and what the store keeps of it. */
export interface Ended {
  readonly response: ExecuteResponse;
  /** The run's own outcome as JSON text; undefined when there is none, or nobody keeps it. */
  readonly outcome?: string | undefined;
}

/**
 * Presents the outcome and commits the state. A run whose answer cannot be presented, or whose state cannot be kept, has failed. The state is
 * committed before the end is written down: whoever dies between the two comes here a second time, and a commit of the same execution counts once.
 */
export async function finish(
  { config }: SandboxStages,
  run: Run,
  { session, prepared, isDurable }: Beginning,
  ended: RunOutcome,
): Promise<Ended> {
  const { executionId, phases, types, policies, results, call } = run;
  const recorded = isDurable ? outcomeText(ended) : undefined;
  const made = await prepared();
  const outcome = policies.hideNumbers(ended);
  const found = [...types.finished(made.bundle.script, outcome.calls), ...session.warnings(outcome), ...results.warnings];
  const warnings = [...made.warnings, ...policies.hideFindings([...policies.warnings, ...found])];
  const handles = { session: session.handle, keptSession: session.keptHandle };
  const { keep, kept } = results;
  const policed = { hide: policies.hideText, dryRun: [...policies.dryCalls.listed] };
  const { form } = call.options;
  const input = { executionId, ...handles, outcome, ...made, warnings, phases, limits: config.limits, keep, kept, form, ...policed };
  const response = await presentOutcome(input).finally(() => ended.large?.done?.());
  policies.keepResults(response.structured.kept);
  if (response.structured.status !== 'completed') return { response, outcome: recorded };
  try {
    policies.keepSession(session, ended);
    await session.keep(ended, isDurable ? executionId : undefined);
    return { response, outcome: recorded };
  } catch (error) {
    return { response: presentFailure({ ...input, after: response, error: toSandboxError(error) }), outcome: recorded };
  }
}

/** The answer to a run that came to no outcome. */
export function failed({ log }: SandboxStages, { executionId, session, phases, policies, call }: Run, thrown: unknown): Ended {
  const error = toSandboxError(thrown);
  if (error.code === 'ERR_INTERNAL') log.error({ executionId, err: thrown }, 'A run failed inside the sandbox');
  const { form } = call.options;
  return { response: presentFailure({ executionId, error, phases, session: session?.handle, hide: policies.hideText, form }) };
}

/**
 * Writes down how an execution ended: before anybody is told, unless it has done nothing that would be done twice if it ran again, and nobody
 * knows of it but its caller. One that this process
 * lets go of has not ended.
 */
export async function recordEnd(stages: SandboxStages, run: Run, execution: LiveExecution, ended: Ended): Promise<ExecuteResponse> {
  const { response, outcome } = ended;
  if (stages.executions && (execution.isKept || (run.keeping && stages.executions.health.isWell))) {
    const { status, error, usage } = response.structured;
    const { fuel, peakMemoryBytes, activeMs, waitingMs, toolCalls } = usage;
    const end = {
      status: status === 'completed' ? status : error?.code === 'ERR_EXECUTE_CANCELLED' ? ('cancelled' as const) : ('failed' as const),
      code: error?.code,
      usage: { fuel, peakMemoryBytes, activeMs, waitingMs, toolCalls },
      outcome,
      response: writeAnswer(response),
    };
    const { executionId } = run;
    const written = stages.executions.store
      .ended(executionId, end, run.principal)
      .catch((err: unknown) => stages.log.warn({ executionId, err }, 'The end of an execution could not be kept'));
    // Who was told that it goes on, or has ended it, must not see it run again.
    if (run.hasActed || execution.isDetached || execution.signal.aborted || run.call.stored) {
      stages.executions.store.hurry?.();
      await written;
    }
  }
  return run.audit.end(response);
}

/** What became of a run whose caller has gone, or whose server ends. */
export function cancelError(signal: AbortSignal, thrown: unknown): unknown {
  if (!signal.aborted || thrown instanceof SandboxError) return thrown;
  return signal.reason instanceof SandboxError ? signal.reason : new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled.');
}
