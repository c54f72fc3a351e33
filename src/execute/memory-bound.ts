import { availableParallelism, totalmem } from 'node:os';

const MIB = 1024 * 1024;
/** Of the machine, or of the container that the process is in. */
const RUNS_SHARE = 0.5;
/** How much more the runs under way may hold by growing than what keeps another from beginning. */
export const GROWTH_FACTOR = 1.5;
/** Of an executor without runs, and of each worker: its heap and instances that wait for the collector. */
const PROCESS_BYTES = 1_024 * MIB;
const WORKER_BYTES = 256 * MIB;
const MOST_SHARE = 0.95;

/** Memory that all runs of one of so many executors may hold together before no further one begins, in bytes. */
export function heldBytes(executors = 1): number {
  return Math.max(Math.floor((machineBytes() * RUNS_SHARE) / executors), 1);
}

/** Resident memory of an executor that keeps its runs within their bounds is less, in bytes. */
export function defaultMemoryBytes(executors = 1, workers = availableParallelism()): number {
  const honest = heldBytes(executors) * GROWTH_FACTOR + PROCESS_BYTES + workers * WORKER_BYTES;
  return Math.floor(Math.min(honest, machineBytes() * MOST_SHARE));
}

function machineBytes(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}
