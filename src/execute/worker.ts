import { workerData } from 'node:worker_threads';
import type { CompiledEngine } from '../engine/abi/link-engine.ts';
import { InstancePool } from './instance-pool.ts';
import { Programs, type LoadedProgram } from './programs.ts';
import type { RunEnd, RunOutcome } from './run.ts';
import { runProgram } from './run-program.ts';
import type { MakeResult, MakeTask, WorkerResult, WorkerSetup, WorkerTask } from './worker-protocol.ts';

/** Idle instances that a worker keeps: more would hold memory for a burst that is over. */
const MAXIMUM_IDLE_INSTANCES = 16;

const setup = workerData as WorkerSetup;
const engine: CompiledEngine = { plan: setup.plan, modules: setup.modules };
const instances = new InstancePool(engine, setup.base, MAXIMUM_IDLE_INSTANCES);
const programs = new Programs(instances, setup.base);
instances.prepare();

/** One run, from program to outcome. The pool calls it; many runs of a worker overlap while their programs wait. */
export async function run(task: WorkerTask): Promise<WorkerResult> {
  const began = performance.now();
  const program = programs.load(task);
  const loaded = performance.now();
  if ('status' in program) return { ...failedLoad(program), componentMs: loaded - began, runMs: 0, cache: 'miss' };
  const outcome = await runLoaded(program, task);
  const { cache, made } = program;
  return { outcome, componentMs: loaded - began, runMs: performance.now() - loaded, cache, ...(made ? { made } : {}) };
}

/** Componentizes a bundle without running it. */
export function make(task: MakeTask): MakeResult {
  return programs.make(task);
}

async function runLoaded({ instance, image }: LoadedProgram, task: WorkerTask): Promise<Omit<RunOutcome, 'phases' | 'cache'>> {
  let broken = true;
  try {
    const finished = await runProgram(instance, image.pages, task, setup.mounts);
    broken = finished.broken;
    return finished.outcome;
  } finally {
    if (broken) instances.discard(instance);
    else instances.release(instance, image);
  }
}

function failedLoad(end: RunEnd): Pick<WorkerResult, 'outcome'> {
  const usage = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };
  return { outcome: { end, logs: [], droppedLogBytes: 0, calls: [], usage } };
}
