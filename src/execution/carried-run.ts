import { toSandboxError, type ErrorCode, type SandboxError } from '../errors.ts';
import type { OnCall } from '../execute/run-handle.ts';
import type { DurableExecutor, HibernatedRun, HibernationRules, RunFrom, RunHistory, RunOutcome, RunRequest } from '../execute/run.ts';
import { attemptEvents } from './attempt-events.ts';
import { attempt, type Left } from './attempt.ts';
import { CallBook } from './calls/call-book.ts';
import { outcomeOfSleeping } from './cancel-asleep.ts';
import type { Carrying } from './carrying.ts';
import type { CallJournal, DurableRun } from './durable-run.ts';
import type { ExecutionStart, StoredCall, StoredExecution } from './execution-store.ts';
import type { KeptImage } from './kept-image.ts';
import { LinkedAbort } from './linked-abort.ts';
import { CANCELLED } from './made-outcome.ts';
import { putAway } from './put-away.ts';
import { recoveredClock, recoveryOf, restartsInARow } from './recovery.ts';
import { RestartCount } from './restart-count.ts';
import { RunClock } from './run-clock.ts';
import { closing, DAMAGED, endOf, hasGoneOn, LOST, RunEnds } from './run-ends.ts';
import { RunRecord } from './run-record.ts';
import { RunSleep } from './run-sleep.ts';
import { RunState } from './run-state.ts';
import { StayUp } from './stay-up.ts';
import { WakeTurn } from './wake-queue.ts';

/** A run that has not begun is given to another process so often, as without a store. */
const FRESH_ATTEMPTS = 2;

/** The outcome, or undefined when another attempt is to be made. */
type Next = Promise<RunOutcome | undefined>;

/** One run, from its beginning or from where another process left it, to its end: attempt after attempt, with sleep in between. */
export class CarriedRun {
  readonly #all: Carrying;
  readonly #signal: AbortSignal;
  readonly #record: RunRecord;
  readonly #book: CallBook;
  readonly #state: RunState;
  readonly #sleep: RunSleep;
  readonly #ends: RunEnds;
  readonly #stayUp = new StayUp();
  readonly #turn: WakeTurn;
  #request: RunRequest;
  #executor: DurableExecutor;
  #clock: RunClock;
  readonly #restarts = new RestartCount();
  /** Where the next attempt goes on, and when it may be put away. */
  #from: RunFrom | undefined;
  #rules: HibernationRules | undefined;
  #image: KeptImage | undefined;
  /** Whether the program may have done anything. */
  #hasBegun = false;
  #freshAttempts = 0;
  #hadDamage = false;
  #hasLeft = false;

  constructor(all: Carrying, run: Omit<DurableRun, 'stored'>, onCall: (journal: CallJournal) => OnCall, signal: AbortSignal) {
    const { engines, clocks, timers, wakes, store, log, memory, interruptedCalls } = all;
    const { request, observer, askRepeat } = run;
    this.#all = all;
    this.#signal = signal;
    this.#request = request;
    this.#rules = request.hibernation;
    this.#executor = engines.executor;
    this.#clock = new RunClock(clocks, request.now ?? clocks.wall());
    this.#sleep = new RunSleep(timers);
    this.#turn = new WakeTurn(wakes, request.results ?? '');
    const record = (this.#record = new RunRecord(store, request.executionId, log));
    this.#ends = new RunEnds(record, () => this.#image?.wait.usage);
    const now = (): number => clocks.wall();
    const onAnswer = (): void => this.#sleep.wake();
    const onQuestion = (): void => this.#state.questionsChanged();
    this.#book = new CallBook({ record, memory, onCall, interruptedCalls, askRepeat, now, onAnswer, onQuestion });
    this.#state = new RunState(this.#book, record, observer);
  }

  /** A run that nobody has begun. @throws SandboxError as `DurableExecutor.attempt` when it did not begin */
  begin(start: ExecutionStart): Promise<RunOutcome> {
    this.#record.start(start);
    return this.#toEnd(undefined);
  }

  /** One that another process has begun. */
  recover(stored: StoredExecution, start: ExecutionStart): Promise<RunOutcome> {
    return this.#toEnd(this.#recover(stored, start));
  }

  /** Nothing more is written about it, and what its calls are answered is not their answer. */
  leave(): void {
    this.#hasLeft = true;
    this.#record.close();
    this.#book.end(false);
    this.#sleep.wake();
  }

  /** Its signal has fired. */
  cancelled(): void {
    this.#sleep.wake();
  }

  async #toEnd(first: Next | undefined): Promise<RunOutcome> {
    try {
      let outcome = await first;
      while (outcome === undefined) outcome = await this.#after(await this.#attempt());
      return outcome;
    } finally {
      this.#turn.leave();
      this.#book.end(true);
    }
  }

