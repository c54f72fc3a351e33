import type { ErrorCode } from '../errors.ts';
import type { CallRecord, RunEnd, RunOutcome, RunUsage } from '../execute/run.ts';
import type { ExecutionEnd, StoredCall } from './execution-store.ts';

const NO_USAGE: RunUsage = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };
const CHECK = 'Check what its tool calls changed before sending it again.';

export const CANCELLED: RunEnd = { status: 'failed', code: 'ERR_EXECUTE_CANCELLED', message: 'The run was cancelled.' };

/** The failure of a run that was begun and cannot be carried on. */
export function failedEnd(code: ErrorCode, message: string): RunEnd {
  return { status: 'failed', code, message, hint: CHECK };
}

/** The outcome of a run that no executor tells, from what is known of it. */
export function madeOutcome(end: RunEnd, calls: readonly StoredCall[], usage: RunUsage = NO_USAGE): RunOutcome {
  return {
    end,
    logs: [],
    droppedLogBytes: 0,
    calls: calls.map(recordOf),
    usage: { ...usage, toolCalls: Math.max(usage.toolCalls, calls.length) },
    cache: 'miss',
    phases: { queue: 0, component: 0, run: 0 },
  };
}

/** That of a run whose end is stored and was not told. */
export function storedOutcome({ outcome, code, usage }: ExecutionEnd): RunOutcome {
  // Our own text, as it was written.
  if (outcome !== undefined) return JSON.parse(outcome) as RunOutcome;
  const message = 'The run ended before the server was started again.';
  return madeOutcome({ status: 'failed', code: (code ?? 'ERR_EXECUTE_LOST') as ErrorCode, message }, [], usage);
}

function recordOf({ server, tool, at, answeredAt, answer }: StoredCall): CallRecord {
  const ms = Math.max(0, (answeredAt ?? at) - at);
  if (answer === undefined) return { server, tool, ok: false, ms };
  return answer.ok ? { server, tool, ok: true, ms } : { server, tool, ok: false, ms, code: answer.error.code };
}
