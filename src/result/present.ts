import type { Bundle } from '../bundle/bundle.ts';
import { SandboxError } from '../errors.ts';
import type { Diagnostic } from '../errors.ts';
import type { RunEnd, RunOutcome } from '../execute/run.ts';
import { answer, FIRST_BLOCK, type AnswerForm, type ExecuteResponse } from './answer.ts';
import { checkJsonBounds, fitsBounds, parseMeasured } from './bounded-json.ts';
import { describeDiagnostic, describeFailure } from './failure.ts';
import { agentFrames } from './guest-stack.ts';
import { changeBlock, changeTexts } from './hidden.ts';
import type { ChangeText } from './json-strings.ts';
import type { Keep } from './keep.ts';
import { presentLogs, type PresentedLogs } from './large-logs.ts';
import { presentLarge, type LargeResult } from './large-result.ts';
import type { ExecuteOutput, KeptItem } from './output-schema.ts';
import { mayHoldBlocks } from './rich-block.ts';
import { splitRichContent } from './rich-content.ts';
import { toldCalls } from './told-calls.ts';
import { usageOf } from './usage.ts';
import { withWholeCharacters } from './whole-characters.ts';

export type { ExecuteResponse } from './answer.ts';

/** Milliseconds by phase, in the order of their names here. */
type Phases = Readonly<Record<string, number>>;

/** The operator's limits that an answer must keep. */
export interface PresentLimits {
  readonly maxResultBytes: number;
  readonly maxContentBytes: number;
  readonly maxLogBytes: number;
  readonly maxStateBytes: number;
  readonly maxJsonDepth: number;
  readonly maxJsonNodes: number;
}

export interface OutcomeInput {
  readonly executionId: string;
  /** The handle of a session that there is, whatever becomes of the run. */
  readonly session?: string | undefined;
  /** The handle of a completed answer: that of a session which may begin with it. Default: `session`. */
  readonly keptSession?: string | undefined;
  readonly outcome: RunOutcome;
  readonly bundle: Bundle;
  /** The phases before the executor: check, bundle and the like. */
  readonly phases: Phases;
  readonly limits: PresentLimits;
  /** What did not stop the run but should be known. */
  readonly warnings?: readonly Diagnostic[];
  /** Calls of a dry run that were not made. */
  readonly dryRun?: ExecuteOutput['dryRun'];
  /** What has been kept during the run. */
  readonly kept?: readonly KeptItem[];
  /** Keeps what is too large for the answer. Absent: it is shortened, and the whole is gone. */
  readonly keep?: Keep | undefined;
  /** What happens to every text that comes from the program, before anything is shortened, shown or kept. */
  readonly hide?: ChangeText | undefined;
  /** Default: structured. */
  readonly form?: AnswerForm | undefined;
}

export interface FailureInput {
  readonly executionId: string;
  readonly error: SandboxError;
  readonly session?: string | undefined;
  /** The answer that the run would have had but for the error: what it did stays told. */
  readonly after?: ExecuteResponse;
  readonly phases?: Phases;
  readonly hide?: ChangeText | undefined;
  readonly form?: AnswerForm | undefined;
}

/**
 * A run as the agent sees it. A completed run whose state is over a limit, or whose result is no JSON, is a failed one here, so
 * its state may be committed only when `structured.status` is "completed". A result that is too large for the answer is shown
 * shortened and kept whole.
 */
export async function presentOutcome(input: OutcomeInput): Promise<ExecuteResponse> {
  const { outcome, bundle, limits, keep, hide } = input;
  const logs = await presentLogs(outcome, { maxLogBytes: limits.maxLogBytes, bundle, keep, hide });
  const { end } = outcome;
  if (end.status === 'failed') return presentEnd(input, logs, end);
  try {
    return await presentResult(input, logs, end);
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    const failure = describeFailure({ code: error.code, message: error.message, ...error.details }, hide);
    return answer({ status: 'failed', ...record(input, logs), error: failure }, { form: input.form });
  }
}

/** A failure of ours, before or after a run. */
export function presentFailure({ executionId, error, session, after, phases = {}, hide, form }: FailureInput): ExecuteResponse {
  const { code, message, details } = error;
  const failure = describeFailure({ code, message, ...details }, hide);
  const { result: _result, session: _session, kept, ...done } = after?.structured ?? nothingDone(executionId, phases);
  const left = kept?.filter(({ what }) => what === 'logs' || what === 'call') ?? [];
  const handle = session === undefined ? {} : { session };
  return answer({ ...done, status: 'failed', ...handle, ...(left.length > 0 && { kept: left }), error: failure }, { form });
}

