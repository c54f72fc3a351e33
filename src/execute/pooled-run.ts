import type { AnswerMessage, RunTask, SentCall, WorkerResult } from './worker-protocol.ts';
import type { WorkerLine } from './worker-line.ts';

/** One run in the pool, on the main thread's side: waiting for a worker, then on one. */
export class PooledRun {
  readonly number: number;
  readonly task: RunTask;
  readonly onCalls: (calls: readonly SentCall[]) => void;
  readonly ended: Promise<WorkerResult>;
  /** When the run began to wait for a place, on this thread's clock. */
  readonly queuedAt: number;
  /** Where the run is; undefined while it waits for a worker. */
  line: WorkerLine | undefined;
  /** Its place on that worker's board. */
  slot = -1;
  postedAt = 0;
  /** Called when a worker gets it for the first time. */
  onPosted: (() => void) | undefined;
  /** Whether it was taken back once from a worker that had not begun it. */
  wasMoved = false;
  readonly #settle: Pick<PromiseWithResolvers<WorkerResult>, 'resolve' | 'reject'>;

  constructor(number: number, task: RunTask, queuedAt: number, onCalls: (calls: readonly SentCall[]) => void) {
    this.number = number;
    this.task = task;
    this.queuedAt = queuedAt;
    this.onCalls = onCalls;
    const { promise, ...settle } = Promise.withResolvers<WorkerResult>();
    this.ended = promise;
    // A rejection may come before anybody waits.
    promise.catch(() => undefined);
    this.#settle = settle;
  }

  answer(message: AnswerMessage): void {
    this.line?.tell(this, message);
  }

  end(result: WorkerResult): void {
    this.#settle.resolve(result);
  }

  fail(error: Error): void {
    this.#settle.reject(error);
  }
}
