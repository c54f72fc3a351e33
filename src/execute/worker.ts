import { workerData } from 'node:worker_threads';
import type { CompiledEngine } from '../engine/abi/link-engine.ts';
import { Board } from './board.ts';
import { confineThread } from './confine.ts';
import { HeldMemory } from './held-memory.ts';
import { InstancePool } from './instance-pool.ts';
import { Programs, type LoadedProgram } from './programs.ts';
import { splitOutcome } from './large-outcome.ts';
import type { RunEnd, RunOutcome } from './run.ts';
import { runProgram, type FinishedRun } from './run-program.ts';
import { WorkerRuns } from './worker-runs.ts';
import type { ServeTask, WorkerData, WorkerResult, WorkerTask } from './worker-protocol.ts';

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

/** One run, from program to outcome. */
async function execute(task: WorkerTask, queuedMs: number): Promise<WorkerResult> {
  const began = performance.now();
  const program = programs.load(task);
  const loaded = performance.now();
  const finished = 'status' in program ? failedLoad(program) : await runLoaded(program, task);
  const component = loaded - began + (task.preparedMs ?? 0);
  const phases = { queue: queuedMs, component, run: performance.now() - loaded };
  const { cache, encode } = 'status' in program ? ({ cache: 'miss' } as const) : program;
  const outcome: RunOutcome = { ...finished.outcome, cache: task.preparedMs === undefined ? cache : 'miss', phases };
  return { ...splitOutcome(outcome), broken: finished.broken, ...(encode ? { made: encode() } : {}) };
}

async function runLoaded({ instance, image }: LoadedProgram, task: WorkerTask): Promise<FinishedRun> {
  let broken = true;
  task.port.hold(instance.memory);
  try {
    const finished = await runProgram(instance, image.pages, task, setup.mounts);
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