function nothingDone(executionId: string, phases: Phases): ExecuteOutput {
  return { status: 'failed', executionId, logs: [], calls: [], usage: usageOf(undefined, phases) };
}

function presentEnd(input: OutcomeInput, logs: PresentedLogs, end: Extract<RunEnd, { status: 'failed' }>): ExecuteResponse {
  const frames = agentFrames(end.stack, input.bundle);
  const error = describeFailure({ ...end, location: frames[0], stack: frames }, input.hide);
  return answer({ status: 'failed', ...record(input, logs), error }, { form: input.form });
}

async function presentResult(
  input: OutcomeInput,
  logs: PresentedLogs,
  end: Extract<RunEnd, { status: 'completed' }>,
): Promise<ExecuteResponse> {
  const { limits, outcome, keptSession = input.session, form } = input;
  const bounds = { maxDepth: limits.maxJsonDepth, maxNodes: limits.maxJsonNodes };
  if (end.state !== '') checkJsonBounds(end.state, { ...bounds, maxBytes: limits.maxStateBytes }, 'state');
  const session = keptSession === undefined ? {} : { session: keptSession };
  if (end.result === '' && !outcome.large?.result) return answer({ status: 'completed', ...record(input, logs), ...session }, { form });
  const found = withWholeCharacters(await resultOf(input, end.result));
  const base = record(input, logs, found);
  const resultJson = found.json ?? JSON.stringify(found.value);
  return answer({ status: 'completed', ...base, ...session, result: found.value }, { resultJson, blocks: found.blocks, form });
}

/** The result as it is shown: at once where it is small, else in slices. */
async function resultOf(input: OutcomeInput, json: string): Promise<LargeResult> {
  const { limits, outcome, keep, hide } = input;
  const bounds = { maxBytes: limits.maxResultBytes, maxDepth: limits.maxJsonDepth, maxNodes: limits.maxJsonNodes };
  if (!outcome.large?.result && fitsBounds(json, bounds)) return smallResult(json, hide);
  const bytes = outcome.large?.result ?? Buffer.from(json);
  const found = await presentLarge({ bytes, bounds, maxContentBytes: limits.maxContentBytes, firstIndex: FIRST_BLOCK, keep, hide });
  return hide ? { ...found, blocks: found.blocks.map((block) => changeBlock(block, hide)) } : found;
}

function smallResult(json: string, hide: ChangeText | undefined): LargeResult {
  const value = parseMeasured(json);
  const isPlain = !mayHoldBlocks(json);
  if (isPlain && !hide) return { value, json, blocks: [], kept: [], warnings: [] };
  const split = isPlain ? { result: value, blocks: [], warnings: [] } : splitRichContent(value, FIRST_BLOCK);
  const blocks = hide ? split.blocks.map((block) => changeBlock(block, hide)) : split.blocks;
  return { value: hide ? changeTexts(split.result, hide) : split.result, blocks, kept: [], warnings: split.warnings };
}

/** The part of an answer that is the same for every end of a run. */
function record(
  { executionId, session, outcome, phases, warnings = [], dryRun, kept = [], hide }: OutcomeInput,
  logs: PresentedLogs,
  found: Pick<LargeResult, 'kept' | 'warnings'> = { kept: [], warnings: [] },
): Omit<ExecuteOutput, 'status'> {
  // They name places in the result by its keys, which are the program's texts too.
  const ofResult = found.warnings.map((warning) => (hide ? { ...warning, message: hide(warning.message) } : warning));
  const told = [...warnings, ...ofResult, ...(logs.warning ? [logs.warning] : [])];
  const wholes = [...found.kept, ...(logs.kept ? [logs.kept] : []), ...kept];
  return {
    executionId,
    ...(session !== undefined && { session }),
    logs: [...logs.logs],
    ...(outcome.droppedLogBytes > 0 && { droppedLogBytes: outcome.droppedLogBytes }),
    calls: toldCalls(outcome.calls, hide),
    usage: usageOf(outcome, phases),
    ...(wholes.length > 0 && { kept: wholes }),
    ...(dryRun && dryRun.length > 0 && { dryRun: dryRun.map(wellFormedCall) }),
    ...(told.length > 0 && { warnings: told.map(describeDiagnostic) }),
  };
}

/** Arguments that every client can read, see {@link withWholeCharacters}. */
function wellFormedCall(call: NonNullable<ExecuteOutput['dryRun']>[number]): NonNullable<ExecuteOutput['dryRun']>[number] {
  return { ...call, arguments: changeTexts(call.arguments, (text) => text.toWellFormed()) };
}
