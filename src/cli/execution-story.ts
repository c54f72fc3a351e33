import type { RunLimits, RunUsage } from '../execute/run.ts';
import type { ExecutionEvent, StoredApproval, StoredCall, StoredExecution } from '../execution/execution-store.ts';
import { countOf, duration } from './quantities.ts';

/** One line of a story. */
export interface StoryLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: 'begun' | 'asked' | 'decided' | 'called' | 'sent again' | 'answered' | 'hibernated' | 'resumed' | 'restarted' | 'ended';
  readonly call?: number;
  /** Texts of programs, tools and people: to be made harmless before they are shown. */
  readonly text: string;
}

export interface ShownWait {
  /** Each with `server.tool`, as far as that is kept. */
  readonly calls: readonly { readonly call: number; readonly tool?: string }[];
  readonly approvals: readonly { readonly id: string; readonly call: number }[];
  readonly until?: string;
}

/** What `ampoule executions show --json` tells. No handle of a session, and nothing of how the caller has proved who it is. */
export interface ShownExecution {
  readonly id: string;
  readonly principal: string;
  readonly status: string;
  readonly created: string;
  readonly ended?: string;
  readonly source: string;
  readonly input: unknown;
  readonly dryRun: boolean;
  readonly programKey?: string;
  readonly engineHash?: string;
  readonly warnings: readonly { readonly message: string; readonly code?: string }[];
  /** Milliseconds of each. */
  readonly phases: Readonly<Record<string, number>>;
  readonly story: readonly StoryLine[];
  readonly hibernations: number;
  readonly restarts: number;
  readonly imageBytes: number;
  /** What it waits for while it is put away, calls and a time, and the questions about calls that are open. */
  readonly waitsFor?: ShownWait;
  /** Whether it can be replayed. */
  readonly isComplete: boolean;
  /** Calls that were made and are not kept any more, and all that were made. */
  readonly dropped?: { readonly calls: number; readonly of: number };
  readonly usage?: RunUsage;
  readonly limits?: RunLimits;
  /** The answer that the agent got. */
  readonly answer?: Readonly<Record<string, unknown>>;
}

/** All there is to tell of an execution. Whatever cannot be read of what the gateway has written is left out. */
export function shownExecution(execution: StoredExecution, approvals: readonly StoredApproval[]): ShownExecution {
  const { id, principal, status, createdAt, endedAt, start, end, wait, hibernations, restarts, isComplete } = execution;
  const request = parsedObject(execution.request);
  const context = parsedObject(start?.context);
  const answer = answerOf(end?.response);
  const usage = end?.usage ?? wait?.usage;
  return {
    id,
    principal,
    status,
    created: new Date(createdAt).toISOString(),
    ...(endedAt !== undefined && { ended: new Date(endedAt).toISOString() }),
    source: typeof request['code'] === 'string' ? request['code'] : '',
    input: request['input'] ?? null,
    dryRun: request['dryRun'] === true,
    ...(start && { programKey: start.programKey, engineHash: start.engineHash }),
    warnings: warningsOf(context['warnings']),
    phases: phasesOf(parsedObject(answer?.['usage'])['phases'] ?? context['phases']),
    story: storyOf(execution, approvals),
    hibernations,
    restarts,
    imageBytes: wait?.imageBytes ?? 0,
    ...(status === 'waiting' && { waitsFor: waitOf(execution, approvals) }),
    isComplete,
    ...(!isComplete && { dropped: droppedOf(execution, usage) }),
    ...(usage && { usage }),
    ...(start && { limits: start.limits }),
    ...(answer && { answer }),
  };
}

/** The last time that there is a date for, in milliseconds since 1970. What an executor tells may be later. */
const LAST_TIME = 8_640_000_000_000_000;

function waitOf({ wait, calls }: StoredExecution, approvals: readonly StoredApproval[]): ShownWait {
  // Absent when it waits for a person, and was not put away yet.
  const { pending = [], nextTimer = null } = wait ?? {};
  const named = pending.map((call) => {
    const known = calls.find(({ number }) => number === call);
    return { call, ...(known && { tool: `${known.server}.${known.tool}` }) };
  });
  const open = approvals.filter(({ decision }) => decision === undefined).map(({ id, call }) => ({ id, call }));
  const until = nextTimer === null ? undefined : new Date(Math.min(Math.max(0, nextTimer), LAST_TIME)).toISOString();
  return { calls: named, approvals: open, ...(until !== undefined && { until }) };
}

