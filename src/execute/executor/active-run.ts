import type { RunCommand } from '../executor-protocol.ts';
import type { WorkerPool } from './pool.ts';
import type { PooledRun } from './pooled-run.ts';
import { freshSeed } from './seeds.ts';
import type { RunFrom } from '../run.ts';
import type { AnswerMessage, RunTask, StepNews, WorkerResult } from '../worker-protocol.ts';

/** The program of a run as the executor has it: encoded in shared memory, or as a script to make it from. */
export type ProgramForm = { readonly program: Uint8Array } | { readonly script: string };

export interface ActiveRunEvents {
  /** What a step led to, and what it was given. */
  onStep(step: StepNews): void;
  /** It should be put away, and stays where it is. */
  onWaiting(nextTimer: number | null): void;
  /** The run waits for its place or for a worker. At most once, and followed by `onBegun`. */
  onQueued(): void;
  /** A run that was queued is with a worker. */
  onBegun(): void;
}

/** One run inside the executor, between the gateway's messages and the pool. */
export class ActiveRun {
  readonly command: RunCommand;
  /** Whether the run is in the queue or in the pool: not while it waits for its script. */
  begun = false;
  readonly #events: ActiveRunEvents;
  /** Until a worker has it for sure. */
  #from: RunFrom | undefined;
  /** Answers that came before a worker had the run. */
  readonly #early: AnswerMessage[] = [];
  #isQueued = false;
  readonly #abort = new AbortController();
  #inPool: { readonly pool: WorkerPool; readonly run: PooledRun } | undefined;

  /** @param from where it goes on, if it was begun before. */
  constructor(command: RunCommand, from: RunFrom | undefined, events: ActiveRunEvents) {
    this.command = command;
    this.#from = from;
    this.#events = events;
  }

  /** Whether it was let in before: then it is never refused for want of a place. */
  get isWake(): boolean {
    return this.command.from !== undefined;
  }

  /** Fires when the run is cancelled. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The run has to wait before it begins. */
  queued(): void {
    if (!this.#isQueued) this.#events.onQueued();
    this.#isQueued = true;
  }

  answer(answer: AnswerMessage): void {
    const run = this.#inPool?.run;
    if (run?.line) run.answer(answer);
    else this.#early.push(answer);
  }

  /** Asks the run to be put away, if it waits. */
  hibernate(): void {
    this.#inPool?.run.hibernate(performance.now());
  }

  /** Stops the run wherever it is: queued, waiting, or computing (then within a slice of fuel). */
  cancel(): void {
    this.#abort.abort();
    if (this.#inPool) this.#inPool.pool.cancel(this.#inPool.run);
  }

  /**
   * Runs in the pool.
   * @param queuedAt when the run began to wait for its place.
   * @param preparedMs how long its program took that was made ahead for it.
   */
  start(pool: WorkerPool, form: ProgramForm, queuedAt: number, preparedMs?: number): Promise<WorkerResult> {
    const task = this.#task(form, preparedMs);
    this.#from = undefined;
    const run = pool.run(task, queuedAt, {
      onStep: (step) => {
        forget(task);
        this.#events.onStep(step);
      },
      onWaiting: (nextTimer) => this.#events.onWaiting(nextTimer),
    });
    this.#inPool = { pool, run };
    if (run.line === undefined) this.queued();
    if (run.line === undefined) run.onPosted = () => this.#posted(run);
    else if (this.#isQueued) this.#events.onBegun();
    // The cancel may have come between its place and now.
    if (this.#abort.signal.aborted) pool.cancel(run);
    return run.ended;
  }

  #posted(run: PooledRun): void {
    this.#events.onBegun();
    // The worker has it when this turn is over.
    queueMicrotask(() => {
      for (const answer of this.#early.splice(0)) run.answer(answer);
    });
  }

  #task(form: ProgramForm, preparedMs: number | undefined): RunTask {
    const { executionId, key, input, state, limits, results, skills, now, seed, hibernation } = this.command;
    return {
      executionId,
      key,
      ...form,
      ...(preparedMs === undefined ? {} : { preparedMs }),
      input,
      state,
      limits,
      ...(results === undefined ? {} : { results }),
      ...(skills === undefined ? {} : { skills }),
      now: now ?? Date.now(),
      seed: seed ?? freshSeed(),
      ...(this.#from && { from: this.#from }),
      ...(hibernation && { hibernation }),
    };
  }
}

/** A worker has begun the run, and no other one will: what it went on from may go. */
function forget(task: { from?: RunFrom }): void {
  delete task.from;
}
