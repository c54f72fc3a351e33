import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../errors.ts';
import type { LogEntry, RunEnd, RunOutcome } from '../execute/run.ts';
import type { ExecutionEnd } from '../execution/execution-store.ts';

const amount = z.number().min(0);
const code = z.enum(ERROR_CODES);
const logs = z.array(z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() }));

/** How a run went, as far as it is a function of what it was given: no real times. */
export const recordedOutcomeSchema = z.strictObject({
  status: z.enum(['completed', 'failed']),
  /** JSON text, as the state is. */
  result: z.string().optional(),
  state: z.string().optional(),
  code: code.optional(),
  message: z.string().optional(),
  /** Absent, as `calls` is, where the whole outcome was too long to be kept. */
  logs: logs.optional(),
  droppedLogBytes: amount.optional(),
  calls: z.array(z.strictObject({ server: z.string(), tool: z.string(), ok: z.boolean(), code: code.optional() })).optional(),
  fuel: amount,
});
export type RecordedOutcome = z.output<typeof recordedOutcomeSchema>;

/** The outcome of a run as it is stored: {@link RunOutcome} as JSON, with what was large in its place. */
export const storedOutcomeSchema = z.strictObject({
  end: z.discriminatedUnion('status', [
    z.strictObject({ status: z.literal('completed'), result: z.string(), state: z.string() }),
    z.strictObject({
      status: z.literal('failed'),
      code,
      message: z.string(),
      name: z.string().optional(),
      stack: z.string().optional(),
      hint: z.string().optional(),
      retryAfterMs: amount.optional(),
    }),
  ]),
  logs,
  droppedLogBytes: amount,
  calls: z.array(z.strictObject({ server: z.string(), tool: z.string(), ok: z.boolean(), ms: z.number(), code: code.optional() })),
  usage: z.strictObject({ fuel: amount, peakMemoryBytes: amount, activeMs: amount, waitingMs: amount, toolCalls: amount }),
  cache: z.enum(['hit', 'miss']),
  phases: z.strictObject({ queue: amount, component: amount, run: amount }),
});

/** Ends that come from outside of the program: from people, clocks and the machine. What was done up to there can be repeated, the end cannot. */
const FROM_OUTSIDE: ReadonlySet<ErrorCode> = new Set([
  'ERR_EXECUTE_ACTIVE_TIME',
  'ERR_EXECUTE_WAITING_TIME',
  'ERR_EXECUTE_CANCELLED',
  'ERR_EXECUTE_ENGINE',
  'ERR_EXECUTE_LOST',
  'ERR_EXECUTE_BUSY',
  'ERR_EXECUTION_STORE',
  'ERR_EXECUTION_FULL',
  'ERR_EXECUTION_DAMAGED',
  'ERR_EXECUTION_DIVERGED',
  'ERR_EXECUTION_ENGINE',
  'ERR_SERVER_CLOSING',
  'ERR_INTERNAL',
]);

export function endsFromOutside({ code: ended }: Pick<RecordedOutcome, 'code'>): boolean {
  return ended !== undefined && FROM_OUTSIDE.has(ended);
}

export type OutcomeParts = Pick<RunOutcome, 'end' | 'logs' | 'droppedLogBytes' | 'large' | 'calls' | 'usage'>;

/** The part of an outcome that follows from what the run was given. */
export function outcomeOf({ end, logs: entries, droppedLogBytes, large, calls, usage }: OutcomeParts): RecordedOutcome {
  const lines = large?.logs ? linesOf(large.logs) : entries;
  return {
    status: end.status,
    ...endOf(end, large?.result),
    logs: lines.map(({ level, message }) => ({ level, message })),
    droppedLogBytes,
    calls: calls.map(({ server, tool, ok, code: why }) => ({ server, tool, ok, ...(why !== undefined && { code: why }) })),
    fuel: usage.fuel,
  };
}

/** What is left of an outcome that was too long to be kept. */
export function partOf({ status, code: why, usage }: ExecutionEnd): RecordedOutcome {
  const known = code.safeParse(why);
  return { status: status === 'completed' ? status : 'failed', ...(known.success && { code: known.data }), fuel: usage.fuel };
}

function endOf(end: RunEnd, large: Uint8Array | undefined): Pick<RecordedOutcome, 'result' | 'state' | 'code' | 'message'> {
  if (end.status === 'failed') return { code: end.code, message: end.message };
  return { result: large ? Buffer.from(large).toString('utf8') : end.result, state: end.state };
}

function linesOf(bytes: Uint8Array): LogEntry[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as LogEntry);
}
