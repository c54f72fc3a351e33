import type { OnCall } from '../execute/run-handle.ts';
import type { DurableExecutor, RunFrom, RunRequest } from '../execute/run.ts';
import type { Attempt } from './attempt.ts';
import { CallBook } from './calls/call-book.ts';
import type { Carrying } from './carrying.ts';
import type { CallJournal, DurableRun } from './durable-run.ts';
import { FilesAgain } from './files-again.ts';
import type { KeptImage } from './kept-image.ts';
import { PutAwayPace } from './put-away-pace.ts';
import { RestartCount } from './restart-count.ts';
import { RunClock } from './run-clock.ts';
import { closing, RunEnds } from './run-ends.ts';
import { RunRecord } from './run-record.ts';
import { RunSleep } from './run-sleep.ts';
import { RunState } from './run-state.ts';
import { StayUp } from './stay-up.ts';
import { WakeTurn } from './wake-queue.ts';

/** One run, with all that this process has of it while it carries it. */
export class HeldRun {
  readonly all: Carrying;
  readonly signal: AbortSignal;
  readonly record: RunRecord;
  readonly book: CallBook;
  readonly state: RunState;
  readonly sleep: RunSleep;
  readonly ends: RunEnds;
  readonly turn: WakeTurn;
  readonly files = new FilesAgain();
  readonly restarts = new RestartCount();
  readonly stayUp = new StayUp();
  readonly pace: PutAwayPace;
  /** These three are others where the run goes on from what another process has left. */
  request: RunRequest;
  executor: DurableExecutor;
  clock: RunClock;
  /** What it can go on from; undefined when it was never put away, or that is damaged. */
  image: KeptImage | undefined;
  /** Whether the program may have done anything. */
  hasBegun = false;
  #hasLeft = false;

  constructor(all: Carrying, run: Omit<DurableRun, 'stored'>, onCall: (journal: CallJournal) => OnCall, signal: AbortSignal) {
    const { engines, clocks, timers, wakes, store, log, memory, interruptedCalls } = all;
    const { request, observer, askRepeat } = run;
    this.all = all;
    this.signal = signal;
    this.request = request;
    this.executor = engines.executor;
    this.clock = new RunClock(clocks, request.now ?? clocks.wall());
    this.sleep = new RunSleep(timers);
    this.pace = new PutAwayPace(request.limits.timeoutMs + request.limits.waitMs, clocks.monotonic());
    this.turn = new WakeTurn(wakes, request.results ?? '');
    const record = (this.record = new RunRecord(store, request.executionId, log));
    this.ends = new RunEnds(record, () => this.image?.wait.usage);
    const now = (): number => clocks.wall();
    const onAnswer = (): void => this.sleep.wake();
    const onQuestion = (): void => this.state.questionsChanged();
    this.book = new CallBook({
      record,
      memory,
      whose: request.results ?? '',
      onCall,
      interruptedCalls,
      askRepeat,
      now,
      onAnswer,
      onQuestion,
    });
    this.state = new RunState(this.book, record, observer);
  }

  /** Whether this process has let go of it. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** Whether there is nothing to wait for any more. */
  get isOver(): boolean {
    return this.#hasLeft || this.signal.aborted;
  }

  /** The next attempt, under the run's own rules. @param from absent: from the start */
  attempt(from?: RunFrom): Attempt {
    return { kind: 'attempt', from, hibernation: this.pace.rules(this.request.hibernation, this.all.clocks.monotonic()) };
  }

  /** Waits until it may go to an executor. @throws SandboxError ERR_SERVER_CLOSING when this process has let go of it meanwhile */
  async takeTurn(): Promise<void> {
    await this.turn.take();
    if (this.#hasLeft) throw closing();
  }

  /** Nothing more is written about it, and what its calls are answered is not their answer. */
  leave(): void {
    this.#hasLeft = true;
    this.record.close();
    this.book.end(false);
    this.sleep.wake();
  }

  /** It has its outcome. Calls that still run are cancelled. */
  end(): void {
    this.turn.leave();
    this.book.end(true);
  }
}
