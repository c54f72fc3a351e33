import type { GuestStatus } from './guest-status.ts';
import type { RunHost } from './run-host.ts';
import { usageOf } from './run-outcome.ts';
import type { RunState } from './run-state.ts';
import type { HibernatedRun } from '../run.ts';
import { putAway } from './sleeping-run.ts';

/** The run as it is between two calls, put away; undefined when that is too long to be stored. */
export function leave(host: RunHost, { running, nextTimer }: GuestStatus): HibernatedRun | undefined {
  const { place, task, clock, log, calls, waits } = host;
  const state: RunState = {
    now: clock.now(),
    status: { running, nextTimer },
    waitingMs: waits.waitedMs,
    meter: place.instance.meter.snapshot(),
    calls: calls.snapshot(),
    log: log.snapshot(),
    spent: place.spent(),
  };
  const image = putAway(place, task, state);
  if (!image) return undefined;
  // What that took has passed for the run, too: one that sleeps in a loop would be behind by hours in the end.
  const now = clock.now();
  return { status: 'hibernated', image, pending: calls.pending(), lastCall: calls.lastSent, nextTimer, now, usage: usageOf(host) };
}
