import type { RunCommand } from './executor-protocol.ts';
import type { WorkerPool } from './pool.ts';
import type { PooledRun } from './pooled-run.ts';
import { freshSeed } from './seeds.ts';
import type { AnswerMessage, RunTask, SentCall, WorkerResult } from './worker-protocol.ts';

/** The program of a run as the executor has it: encoded in shared memory, or as a script to make it from. */
export type ProgramForm = { readonly program: Uint8Array } | { readonly script: string };

export interface RunEvents {
  /** The calls of a step together. */
  onCalls(calls: readonly SentCall[]): void;
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
  readonly #events: RunEvents;
  #isQueued = false;
  readonly #abort = new AbortController();
  #inPool: { readonly pool: WorkerPool; readonly run: PooledRun } | undefined;

  constructor(command: RunCommand, events: RunEvents) {
    this.command = command;
    this.#events = events;
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
    this.#inPool?.run.answer(answer);
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
    const run = pool.run(this.#task(form, preparedMs), queuedAt, (calls) => this.#events.onCalls(calls));
    this.#inPool = { pool, run };
    if (run.line === undefined) this.queued();
    if (run.line === undefined) run.onPosted = () => this.#events.onBegun();
    else if (this.#isQueued) this.#events.onBegun();
    // The cancel may have come between its place and now.
    if (this.#abort.signal.aborted) pool.cancel(run);
    return run.ended;
  }

  #task(form: ProgramForm, preparedMs: number | undefined): RunTask {
    const { executionId, key, input, state, limits, results, skills, now, seed } = this.command;
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
    };
  }
}
