import { ProgramRun } from './program-run.ts';
import type { HibernatedRun, RunEnd, RunOutcome } from '../run.ts';
import type { RunPlace } from './run-place.ts';
import type { RunState } from './run-state.ts';
import type { WorkerTask } from '../worker-protocol.ts';

const PAGES_PER_MIB = 16;

const NOTHING_DONE: Omit<RunOutcome, 'end' | 'phases' | 'cache'> = {
  logs: [],
  droppedLogBytes: 0,
  calls: [],
  usage: { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 },
};

export type FinishedRun = {
  /** Whether a call was stopped half way: the instance must be thrown away. */
  readonly broken: boolean;
} & (
  | { readonly outcome: Omit<RunOutcome, 'phases' | 'cache'>; readonly hibernated?: undefined }
  | { readonly hibernated: HibernatedRun; readonly outcome?: undefined }
);

/**
 * Runs a program once, from its start or from where it was put away, until it ends or leaves the instance. While the program waits, the worker
 * is free for other runs.
 * @param from what was read of `task.from`, when that is an image
 */
export async function runProgram(place: RunPlace, task: WorkerTask, from?: RunState): Promise<FinishedRun> {
  const { pages } = place.image;
  const { memoryMb } = task.limits;
  if (pages > memoryMb * PAGES_PER_MIB) return { outcome: { end: tooLargeToStart(pages, memoryMb), ...NOTHING_DONE }, broken: false };
  const run = new ProgramRun(place, task, from);
  try {
    const end = await run.toEnd();
    if (end.status === 'hibernated') return { hibernated: end, broken: false };
    return { outcome: run.outcome(end), broken: run.broken };
  } finally {
    run.close();
  }
}

function tooLargeToStart(pages: number, memoryMb: number): RunEnd {
  return {
    status: 'failed',
    code: 'ERR_EXECUTE_MEMORY',
    message: `The program takes ${Math.ceil(pages / PAGES_PER_MIB)} MiB of memory before it starts; at most ${memoryMb} MiB are allowed.`,
    hint: 'Import less, or ask for a higher memoryMb.',
  };
}
