import type { HibernatedEvent } from './executor-protocol.ts';
import type { ToldCalls } from './told-calls.ts';
import type { HibernatedRun, RunLimits, RunOutcome, RunRequest, RunUsage } from './run.ts';

const MIB = 1024 * 1024;
/** The last piece of work before a wait may cost more than was left, and is found out at the next. */
const SPARE_FUEL = 10_000_000_000;
/** Limits of time are looked at now and then, and a machine can be busy. */
const SPARE_MS = 60_000;

/** Why a run cannot have been put away like this by an executor that keeps its limits; undefined when it can. */
export function refuseImage(
  { request, told, begunAt }: { readonly request: RunRequest; readonly told: ToldCalls; readonly begunAt: number },
  event: HibernatedEvent,
  image: Uint8Array,
): string | undefined {
  const { hibernation, limits } = request;
  if (!hibernation) return 'it put away a run that was to stay';
  if (image.length === 0 || image.length > hibernation.maxImageBytes) return 'it put away a run with too much memory, or none';
  if (!told.isWaitingFor(event.pending)) return 'it put away a run that waits for tool calls that it did not make';
  if (event.lastCall < told.last || event.lastCall > limits.maxToolCalls) return 'it numbered a tool call otherwise than a run does';
  if (event.pending.length === 0 && event.nextTimer === null) return 'it put away a run that waits for nothing';
  const latest = Math.max(told.clock, Date.now()) + (performance.now() - begunAt) + SPARE_MS;
  if (!(event.now >= told.clock && event.now <= latest)) return 'it put away a run whose clock is wrong';
  const { activeMs, waitingMs } = event.usage;
  const isInTime = activeMs <= 2 * limits.timeoutMs + SPARE_MS && waitingMs <= 2 * limits.waitMs + SPARE_MS;
  return isInTime && isWithin(event.usage, limits) ? undefined : 'it put away a run that had used more than it may';
}

/** Whether a run can have used this where its limits are kept. Its times are not looked at: it may have waited for a server that was not there. */
export function isWithin({ fuel, peakMemoryBytes, toolCalls }: RunUsage, limits: RunLimits): boolean {
  return fuel <= limits.fuel + SPARE_FUEL && peakMemoryBytes <= limits.memoryMb * MIB && toolCalls <= limits.maxToolCalls;
}

/** Tells a run that was put away from one that has ended. */
export function isHibernated(run: RunOutcome | HibernatedRun): run is HibernatedRun {
  return 'image' in run;
}
