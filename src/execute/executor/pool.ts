import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { SandboxError } from '../../errors.ts';
import { readFolder } from '../../read-access.ts';
import { CODE_ACCESS } from '../code-access.ts';
import { Dispatcher } from './dispatcher.ts';
import { GROWTH_FACTOR, heldBytes } from '../memory-bound.ts';
import { createHeldMemory, type HeldMemory } from '../worker/held-memory.ts';
import type { PooledRun, RunNews } from './pooled-run.ts';
import { watchWorkers, type WorkerWatchOptions } from './worker-watch.ts';
import type { MakeResult, MakeTask, RunTask, ServeTask, WorkerData, WorkerSetup } from '../worker-protocol.ts';
import { WorkerLine } from './worker-line.ts';

/** SpiderMonkey's own recursion limit must come first, so that the same program recurses equally deep on every machine. */
const WORKER_STACK_MB = 32;
const PAGE_BYTES = 65_536;
const RESTART_AFTER_MS = 250;

export interface PoolOptions extends WorkerWatchOptions {
  readonly workers: number | 'auto';
  readonly maxRunsPerWorker: number;
  /** Memory of all runs together from which on no further run begins; half as much again is the most. Default: half of what the machine has. */
  readonly maxHeldBytes?: number | undefined;
}

/** The worker threads. A worker holds many runs: those that wait for a tool or a timer need no thread. */
export interface WorkerPool {
  /** Runs that may be in the pool at once. */
  readonly capacity: number;
  /** Whether the runs in the pool hold as much memory as they may together. */
  readonly isFull: boolean;
  /**
   * Begins a run when a worker is free to.
   * @param queuedAt when the run began to wait, on the clock of `performance.now()`.
   */
  run(task: RunTask, queuedAt: number, news: RunNews): PooledRun;
  cancel(run: PooledRun): void;
  /**
   * So many runs wait now outside of the pool for a place or for memory: as many that only wait and may be put away are asked to, those that wait
   * longest first, until it is called with 0.
   */
  makeRoom(places: number): void;
  make(task: MakeTask): Promise<MakeResult>;
  /** Makes a program that nobody has asked for yet, in a short time or not at all; undefined when no worker is idle. */
  makeAhead(task: MakeTask): Promise<MakeResult> | undefined;
  close(): Promise<void>;
}

/** Starts the workers. */
export function createWorkerPool(setup: WorkerSetup, options: PoolOptions): WorkerPool {
  const workers = options.workers === 'auto' ? availableParallelism() : options.workers;
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const maxHeldPages = (options.maxHeldBytes ?? heldBytes()) / PAGE_BYTES;
  // Those that are under way may still grow, but not all of them as far as each of them may.
  const held = createHeldMemory(maxHeldPages * GROWTH_FACTOR);
  const piscina = new Piscina({
    filename: fileURLToPath(new URL(`../worker/worker${extension}`, import.meta.url)),
    name: 'serve',
    minThreads: workers,
    maxThreads: workers,
    resourceLimits: { stackSizeMb: WORKER_STACK_MB },
    workerData: { ...setup, held: held.share } satisfies WorkerData,
    env: {},
    execArgv: workerFlags(setup.mounts),
    // By default a worker blocks its thread until the next task, without any event loop turn.
    atomics: 'disabled',
    recordTiming: false,
  });
  // A worker that ends between two tasks is told here, and one without a listener would end the process: its line hears of it too.
  piscina.on('error', () => undefined);
  const dispatcher = new Dispatcher(maxHeldPages);
  const serving = keepServing(piscina, dispatcher, held, options);
  for (let i = 0; i < workers; i++) serving.open();
  return {
    capacity: workers * options.maxRunsPerWorker,
    get isFull() {
      return dispatcher.isFull;
    },
    run: (task, queuedAt, news) => dispatcher.submit(task, queuedAt, news),
    cancel: (run) => dispatcher.cancel(run),
    makeRoom: (places) => dispatcher.makeRoom(places),
    make: (task) => dispatcher.make(task),
    makeAhead: (task) => dispatcher.makeAhead(task),
    close: () => {
      serving.close();
      dispatcher.close();
      return piscina.destroy();
    },
  };
}

/** A worker may read its code and the mounts, and nothing else; unlike its process it may start no worker. */
function workerFlags(mounts: ReadonlyMap<string, string>): string[] {
  // What a path led to when it was opened stands there: see `host-functions/read-file.ts`.
  const opened = process.platform === 'linux' ? [readFolder('/proc/self/fd')] : [];
  return [...CODE_ACCESS, ...opened, ...[...mounts.values()].map(readFolder)];
}

/** Keeps one line open to each worker: piscina replaces a worker that ended, and its runs end with an error. */
function keepServing(piscina: Piscina, dispatcher: Dispatcher, held: HeldMemory, options: PoolOptions): { open(): void; close(): void } {
  let isClosed = false;
  const asked = new Map<WorkerLine, AbortController>();
  // piscina stops replacing workers once one was lost while it started: who waits for a worker then asks again, and that starts one.
  piscina.on('workerDestroy', () => {
    setTimeout(() => {
      if (isClosed || piscina.threads.length >= piscina.options.maxThreads) return;
      for (const [line, patience] of asked) if (!line.hasServed) patience.abort();
    }, RESTART_AFTER_MS).unref();
  });
  // piscina ends the thread of a task that is given up.
  const unwatch = watchWorkers(
    () => asked.keys(),
    (line, ms) =>
      asked.get(line)?.abort(new SandboxError('ERR_EXECUTE_ENGINE', `The worker of the run did nothing for ${ms} ms and was ended.`)),
    options,
  );
  const open = (): void => {
    if (isClosed) return;
    const { port1, port2 } = new MessageChannel();
    const line = new WorkerLine(port1, options.maxRunsPerWorker, () => dispatcher.dispatch(), held);
    const task: ServeTask = { port: port2, board: line.board };
    const patience = new AbortController();
    asked.set(line, patience);
    piscina.run(task, { transferList: [port2], signal: patience.signal }).catch((thrown: Error) => {
      const error = thrown.cause instanceof SandboxError ? thrown.cause : thrown;
      asked.delete(line);
      held.add(-line.heldPages);
      dispatcher.remove(line, error);
      if (isClosed) return dispatcher.failQueued(error);
      if (line.hasServed) return open();
      // It could not even start: without any other, whoever waits for it would wait for ever.
      if (dispatcher.isEmpty) dispatcher.failQueued(error);
      setTimeout(open, RESTART_AFTER_MS).unref();
      return undefined;
    });
    dispatcher.add(line);
  };
  const close = (): void => {
    isClosed = true;
    unwatch();
  };
  return { open, close };
}
