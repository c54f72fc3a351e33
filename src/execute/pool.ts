import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { MakeResult, MakeTask, WorkerResult, WorkerSetup, WorkerTask } from './worker-protocol.ts';

/** SpiderMonkey's own recursion limit must come first, so that the same program recurses equally deep on every machine. */
const WORKER_STACK_MB = 32;

export interface PoolOptions {
  readonly workers: number | 'auto';
  readonly maxRunsPerWorker: number;
}

/** The worker threads. A worker holds many runs: those that wait for a tool or a timer need no thread. */
export interface WorkerPool {
  /** Runs that may be in the pool at once. */
  readonly capacity: number;
  run(task: WorkerTask): Promise<WorkerResult>;
  make(task: MakeTask): Promise<MakeResult>;
  close(): Promise<void>;
}

/** Starts the workers. */
export function createWorkerPool(setup: WorkerSetup, options: PoolOptions): WorkerPool {
  const workers = options.workers === 'auto' ? availableParallelism() : options.workers;
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const piscina = new Piscina({
    filename: fileURLToPath(new URL(`./worker${extension}`, import.meta.url)),
    name: 'run',
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: options.maxRunsPerWorker,
    resourceLimits: { stackSizeMb: WORKER_STACK_MB },
    workerData: setup,
    env: {},
    // By default an idle worker blocks its thread until the next task: no event loop turn, so ports are never closed, instances
    // never made ahead and dropped ones never collected.
    atomics: 'disabled',
    recordTiming: false,
  });
  return {
    capacity: workers * options.maxRunsPerWorker,
    run: (task) => piscina.run(task, { transferList: [task.port] }) as Promise<WorkerResult>,
    make: (task) => piscina.run(task, { name: 'make' }) as Promise<MakeResult>,
    close: () => piscina.destroy(),
  };
}
