import { workerData } from 'node:worker_threads';
import type { CompiledEngine } from '../../engine/abi/link-engine.ts';
import { Board } from './board.ts';
import { confineThread } from '../confine.ts';
import { HeldMemory } from './held-memory.ts';
import { InstancePool } from './instance-pool.ts';
import { Programs, type LoadedProgram } from './programs.ts';
import { splitOutcome } from '../large-outcome.ts';
import type { RunEnd } from '../run.ts';
import { runProgram, type FinishedRun } from './run-program.ts';
import { wakeRun } from './sleeping-run.ts';
import { SpentTime } from './spent-time.ts';
import { WorkerRuns } from './worker-runs.ts';
import type { ServeTask, WorkerData, WorkerResult, WorkerTask } from '../worker-protocol.ts';

/** Idle instances that a worker keeps: more would hold memory for a burst that is over. */
const MAXIMUM_IDLE_INSTANCES = 16;

confineThread();
const setup = workerData as WorkerData;
const engine: CompiledEngine = { plan: setup.plan, modules: setup.modules };
const instances = new InstancePool(engine, setup.base, MAXIMUM_IDLE_INSTANCES);
const programs = new Programs(instances, setup.base);
instances.prepare();

/** The worker's only task, which ends with its thread; many runs overlap in it while their programs wait. */
export function serve({ port, board }: ServeTask): Promise<never> {
  const shared = new Board(board, new HeldMemory(setup.held));
  shared.serve();
  // oxlint-disable-next-line no-new -- it lives as long as its port
  new WorkerRuns(port, shared, { execute, make: (task) => programs.make(task) });
  return new Promise(() => undefined);
}

/** One run, from its program to its outcome, or to where it is put away. */
async function execute(task: WorkerTask, queuedMs: number): Promise<WorkerResult> {
  const began = performance.now();
  const program = programs.load(task);
  const loaded = performance.now();
  const isLoaded = !('status' in program);
  const spent = new SpentTime(
    { queue: queuedMs, component: loaded - began + (task.preparedMs ?? 0) },
    isLoaded && task.preparedMs === undefined ? program.cache : 'miss',
  );
  const finished = isLoaded ? await runLoaded(program, task, spent) : failedLoad(program);
  const made = isLoaded && program.encode ? { made: program.encode() } : {};
  const { broken, hibernated, outcome } = finished;
  if (hibernated) return { hibernated, broken, ...made };
  return { ...splitOutcome({ ...outcome, ...spent.now() }), broken, ...made };
}

async function runLoaded({ instance, image }: LoadedProgram, task: WorkerTask, spent: SpentTime): Promise<FinishedRun> {
  // Until it has begun nothing can be broken: memory is put back to the image after any run.
  let broken = false;
  task.port.hold(instance.memory);
  try {
    const from = task.from?.kind === 'image' ? wakeRun(instance, image, task, task.from) : undefined;
    if (from) spent.add(from.spent);
    broken = true;
    const finished = await runProgram({ instance, image, mounts: setup.mounts, spent: () => spent.now() }, task, from);
    broken = finished.broken;
    return finished;
  } finally {
    if (broken) instances.discard(instance);
    else instances.release(instance, image);
  }
}

function failedLoad(end: RunEnd): FinishedRun {
  const usage = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };
  return { outcome: { end, logs: [], droppedLogBytes: 0, calls: [], usage }, broken: true };
}
