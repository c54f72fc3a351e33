import type { DurableExecutor, HibernationRules, ProgramSource } from '../execute/run.ts';
import type { CallMemory } from './calls/call-memory.ts';
import type { ExecutionStore } from './execution-store.ts';
import type { Clocks } from './run-clock.ts';
import type { RunLog } from './run-record.ts';
import type { WaitingRuns } from './waiting-runs.ts';
import type { WakeQueue } from './wake-queue.ts';
import type { WakeTimers } from './wake-timers.ts';

/** What all runs share that are carried to their ends. */
export interface Carrying {
  readonly store: ExecutionStore;
  readonly engines: Engines;
  readonly hibernation?: HibernationRules | undefined;
  readonly interruptedCalls: 'fail' | 'ask';
  readonly clocks: Clocks;
  readonly timers: WakeTimers;
  readonly wakes: WakeQueue;
  readonly memory: CallMemory;
  readonly waiting: WaitingRuns;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: RunLog;
}

export interface Engines {
  readonly executor: DurableExecutor;
  /** Blake3 of the engine that it has. */
  readonly engineHash: string;
  /** What becomes of runs of another engine. */
  readonly engineChanged: 'keep' | 'fail';
  /** Runs programs on another engine; undefined when that is not there any more. */
  readonly executorFor?: ((engineHash: string) => DurableExecutor | undefined | Promise<DurableExecutor | undefined>) | undefined;
  /** The program of a script on the present engine. */
  readonly programFor?: ((script: string) => ProgramSource) | undefined;
}

/** Where a run goes on that was begun on an engine. */
export interface ChosenEngine {
  readonly executor: DurableExecutor;
  readonly engineHash: string;
  /** Another one than it began on: then it has to begin again from its start. */
  readonly newProgram?: ProgramSource | undefined;
}

/**
 * The executor for a run that began on an engine: one with that engine. Where the operator keeps such runs and their engine is gone, they begin again on
 * the present one, with the answers that they had: that is a whole run of the program on one engine, no call is made twice, and one that differs ends the
 * run. Undefined when it cannot go on.
 */
export async function chooseEngine(engines: Engines, engineHash: string, script: string): Promise<ChosenEngine | undefined> {
  const { executor, engineChanged, executorFor, programFor } = engines;
  if (engineHash === engines.engineHash) return { executor, engineHash };
  if (engineChanged === 'fail') return undefined;
  const old = await executorFor?.(engineHash);
  if (old) return { executor: old, engineHash };
  return programFor && { executor, engineHash: engines.engineHash, newProgram: programFor(script) };
}
