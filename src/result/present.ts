import type { ContentBlock } from '@modelcontextprotocol/server';
import type { Bundle } from '../bundle/bundle.ts';
import { SandboxError } from '../errors.ts';
import type { Diagnostic, SourceLocation } from '../errors.ts';
import type { CallRecord, RunEnd, RunOutcome } from '../execute/run.ts';
import { checkJsonBounds, parseBoundedJson } from './bounded-json.ts';
import type { JsonBounds } from './bounded-json.ts';
import { describeDiagnostic, describeFailure } from './failure.ts';
import { agentFrames } from './guest-stack.ts';
import { clipText, harmlessText } from './harmless-text.ts';
import type { ExecuteOutput } from './output-schema.ts';
import { withAgentPositions } from './log-positions.ts';
import { splitRichContent } from './rich-content.ts';
import { renderText } from './text.ts';
import { thousandths, usageOf } from './usage.ts';

const CALL_NAME_CHARS = 128;

/** The answer to one call of `execute_code`: `structuredContent` and `content` of the tool result. */
export interface ExecuteResponse {
  readonly structured: ExecuteOutput;
  readonly content: readonly ContentBlock[];
}

/** Milliseconds by phase, in the order of their names here. */
type Phases = Readonly<Record<string, number>>;

/** The operator's limits that an answer must keep. */
export interface PresentLimits {
  readonly maxResultBytes: number;
  readonly maxStateBytes: number;
  readonly maxJsonDepth: number;
  readonly maxJsonNodes: number;
}

export interface OutcomeInput {
  readonly executionId: string;
  readonly session: string;
  readonly outcome: RunOutcome;
  readonly bundle: Bundle;
  /** The phases before the executor: check, bundle and the like. */
  readonly phases: Phases;
  readonly limits: PresentLimits;
  /** What the check found and the operator lets pass. */
  readonly warnings?: readonly Diagnostic[];
}

export interface FailureInput {
  readonly executionId: string;
  readonly error: SandboxError;
  readonly session?: string;
  /** What the run did before it failed, when there was one. */
  readonly outcome?: RunOutcome;
  readonly phases?: Phases;
}

/**
 * A run as the agent sees it. A completed run whose result or state is over a limit or no JSON is a failed one here, so
 * its state may be committed only when `structured.status` is "completed".
 */
export function presentOutcome(input: OutcomeInput): ExecuteResponse {
  const { end } = input.outcome;
  if (end.status === 'failed') return presentEnd(input, end);
  try {
    return presentResult(input, end.result, end.state);
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    return presentFailure({ ...input, error });
  }
}

/** A failure of ours, before, around or after a run. */
export function presentFailure({ executionId, error, session, outcome, phases = {} }: FailureInput): ExecuteResponse {
  const { code, message, details } = error;
  const failure = describeFailure({ code, message, ...details });
  return answer({ status: 'failed', ...record({ executionId, session, outcome, phases }), error: failure });
}

function presentEnd(
  { executionId, session, outcome, bundle, phases, warnings }: OutcomeInput,
  end: Extract<RunEnd, { status: 'failed' }>,
): ExecuteResponse {
  const frames = agentFrames(end.stack, bundle);
  const error = describeFailure({ ...end, location: frames[0] });
  return answer({ status: 'failed', ...record({ executionId, session, outcome, phases, warnings, bundle }), error }, { frames });
}

function presentResult(
  { executionId, session, outcome, phases, limits, warnings, bundle }: OutcomeInput,
  result: string,
  state: string,
): ExecuteResponse {
  const bounds = { maxDepth: limits.maxJsonDepth, maxNodes: limits.maxJsonNodes };
  if (state !== '') checkJsonBounds(state, { ...bounds, maxBytes: limits.maxStateBytes }, 'state');
  const base = { status: 'completed' as const, ...record({ executionId, session, outcome, phases, warnings, bundle }) };
  if (result === '') return answer(base);
  return withResult(base, result, { ...bounds, maxBytes: limits.maxResultBytes });
}

function withResult(base: ExecuteOutput, json: string, bounds: JsonBounds): ExecuteResponse {
  const split = splitRichContent(parseBoundedJson(json, bounds), 1);
  const resultJson = split.blocks.length === 0 ? json : JSON.stringify(split.result);
  return answer({ ...base, result: split.result }, { resultJson, blocks: split.blocks });
}

interface Extras {
  readonly frames?: readonly SourceLocation[];
  readonly resultJson?: string;
  readonly blocks?: readonly ContentBlock[];
}

function answer(structured: ExecuteOutput, { frames = [], resultJson, blocks = [] }: Extras = {}): ExecuteResponse {
  const text = renderText(structured, { resultJson, attachments: blocks.length, frames });
  return { structured, content: [{ type: 'text', text }, ...blocks] };
}

interface RecordInput {
  readonly executionId: string;
  readonly session: string | undefined;
  readonly outcome: RunOutcome | undefined;
  readonly phases: Phases;
  readonly warnings?: readonly Diagnostic[] | undefined;
  readonly bundle?: Bundle | undefined;
}

/** The part of an answer that is the same for every end of a run. */
function record({ executionId, session, outcome, phases, warnings = [], bundle }: RecordInput): Omit<ExecuteOutput, 'status'> {
  const dropped = outcome?.droppedLogBytes ?? 0;
  return {
    executionId,
    ...(session !== undefined && { session }),
    logs: (outcome?.logs ?? []).map(({ level, message }) => ({ level, message: bundle ? withAgentPositions(message, bundle) : message })),
    ...(dropped > 0 && { droppedLogBytes: dropped }),
    calls: (outcome?.calls ?? []).map(describeCall),
    usage: usageOf(outcome, phases),
    ...(warnings.length > 0 && { warnings: warnings.map(describeDiagnostic) }),
  };
}

/** A program can call a server and a tool of any name: what is told of it is bounded. */
function describeCall({ server, tool, ok, ms, code }: CallRecord): ExecuteOutput['calls'][number] {
  const name = (text: string): string => harmlessText(clipText(text, CALL_NAME_CHARS));
  return { server: name(server), tool: name(tool), ok, ms: thousandths(ms), ...(code !== undefined && { code }) };
}
