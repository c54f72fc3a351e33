import { z } from 'zod';
import { ERROR_CODES, SandboxError } from '../errors.ts';
import { runLimitsSchema } from '../execute/run-limits-schema.ts';
import type { ToolAnswer } from '../execute/run.ts';
import type { ExecutionEnd, ExecutionStart, StoredExecution } from '../execution/execution-store.ts';
import {
  outcomeOf,
  partOf,
  recordedOutcomeSchema,
  storedOutcomeSchema,
  type OutcomeParts,
  type RecordedOutcome,
} from './recorded-outcome.ts';

/** Changes with the form of a saved recording. */
const VERSION = 1;

const amount = z.number().min(0);
const number = z.int().min(1);
const folder = z.string().regex(/^[0-9a-f]{32}$/);
const key = z.string().regex(/^[0-9a-f]{64}$/);
const answer = z.union([
  z.strictObject({ ok: z.literal(true), value: z.string() }),
  z.strictObject({
    ok: z.literal(false),
    error: z.strictObject({ code: z.enum(ERROR_CODES), message: z.string(), hint: z.string().optional(), content: z.unknown().optional() }),
  }),
]);
const call = z.strictObject({
  number,
  server: z.string(),
  tool: z.string(),
  /** JSON text. */
  arguments: z.string(),
  answer: answer.optional(),
});

/** A recording as it is saved, beside its program. */
export const recordingSchema = z.strictObject({
  version: z.literal(VERSION),
  executionId: z.string(),
  /** ISO 8601. */
  recordedAt: z.string(),
  engineHash: z.string(),
  /** JSON text, as the state is. */
  input: z.string(),
  state: z.string(),
  limits: runLimitsSchema,
  /** Milliseconds since 1970. */
  now: z.number(),
  seed: key,
  /** Folders of kept results and skills that the run could read. */
  results: folder.optional(),
  skills: folder.optional(),
  /** Each the clock, and the calls that were settled. */
  steps: z.array(z.tuple([z.number()], number)),
  /** `hash` is "" for a file that could not be read. */
  files: z.array(z.strictObject({ path: z.string(), bytes: amount, hash: z.string().regex(/^(?:[0-9a-f]{64})?$/) })),
  calls: z.array(call),
  /** The mounts that there were, where the run has read files: messages about files name them. */
  mounts: z.array(z.string().regex(/^(?!\.{1,2}$)[^/\\]{1,200}$/)).optional(),
  /** Absent while the run has not ended. */
  expected: recordedOutcomeSchema.optional(),
});

/** All that a run depended on, and how it ended. */
export interface Recording extends z.output<typeof recordingSchema> {
  /** The bundled program. */
  readonly script: string;
}

export type RecordedCall = Recording['calls'][number];

/**
 * What is stored of an execution, as a recording.
 * @throws SandboxError ERR_EXECUTION_UNKNOWN when it never ran; ERR_EXECUTION_DAMAGED when its record was too long to be kept, or is not one
 */
export function recordingOf(execution: StoredExecution): Recording {
  const { id, start, createdAt, calls, history, isComplete, end } = execution;
  if (!start) throw neverRan(execution);
  if (!isComplete) {
    const message = `The record of ${id} could not be kept whole: it got longer than "limits.maxRecordBytes", or the disk was full.`;
    throw new SandboxError('ERR_EXECUTION_DAMAGED', message, { hint: 'Raise the limit, and run the program again.' });
  }
  const expected = end && expectedOf(id, end);
  const recording = {
    version: VERSION,
    executionId: id,
    recordedAt: new Date(createdAt).toISOString(),
    ...partsOf(start),
    steps: history.steps,
    files: history.files,
    calls: calls.map(({ number: nth, server, tool, arguments: text, answer: given }) => {
      return { number: nth, server, tool, arguments: text, ...(given && { answer: plain(given) }) };
    }),
    ...(expected && { expected }),
  };
  const checked = recordingSchema.safeParse(recording);
  if (!checked.success) throw damaged(id, checked.error);
  // Not what the schema made of it: the answers keep the order of their keys, which the program sees.
  return { ...(recording as typeof checked.data), script: start.script };
}

function partsOf({ engineHash, input, state, limits, now, seed, results, skills }: ExecutionStart) {
  const folders = { ...(results !== undefined && { results }), ...(skills !== undefined && { skills }) };
  return { engineHash, input, state, limits, now, seed, ...folders };
}

/** Without what the gateway alone needed, and in the same order. */
function plain(given: ToolAnswer): ToolAnswer {
  if (given.ok) return given;
  const { whole: _whole, isMessage: _isMessage, ...error } = given.error;
  return { ok: false, error };
}

function expectedOf(id: string, end: ExecutionEnd): RecordedOutcome {
  if (end.outcome === undefined) return partOf(end);
  const parsed = storedOutcomeSchema.safeParse(jsonOf(id, end.outcome));
  if (!parsed.success) throw damaged(id, parsed.error, ['end', 'outcome']);
  return outcomeOf(parsed.data as OutcomeParts);
}

function jsonOf(id: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SandboxError('ERR_EXECUTION_DAMAGED', `The record of ${id} cannot be replayed: end.outcome is no JSON.`, { cause });
  }
}

/** Which part of a record is not what it should be. */
function damaged(id: string, error: z.ZodError, above: readonly string[] = []): SandboxError {
  const message = `The record of ${id} cannot be replayed: ${firstIssue(error, above)}.`;
  return new SandboxError('ERR_EXECUTION_DAMAGED', message, { cause: error });
}

/** The first thing that a schema has against a value, with where in it. */
export function firstIssue({ issues }: z.ZodError, above: readonly string[] = []): string {
  const [issue] = issues;
  const path = [...above, ...(issue?.path ?? [])].map(String).join('.');
  return `${path === '' ? 'all of it' : path}: ${issue?.message ?? 'not what it should be'}`;
}

function neverRan({ id, status, end }: StoredExecution): SandboxError {
  const why = end?.code === undefined ? `it is ${status}` : `it ended with ${end.code}`;
  return new SandboxError('ERR_EXECUTION_UNKNOWN', `Nothing of ${id} has run (${why}), so there is nothing to replay.`);
}
