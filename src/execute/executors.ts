import { availableParallelism } from 'node:os';
import type { ExecutorInit } from './executor-supervisor.ts';
import { LargeBudget } from './large-budget.ts';
import { againWhenLost } from './lost-runs.ts';
import { defaultMemoryBytes, heldBytes } from './memory-bound.ts';
import type { OnCall } from './run-handle.ts';
import type { DurableExecutor, HibernatedRun, ProgramSource, RunEvents, RunOutcome, RunRequest } from './run.ts';
import { SupervisedExecutor, type ExecutorOptions } from './supervised-executor.ts';

const MIB = 1024 * 1024;

export interface ExecutorsOptions extends Pick<ExecutorOptions, 'programs' | 'log'> {
  /** Of all executors together: workers and places in the queue are shared out. May come later. */
  readonly init: Promise<ExecutorInit>;
  /** How many processes. */
  readonly executors: number;
  /** Resident memory at which one of them is ended, in MiB; "auto" is what its runs may hold together and some more. */
  readonly executorMemoryMb: number | 'auto';
}

/**
 * Starts the executors. Resolves when all are ready.
 * @throws SandboxError ERR_EXECUTE_LOST when one cannot start; what `init` rejects with
 * @throws the signal's reason when it is aborted first: who is to end does not wait for what is still starting.
 */
export async function startExecutors(options: ExecutorsOptions, signal?: AbortSignal): Promise<Executors> {
  const executors = new Executors(options);
  const end = (): void => void executors.close();
  signal?.addEventListener('abort', end, { once: true });
  try {
    signal?.throwIfAborted();
    await executors.ready;
  } catch (error) {
    await executors.close();
    throw signal?.aborted === true ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', end);
  }
  return executors;
}

/** One executor process or several, as one. A run goes to the living one that has least to do; one that is lost does not concern the others. */
export class Executors implements DurableExecutor {
  readonly #members: readonly SupervisedExecutor[];

  constructor({ init, executors: count, executorMemoryMb, programs, log }: ExecutorsOptions) {
    const large = new LargeBudget();
    const maxMemoryBytes = executorMemoryMb === 'auto' ? defaultMemoryBytes(count) : executorMemoryMb * MIB;
    // What is ended for its memory takes its runs along: before that they hear that there is none.
    const maxHeldBytes = Math.min(heldBytes(count), Math.floor(maxMemoryBytes / 2));
    this.#members = Array.from({ length: count }, (_, place) => {
      const own = init.then((all) => ({ ...shareOf(all, place, count), maxHeldBytes }));
      own.catch(() => undefined);
      return new SupervisedExecutor({ init: own, programs, log, large, maxMemoryBytes });
    });
  }

  /** Settles when all present processes are ready, or one cannot start. */
  get ready(): Promise<void> {
    return Promise.all(this.#members.map(({ ready }) => ready)).then(() => undefined);
  }

  /** The process id of the first present process. */
  get pid(): number | undefined {
    return this.pids[0];
  }

  /** The process ids of all present processes. */
  get pids(): readonly number[] {
    return this.#members.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  run(request: RunRequest, onCall: OnCall, signal: AbortSignal): Promise<RunOutcome> {
    return againWhenLost(() => this.#best(request.program.key).runHere(request, onCall, signal));
  }

  attempt(request: RunRequest, events: RunEvents, signal: AbortSignal): Promise<RunOutcome | HibernatedRun> {
    return this.#best(request.program.key).attempt(request, events, signal);
  }

  /** As {@link SupervisedExecutor.hibernate}. */
  hibernate(): void {
    for (const member of this.#members) member.hibernate();
  }

  /** As {@link SupervisedExecutor.make}. */
  make(program: ProgramSource): Promise<Uint8Array> {
    return this.#best(program.key).make(program);
  }

  /** By the one that will run it, if nothing changes until then. */
  prepare(program: ProgramSource): void {
    this.#best(program.key).prepare(program);
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.close()));
  }

  #best(key: string): SupervisedExecutor {
    const [first, ...others] = this.#members;
    if (!first) throw new RangeError('there is no executor');
    return others.reduce((best, other) => (other.load(key) < best.load(key) ? other : best), first);
  }
}

/** What one of so many gets of the workers and of the queue. Each has at least one worker. */
function shareOf(all: ExecutorInit, place: number, count: number): ExecutorInit {
  const workers = all.workers === 'auto' ? availableParallelism() : all.workers;
  const share = Math.floor(workers / count) + (place < workers % count ? 1 : 0);
  return { ...all, workers: Math.max(share, 1), maxQueuedRuns: Math.ceil(all.maxQueuedRuns / count) };
}
