import type { AnswerMessage, RunTask, StepNews, WorkerResult } from '../worker-protocol.ts';
import type { WorkerLine } from './worker-line.ts';

/** What is heard of a run while it is on a worker. */
export interface RunNews {
  onStep(step: StepNews): void;
  /** It should have been put away, and cannot be: its image is too long. */
  onWaiting?(nextTimer: number | null): void;
}

/** One run in the pool, on the main thread's side: waiting for a worker, then on one. */
export class PooledRun {
  readonly number: number;
  readonly task: RunTask;
  readonly news: RunNews;
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
  /** When it last did something that this thread knows of, or was given something to do. */
  movedAt = 0;
  /** When it was last asked to leave its worker for others. */
  askedAt = -Infinity;
  readonly #settle: Pick<PromiseWithResolvers<WorkerResult>, 'resolve' | 'reject'>;

  constructor(number: number, task: RunTask, queuedAt: number, news: RunNews) {
    this.number = number;
    this.task = task;
    this.queuedAt = queuedAt;
    this.news = news;
    const { promise, ...settle } = Promise.withResolvers<WorkerResult>();
    this.ended = promise;
    // A rejection may come before anybody waits.
    promise.catch(() => undefined);
    this.#settle = settle;
  }

  /** Its worker tells of a step. */
  hear({ calls, history, awaits }: StepNews): void {
    this.movedAt = performance.now();
    this.news.onStep({ calls, ...(history && { history }), ...(awaits && { awaits }) });
  }

  answer(message: AnswerMessage): void {
    this.line?.tell(this, message);
  }

  /** Asks the run to be put away, if it only waits. */
  hibernate(now: number): void {
    this.askedAt = now;
    this.line?.tell(this, { type: 'hibernate' });
  }

  end(result: WorkerResult): void {
    this.#settle.resolve(result);
  }

  fail(error: Error): void {
    this.#settle.reject(error);
  }
}
