import type { WaitReason } from '../execution/durable-run.ts';
import { answer, type AnswerForm, type ExecuteResponse } from './answer.ts';
import { clipText, harmlessLine, harmlessText } from './harmless-text.ts';
import type { ChangeText } from './json-strings.ts';
import type { ExecuteOutput, WaitedFor } from './output-schema.ts';
import { usageOf } from './usage.ts';

/** Things that one answer names: a program can wait for thousands, and every entry costs the model tokens. */
const MAX_REASONS = 10;
const NAME_CHARS = 128;
/** Who asks for the answer has written the program: the whole question is for who approves. */
const QUESTION_CHARS = 500;
/** The last time that there is a date for, in milliseconds since 1970. */
const LAST_TIME = 8_640_000_000_000_000;

export interface WaitingInput {
  readonly executionId: string;
  /** The handle of a session that there is, whatever becomes of the run. */
  readonly session?: string | undefined;
  /** What it waits for; nothing for a run that computes. */
  readonly reasons: readonly WaitReason[];
  /** What it has cost so far, where that is known. */
  readonly usage?: ExecuteOutput['usage'] | undefined;
  /** What happens to every text that comes from the program. */
  readonly hide?: ChangeText | undefined;
  /** Default: structured. */
  readonly form?: AnswerForm | undefined;
}

/** The answer about a run that has not ended: what it waits for, and how to get the rest. Texts of strangers are harmless and short. */
export function presentWaiting({ executionId, session, reasons, usage, hide, form }: WaitingInput): ExecuteResponse {
  const shown = mostTelling(reasons).slice(0, MAX_REASONS);
  const waiting = shown.map((reason) => waitedFor(reason, hide));
  const more = reasons.length - shown.length;
  const structured = {
    status: 'waiting' as const,
    executionId,
    ...(session !== undefined && { session }),
    ...(waiting.length > 0 && { waiting }),
    ...(more > 0 && { moreWaiting: more }),
    next: nextText(waiting),
    logs: [],
    calls: [],
    usage: usage ?? usageOf(undefined, {}),
  };
  return answer(structured, { form });
}

const WEIGHT: Readonly<Record<WaitReason['kind'], number>> = { approval: 0, timer: 1, tool: 2 };

/** People first, who have to be told; then the time; then tools, the one that was called first before the others. */
function mostTelling(reasons: readonly WaitReason[]): WaitReason[] {
  return reasons.toSorted((a, b) => WEIGHT[a.kind] - WEIGHT[b.kind]);
}

function waitedFor(reason: WaitReason, hide: ChangeText = (text) => text): WaitedFor {
  if (reason.kind === 'timer') return { kind: 'timer', until: isoTime(reason.at) };
  const name = (text: string): string => harmlessLine(clipText(hide(text), NAME_CHARS));
  const { call, since } = reason;
  const called = { call, server: name(reason.server), tool: name(reason.tool), since: isoTime(since) };
  if (reason.kind === 'tool') return { kind: 'tool', ...called };
  const question = harmlessText(clipText(hide(reason.text), QUESTION_CHARS));
  return { kind: 'approval', ...called, approval: name(reason.approval), question };
}

function isoTime(ms: number): string {
  return new Date(Math.min(Math.max(0, Number.isNaN(ms) ? 0 : ms), LAST_TIME)).toISOString();
}

function nextText(waiting: readonly WaitedFor[]): string {
  const asks = waiting.some(({ kind }) => kind === 'approval');
  const person = 'A person has to approve first: tell the user; the operator answers with `ampoule approvals`. ';
  return `${asks ? person : ''}The run goes on by itself: call wait_execution with this executionId for its answer, or cancel_execution.`;
}
