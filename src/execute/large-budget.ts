import type { LargeOutcome, RunOutcome } from './run.ts';

/** Bytes of large outcomes that the gateway holds at one time, until they are presented: eight of the largest. */
const MAX_HELD_BYTES = 512 * 1024 * 1024;

/** Bounds what many runs that end at the same time with large results make the gateway hold. */
export class LargeBudget {
  readonly #most: number;
  #held = 0;

  constructor(most = MAX_HELD_BYTES) {
    this.#most = most;
  }

  /** The outcome with its large parts, to be given back with `done`; a failure in the place of one that there is no room for. */
  take(outcome: RunOutcome, large: LargeOutcome): RunOutcome {
    const bytes = (large.result?.length ?? 0) + (large.logs?.length ?? 0);
    if (this.#held + bytes > this.#most) return noRoom(outcome);
    this.#held += bytes;
    let isDone = false;
    const done = (): void => {
      if (!isDone) this.#held -= bytes;
      isDone = true;
    };
    return { ...outcome, large: { ...large, done } };
  }
}

function noRoom(outcome: RunOutcome): RunOutcome {
  const message = 'Too many large results are being handled at this moment; what the run did is done, and its result is lost.';
  const hint = 'Return less, or run it again in a moment if what it does may be done twice.';
  return { ...outcome, end: { status: 'failed', code: 'ERR_EXECUTE_RESULT_TOO_LARGE', message, hint } };
}
