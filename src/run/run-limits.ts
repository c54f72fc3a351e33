import type { RunLimits } from '../execute/run.ts';
import type { Limits } from '../limits.ts';
import type { CallLimits } from '../server/sandbox-port.ts';

/** The limits of one run: the operator's, lowered by what the call asks for. A call never raises one. */
export function runLimits(operator: Limits, call: CallLimits = {}): RunLimits {
  const lower = (own: number, asked: number | undefined): number => Math.min(own, asked ?? own);
  return {
    timeoutMs: lower(operator.timeoutMs, call.timeoutMs),
    waitMs: lower(operator.waitMs, call.waitMs),
    fuel: lower(operator.fuel, call.fuel),
    memoryMb: lower(operator.memoryMb, call.memoryMb),
    maxToolCalls: lower(operator.maxToolCalls, call.maxToolCalls),
    maxConcurrentToolCalls: operator.maxConcurrentToolCalls,
    // A result that fits into the answer need not be kept.
    maxResultBytes: Math.max(operator.maxResultBytes, operator.maxKeptResultBytes),
    maxStateBytes: operator.maxStateBytes,
    maxLogBytes: Math.max(operator.maxLogBytes, operator.maxKeptLogBytes),
    maxToolArgumentBytes: operator.maxToolArgumentBytes,
    maxFileBytes: operator.maxFileBytes,
  };
}