/** Calls have the numbers from 1 on. */
function droppedOf({ calls }: StoredExecution, usage: RunUsage | undefined): NonNullable<ShownExecution['dropped']> {
  const made = calls.reduce((most, { number }) => Math.max(most, number), usage?.toolCalls ?? 0);
  return { calls: made - calls.length, of: made };
}

function storyOf(execution: StoredExecution, approvals: readonly StoredApproval[]): StoryLine[] {
  const { createdAt, endedAt, principal, end, calls, events } = execution;
  const lines: StoryLine[] = [
    ...calls.flatMap(callLines),
    ...events.map(({ kind, at, imageBytes }): StoryLine => ({
      at,
      what: kind,
      text: eventText(kind, imageBytes),
    })),
    ...approvals.flatMap(approvalLines),
  ];
  // Those of one time stay in the order of what comes before what.
  lines.sort((a, b) => a.at - b.at);
  lines.unshift({ at: createdAt, what: 'begun', text: `by ${principal}` });
  if (end === undefined || endedAt === undefined) return lines;
  return [...lines, { at: endedAt, what: 'ended', text: `${end.status}${end.code === undefined ? '' : ` ${end.code}`}` }];
}

function eventText(kind: ExecutionEvent['kind'], imageBytes: number | undefined): string {
  if (kind === 'restarted') return 'a process was lost, or what was stored of the run';
  return imageBytes === undefined ? '' : `${countOf(imageBytes)} bytes`;
}

function callLines({ number, server, tool, arguments: given, at, sentAt = [], isRepeatable, answeredAt, answer }: StoredCall): StoryLine[] {
  const name = `${server}.${tool}`;
  // That a person is asked about it is told by the question.
  const called: StoryLine = { at, what: 'called', call: number, text: `${name} ${given}` };
  const why = isRepeatable ? 'its tool may be called again' : 'the operator has approved that';
  const again = sentAt.slice(1).map((time): StoryLine => ({
    at: time,
    what: 'sent again',
    call: number,
    text: `${name}: no answer had come, and ${why}`,
  }));
  if (answer === undefined || answeredAt === undefined) return [called, ...again];
  const said = answer.ok ? answer.value : `${answer.error.code}: ${answer.error.message}`;
  const answered: StoryLine = {
    at: answeredAt,
    what: 'answered',
    call: number,
    text: `${name} after ${duration(answeredAt - at)}: ${said}`,
  };
  return [called, ...again, answered];
}

function approvalLines({ id, call, kind, askedAt, decision, server, tool }: StoredApproval): StoryLine[] {
  const question = kind === 'repeat' ? 'may it be made again' : 'may it be made';
  const asked: StoryLine = { at: askedAt, what: 'asked', call, text: `${id}: ${server}.${tool}, ${question}` };
  if (decision === undefined) return [asked];
  const text = `${id}: ${decision.granted ? 'approved' : 'refused'} by ${decision.by}`;
  return [asked, { at: decision.at, what: 'decided', call, text }];
}

/** Without the handle of the session: whoever has it can use the session. */
function answerOf(response: string | undefined): Record<string, unknown> | undefined {
  if (response === undefined) return undefined;
  const { structured } = parsedObject(response);
  const { session: _handle, ...answer } = parsedObject(structured);
  return answer;
}

function warningsOf(value: unknown): ShownExecution['warnings'] {
  if (!Array.isArray(value)) return [];
  return value.map(parsedObject).flatMap(({ message, code }) => {
    if (typeof message !== 'string') return [];
    return [{ message, ...(typeof code === 'string' && { code }) }];
  });
}

function phasesOf(value: unknown): Record<string, number> {
  const entries = Object.entries(parsedObject(value)).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return Object.fromEntries(entries);
}

/** An object, or the object that a JSON text stands for; an empty one for anything else. */
function parsedObject(value: unknown): Record<string, unknown> {
  if (typeof value === 'string') {
    try {
      return parsedObject(JSON.parse(value) as object);
    } catch {
      return {};
    }
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** `2026-01-31T12:00:00Z`. */
export function toSeconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
