import type { OnCall } from '../execute/run-handle.ts';
import type { RunOutcome, RunRequest } from '../execute/run.ts';
import { putToSleep } from './asleep.ts';
import { attemptEvents } from './attempt-events.ts';
import { attempt, type Attempt, type Left, type Next } from './attempt.ts';
import { afterDamage, afterLoss } from './begin-again.ts';
import type { Carrying } from './carrying.ts';
import type { CallJournal, DurableRun } from './durable-run.ts';
import type { ExecutionStart, StoredExecution } from './execution-store.ts';
import { HeldRun } from './held-run.ts';
import { LinkedAbort } from './linked-abort.ts';
import { CANCELLED } from './made-outcome.ts';
import { closing, endOf, hasDiverged, hasGoneOn } from './run-ends.ts';
import { takeOver } from './take-over.ts';
import { cancelledAsleep } from './wake.ts';

/** One run, from its beginning or from where another process left it, to its end: attempt after attempt, with sleep in between. */
export class CarriedRun {
  readonly #run: HeldRun;

  constructor(all: Carrying, run: Omit<DurableRun, 'stored'>, onCall: (journal: CallJournal) => OnCall, signal: AbortSignal) {
    this.#run = new HeldRun(all, run, onCall, signal);
  }

  /** A run that nobody has begun. @throws SandboxError as `DurableExecutor.attempt` when it did not begin */
  begin(start: ExecutionStart): Promise<RunOutcome> {
    this.#run.record.start(start);
    return this.#toEnd(this.#run.attempt());
  }

  /** One that another process has begun. */
  recover(stored: StoredExecution, start: ExecutionStart): Promise<RunOutcome> {
    return this.#toEnd(takeOver(this.#run, stored, start));
  }

  /** Nothing more is written about it, and what its calls are answered is not their answer. */
  leave(): void {
    this.#run.leave();
  }

  /** Its signal has fired. */
  cancelled(): void {
    this.#run.sleep.wake();
  }

  async #toEnd(first: Next | Promise<Next>): Promise<RunOutcome> {
    try {
      let next = await first;
      while (next.kind !== 'ended') next = await this.#after(next);
      return next.outcome;
    } finally {
      this.#run.end();
    }
  }

  #after(next: Exclude<Next, { kind: 'ended' }>): Promise<Next> {
    switch (next.kind) {
      case 'attempt':
        return this.#attempt(next);
      case 'put away':
        return putToSleep(this.#run, next);
      case 'lost':
        return afterLoss(this.#run, next);
      case 'damaged':
        return afterDamage(this.#run, next.error);
    }
  }

  /** A stay in an executor, looked at: one that is begun again has to do what it did before. */
  async #attempt(next: Attempt): Promise<Left> {
    const left = await this.#stay(next);
    const { book, ends, hasLeft } = this.#run;
    if (hasLeft) throw closing();
    if (left.kind === 'put away' || (left.kind === 'ended' && hasGoneOn(left.outcome))) this.#expectNoMissing();
    if (book.difference !== undefined) return ends.differing(left, book.difference);
    return left.kind === 'ended' && hasDiverged(left.outcome) ? ends.diverged(left, left.outcome.end) : left;
  }

  /** All that it did before it must have done again. */
  #expectNoMissing(): void {
    const { book, files } = this.#run;
    book.expectNoMissing();
    if (files.missing !== undefined) book.differs(files.missing);
  }

  async #stay(next: Attempt): Promise<Left> {
    const { executor, request, book, files, record, state, turn, signal } = this.#run;
    // Only a run that is begun again can go another way than before.
    const stop = next.from && new LinkedAbort(signal);
    const [onSign, onNews, onDifference] = [() => this.#isTaken(), () => this.#hasNews(), () => stop?.abort()];
    const events = attemptEvents({ book, files, record, state, onSign, onNews, onDifference });
    try {
      return await attempt(executor, requestOf(request, next), events, stop?.signal ?? signal);
    } catch (thrown) {
      if (!this.#run.hasBegun || this.#run.hasLeft) throw thrown;
      return await this.#stopped(next, thrown);
    } finally {
      stop?.close();
      turn.leave();
      book.released();
    }
  }

  /** It was cancelled on its way, say: a run that was begun has an outcome. */
  #stopped({ from }: Attempt, thrown: unknown): Promise<Left> {
    const { ends, signal, image } = this.#run;
    if (!signal.aborted) return ends.with(endOf(thrown));
    return from?.kind === 'image' && image?.hasNews === false ? cancelledAsleep(this.#run, image) : ends.with(CANCELLED);
  }

  /** A worker has it. */
  #isTaken(): void {
    this.#run.hasBegun = true;
    this.#run.turn.leave();
  }

  #hasNews(): void {
    const { restarts, image } = this.#run;
    restarts.progress();
    if (image) image.hasNews = true;
  }
}

function requestOf({ hibernation: _usual, ...request }: RunRequest, { from, hibernation }: Attempt): RunRequest {
  return { ...request, ...(from && { from }), ...(hibernation && { hibernation }) };
}