  async #recover(stored: StoredExecution, start: ExecutionStart): Next {
    this.#hasBegun = true;
    this.#clock = recoveredClock(this.#all, stored, start);
    const { calls, history } = stored;
    const recovery = await recoveryOf(this.#all, this.#record, this.#request, stored, start);
    if (recovery.kind === 'none') return this.#ends.failed(recovery.code, recovery.message, calls);
    this.#executor = recovery.executor;
    const mayGoOn = this.#restarts.takeOver(stored.restarts, restartsInARow(stored));
    if (recovery.kind === 'image') {
      this.#image = recovery.image;
      // If it was awake when its gateway ended, that may have been its doing.
      const wasAwake = stored.status === 'running';
      if (wasAwake && !(await this.#mayRestart(mayGoOn))) return this.#ends.failed('ERR_EXECUTE_LOST', LOST, calls);
      if (wasAwake) await this.#record.asleepAgain();
      this.#all.waiting.enter();
      this.#book.resume(calls, recovery.image.wait);
      return this.#untilDue(recovery.image);
    }
    this.#request = { ...this.#request, program: recovery.program };
    return (await this.#mayRestart(mayGoOn)) ? this.#beginAgain(calls, history) : this.#ends.failed('ERR_EXECUTE_LOST', LOST, calls);
  }

  async #attempt(): Promise<Left> {
    const [from, hibernation] = [this.#from, this.#rules];
    this.#from = undefined;
    this.#rules = this.#request.hibernation;
    const { hibernation: _usual, ...plain } = this.#request;
    const request = { ...plain, ...(from && { from }), ...(hibernation && { hibernation }) };
    // Only a run that is begun again can go another way than before.
    const stop = from && new LinkedAbort(this.#signal);
    const [onSign, onNews, onDifference] = [() => this.#isTaken(), () => this.#hasNews(), () => stop?.abort()];
    const events = attemptEvents({ book: this.#book, record: this.#record, state: this.#state, onSign, onNews, onDifference });
    try {
      return await attempt(this.#executor, request, events, stop?.signal ?? this.#signal);
    } catch (thrown) {
      if (!this.#hasBegun || this.#hasLeft) throw thrown;
      // It was cancelled on its way, say: a run that was begun has an outcome.
      return { kind: 'ended', outcome: await this.#ends.with(this.#signal.aborted ? CANCELLED : endOf(thrown)) };
    } finally {
      stop?.close();
      this.#turn.leave();
      this.#book.released();
    }
  }

  /** A worker has it. */
  #isTaken(): void {
    this.#hasBegun = true;
    this.#turn.leave();
  }

  #hasNews(): void {
    this.#restarts.progress();
    if (this.#image) this.#image.hasNews = true;
  }

  async #after(left: Left): Next {
    if (this.#hasLeft) throw closing();
    if (left.kind === 'put away' || (left.kind === 'ended' && hasGoneOn(left.outcome))) this.#book.expectNoMissing();
    if (this.#book.difference !== undefined) return this.#ends.differing(left, this.#book.difference);
    switch (left.kind) {
      case 'ended':
        return left.outcome;
      case 'put away':
        this.#hasBegun = true;
        return this.#putAway(left.run, left.takeImage());
      case 'lost':
        return this.#lost(left.hasBegun, left.error);
      case 'damaged':
        return this.#damaged(left.error);
    }
  }

  async #putAway(run: Omit<HibernatedRun, 'image'>, bytes: Uint8Array): Next {
    this.#clock.set(run.now);
    this.#book.writeUnsent(run.pending);
    const { image, refusal } = await putAway(this.#all, this.#record, run, bytes);
    if (refusal !== undefined) return this.#goOnAwake(image, refusal);
    this.#restarts.progress();
    return this.#untilDue(image);
  }

  /** Waits with as little as there can be. The image has been counted as waiting. */
  async #untilDue(image: KeptImage): Next {
    const { wait } = image;
    const dueAt = Math.min(wait.nextTimer ?? Infinity, Math.ceil(wait.now + this.#request.limits.waitMs - wait.usage.waitingMs));
    const isDue = (): boolean => this.#isOver || this.#book.hasAnswer(wait.pending) || this.#clock.now() >= dueAt;
    this.#image = image;
    this.#state.asleep(wait.nextTimer);
    if (!isDue()) image.sleep();
    await this.#sleep.until(isDue, this.#clock.monotonicAt(dueAt));
    this.#all.waiting.leave();
    return this.#goOn(image);
  }

  async #goOn(image: KeptImage): Next {
    await this.#turn.take();
    if (this.#hasLeft) throw closing();
    if (this.#signal.aborted) return this.#cancelledAsleep(image);
    try {
      this.#from = await image.from(this.#clock.now());
      this.#state.goesOn();
      return undefined;
    } catch (error) {
      return this.#damaged(error);
    }
  }

  /** Nothing is lost: it goes on at once, from what this process still has, and stays longer than what it waits for. */
  async #goOnAwake(image: KeptImage, error: unknown): Next {
    const { executionId, hibernation } = this.#request;
    const { code, message } = toSandboxError(error);
    this.#all.log.warn({ executionId, code, reason: message }, 'A run that waits cannot be put away: it stays in memory');
    this.#rules = this.#stayUp.refused(hibernation, image.wait, this.#all.clocks.monotonic());
    this.#from = await image.from(this.#clock.now());
    return undefined;
  }

  async #lost(hasBegun: boolean, error: SandboxError): Next {
    this.#hasBegun ||= hasBegun;
    if (!this.#hasBegun) {
      if (++this.#freshAttempts >= FRESH_ATTEMPTS) throw error;
      return undefined;
    }
    const image = this.#image;
    if (!(await this.#mayRestart(this.#restarts.take(hasBegun)))) return this.#ends.failed('ERR_EXECUTE_LOST', LOST);
    if (image !== undefined && !image.hasNews) {
      if (hasBegun) await this.#record.restarted();
      return this.#goOn(image);
    }
    return this.#readAgain('ERR_EXECUTE_LOST', LOST);
  }

  /** Waits until it may be begun again, unless it may not. */
  async #mayRestart(mayGoOn: boolean): Promise<boolean> {
    const { clocks, random, log } = this.#all;
    if (!mayGoOn) return false;
    log.info({ executionId: this.#request.executionId }, 'A run was lost with its process and is carried on');
    const until = clocks.monotonic() + this.#restarts.delayMs(random());
    await this.#sleep.until(() => this.#isOver || clocks.monotonic() >= until, until);
    if (this.#hasLeft) throw closing();
    return true;
  }

  async #damaged(thrown: unknown): Next {
    const { code, message } = toSandboxError(thrown);
    const { executionId } = this.#request;
    this.#image = undefined;
    if (this.#hadDamage) return this.#ends.failed('ERR_EXECUTION_DAMAGED', DAMAGED);
    this.#hadDamage = true;
    this.#all.log.warn(
      { executionId, code, reason: message },
      'What was stored of a sleeping run is damaged: it begins again from its start',
    );
    return this.#readAgain('ERR_EXECUTION_DAMAGED', DAMAGED);
  }

  /** From the start; with a record that is not whole from the image, if there is one. @param code why it ends when there is none */
  async #readAgain(code: ErrorCode, message: string): Next {
    await this.#turn.take();
    if (this.#hasLeft) throw closing();
    if (this.#signal.aborted) return this.#ends.with(CANCELLED);
    const image = this.#image;
    const stored = await this.#record.read().catch(() => undefined);
    if (stored?.isComplete) return this.#beginAgain(stored.calls, stored.history);
    if (image === undefined || !stored?.canWake) return this.#ends.failed(code, message, stored?.calls);
    this.#book.resume(stored.calls, image.wait);
    return this.#goOn(image);
  }

  async #beginAgain(calls: readonly StoredCall[], { steps }: RunHistory): Next {
    await this.#turn.take();
    await this.#record.restarted();
    this.#clock.notBefore(steps.at(-1)?.[0] ?? -Infinity);
    this.#book.recall(calls, steps);
    this.#from = { kind: 'history', steps, now: this.#clock.now() };
    return undefined;
  }

  async #cancelledAsleep(image: KeptImage): Next {
    const { timers, clocks } = this.#all;
    const [executor, request] = [this.#executor, this.#request];
    const ending = { executor, request, image, now: this.#clock.now(), timers, monotonic: () => clocks.monotonic() };
    return (await outcomeOfSleeping(ending, CANCELLED)) ?? this.#ends.with(CANCELLED);
  }

  get #isOver(): boolean {
    return this.#hasLeft || this.#signal.aborted;
  }
}
