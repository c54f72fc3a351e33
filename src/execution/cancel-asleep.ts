import type { RunEnd, RunEvents, RunOutcome, RunRequest } from '../execute/run.ts';
import { attempt } from './attempt.ts';
import type { DurableExecutor } from '../execute/run.ts';
import type { KeptImage } from './kept-image.ts';
import type { WakeTimers } from './wake-timers.ts';

/** How long a run may take to say what it was. */
const PATIENCE_MS = 2_000;

export interface Ending {
  readonly executor: DurableExecutor;
  readonly request: RunRequest;
  readonly image: KeptImage;
  /** The run's clock. */
  readonly now: number;
  readonly timers: WakeTimers;
  readonly monotonic: () => number;
}

/**
 * The outcome of a run that ends while it is put away, with the logs and calls that are in its image: it is woken with no waiting time left, so that it ends
 * before it does anything. Undefined when it cannot tell.
 */
export async function outcomeOfSleeping(
  { executor, request, image, now, timers, monotonic }: Ending,
  end: RunEnd,
): Promise<RunOutcome | undefined> {
  const { wait } = image;
  const controller = new AbortController();
  const patience = timers.at(monotonic() + PATIENCE_MS, () => controller.abort());
  try {
    // Its earliest timer is not due, and nothing is answered.
    const from = await image.from(() => Math.max(wait.now, Math.min(now, (wait.nextTimer ?? Infinity) - 1)));
    const limits = { ...request.limits, waitMs: Math.floor(wait.usage.waitingMs) };
    const left = await attempt(executor, { ...request, limits, from }, SILENT, controller.signal);
    return left.kind === 'ended' && left.outcome.end.status === 'failed' ? { ...left.outcome, end } : undefined;
  } catch {
    return undefined;
  } finally {
    timers.cancel(patience);
  }
}

const NEVER = new Promise<never>(() => undefined);

const SILENT: RunEvents = { call: () => NEVER, answer: () => NEVER, history: () => undefined };
