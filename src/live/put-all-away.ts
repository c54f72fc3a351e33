import { setTimeout as sleep } from 'node:timers/promises';

/** So long is it waited at most, in milliseconds. */
const MOST_MS = 2_000;
/** When none has gone for so long, those that are left compute: what they have done is written down, and they begin again from their start. */
const QUIET_MS = 300;
const LOOK_MS = 5;

export interface PutAllAway {
  /** Asks every run that only waits to be put away. */
  readonly hibernate: () => void;
  /** How many are in an executor, or on their way there. */
  readonly awake: () => number;
  readonly mostMs?: number;
  readonly quietMs?: number;
}

/** Has runs put away before this process lets go of them: the next one wakes them from their images, and has nothing to do again. */
export async function putAllAway({ hibernate, awake, mostMs = MOST_MS, quietMs = QUIET_MS }: PutAllAway): Promise<void> {
  let left = awake();
  if (left === 0) return;
  hibernate();
  const until = performance.now() + mostMs;
  let quietSince = performance.now();
  while (left > 0 && performance.now() < Math.min(until, quietSince + quietMs)) {
    await sleep(LOOK_MS);
    const now = awake();
    if (now < left) quietSince = performance.now();
    left = now;
  }
}
