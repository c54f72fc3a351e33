import type { CallTable } from '../../../host-functions/call-tool.ts';
import type { Log } from '../../../host-functions/log.ts';
import type { RunHost } from './run-host.ts';
import type { CallRecord, RunEnd, RunOutcome, RunUsage } from '../run.ts';

const PAGE_BYTES = 65_536;

/** What the run has taken until now. */
export function usageOf({ place, waits, calls }: RunHost): RunUsage {
  const { meter } = place.instance;
  return {
    fuel: meter.fuelUsed,
    peakMemoryBytes: meter.pages * PAGE_BYTES,
    activeMs: meter.activeMs,
    waitingMs: waits.waitedMs,
    toolCalls: calls.begun,
  };
}

/** @param largeResult of a run that completed, where its result is one */
export function outcomeOf(host: RunHost, end: RunEnd, largeResult: Uint8Array | undefined): Omit<RunOutcome, 'phases' | 'cache'> {
  const { log, calls } = host;
  if (end.status === 'completed') warnOfUnfinishedCalls(log, calls);
  const logs = log.bytes();
  const result = end.status === 'completed' ? largeResult : undefined;
  return {
    end,
    logs: log.entries,
    ...((result ?? logs) && { large: { ...(result && { result }), ...(logs && { logs }) } }),
    droppedLogBytes: log.droppedBytes,
    // The codes are the gateway's own, checked when they came in.
    calls: calls.records() as CallRecord[],
    usage: usageOf(host),
  };
}

/** A call that nobody awaits is nearly always a forgotten `await`: the program would think that it was made. */
function warnOfUnfinishedCalls(log: Log, { running }: CallTable): void {
  if (running === 0) return;
  const calls = running === 1 ? 'A tool call was' : `${running} tool calls were`;
  log.append('warn', `${calls} still running when the program ended, and may not have been made. Await every call.`);
}
