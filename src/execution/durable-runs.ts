import { randomBytes } from 'node:crypto';
import type { ExecutionsConfig } from '../config/executions-schema.ts';
import type { OnCall } from '../execute/run-handle.ts';
import type { DurableExecutor, Executor, HibernationRules, ProgramSource, RunOutcome, RunRequest } from '../execute/run.ts';
import { createCallMemory, type CallMemoryBytes } from './calls/call-memory.ts';
import { CarriedRun } from './carried-run.ts';
import type { Carrying } from './carrying.ts';
import type { CallJournal, DurableRun, DurableRuns } from './durable-run.ts';
import type { ExecutionStart, ExecutionStore } from './execution-store.ts';
import { storedOutcome } from './made-outcome.ts';
import { MACHINE_CLOCKS, type Clocks } from './run-clock.ts';
import { closing, isClosing } from './run-ends.ts';
import type { RunLog } from './run-record.ts';
import { WaitingRuns } from './waiting-runs.ts';
import { WakeQueue } from './wake-queue.ts';
import { WakeTimers } from './wake-timers.ts';

const SEED_BYTES = 32;

export interface DurableRunsOptions {
  /** Absent: runs end with their executor, and with this process. */
  readonly store: ExecutionStore | undefined;
  readonly executor: DurableExecutor;
  /** Blake3 of the engine that `executor` has. */
  readonly engineHash: string;
  /** `executions` of the config. */
  readonly executions: Pick<ExecutionsConfig, 'interruptedCalls' | 'engineChanged'>;
  readonly maxWaitingRuns: number;
  /** Of runs that say nothing about it themselves. Default: they are not put away. */
  readonly hibernation?: HibernationRules;
  /** Runs programs on another engine than the present one; undefined when that is not there any more. */
  readonly executorFor?: (engineHash: string) => DurableExecutor | undefined | Promise<DurableExecutor | undefined>;
  /** The program of a script on the present engine, for runs whose own engine is gone. Absent: they end with ERR_EXECUTION_ENGINE. */
  readonly programFor?: (script: string) => ProgramSource;
  readonly log: RunLog;
  readonly clocks?: Clocks;
  /** From 0 to 1. */
  readonly random?: () => number;
  readonly callMemory?: CallMemoryBytes;
}

/** Runs that are kept in a store are carried to their ends whatever process is lost; without a store they end with their executor. */
export function createDurableRuns(options: DurableRunsOptions): CarriedRuns | PlainRuns {
  const { store } = options;
  return store === undefined ? new PlainRuns(options.executor) : new CarriedRuns(carrying(options, store));
}

function carrying(options: DurableRunsOptions, store: ExecutionStore): Carrying {
  const { executor, engineHash, executions, executorFor, programFor, hibernation, log } = options;
  const { clocks = MACHINE_CLOCKS, random = Math.random, callMemory, maxWaitingRuns } = options;
  return {
    store,
    engines: { executor, engineHash, engineChanged: executions.engineChanged, executorFor, programFor },
    hibernation,
    interruptedCalls: executions.interruptedCalls,
    clocks,
    timers: new WakeTimers(clocks),
    wakes: new WakeQueue(),
    memory: createCallMemory(callMemory),
    waiting: new WaitingRuns(maxWaitingRuns),
    random,
    log,
  };
}

/** Runs as they are where nothing can be kept. */
export class PlainRuns implements DurableRuns {
  readonly #executor: Executor;

  constructor(executor: Executor) {
    this.#executor = executor;
  }

  run({ request }: DurableRun, onCall: (journal: CallJournal) => OnCall, signal: AbortSignal): Promise<RunOutcome> {
    return this.#executor.run(request, onCall(UNWRITTEN), signal);
  }

  leave(): void {
    // They end with their executor.
  }
}

const UNWRITTEN: CallJournal = { asking: () => Promise.resolve(), sending: () => Promise.resolve() };

/** Runs that are kept in a store. */
export class CarriedRuns implements DurableRuns {
  readonly #all: Carrying;
  /** Each with what lets go of it. */
  readonly #runs = new Set<() => void>();
  #hasLeft = false;

  constructor(all: Carrying) {
    this.#all = all;
  }

  /** How many are put away. */
  get waiting(): number {
    return this.#all.waiting.count;
  }

  async run({ stored, ...run }: DurableRun, onCall: (journal: CallJournal) => OnCall, signal: AbortSignal): Promise<RunOutcome> {
    if (stored?.end) return storedOutcome(stored.end);
    if (this.#hasLeft || (signal.aborted && isClosing(signal.reason))) throw closing();
    const start = stored?.start;
    if (start === undefined) this.#all.waiting.admit();
    const request = start ? restored(run.request, start) : fixed(run.request, this.#all.clocks);
    const hibernation = request.hibernation ?? this.#all.hibernation;
    const whole = { ...run, request: { ...request, ...(hibernation && { hibernation }) } };
    const carried = new CarriedRun(this.#all, whole, onCall, signal);
    return this.#held(carried, signal, stored && start ? carried.recover(stored, start) : carried.begin(startOf(whole)));
  }

  leave(): void {
    this.#hasLeft = true;
    for (const leave of this.#runs) leave();
    this.#all.timers.close();
  }

  /** Its outcome, unless this process lets go of it before. */
  #held(carried: CarriedRun, signal: AbortSignal, outcome: Promise<RunOutcome>): Promise<RunOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<RunOutcome>();
    const leave = (): void => {
      carried.leave();
      // One that was cancelled a moment ago has ended, whatever else it would have told.
      reject(signal.aborted ? signal.reason : closing());
    };
    const abort = (): void => (isClosing(signal.reason) ? leave() : carried.cancelled());
    const end = (): void => {
      signal.removeEventListener('abort', abort);
      this.#runs.delete(leave);
    };
    this.#runs.add(leave);
    signal.addEventListener('abort', abort, { once: true });
    void outcome.finally(end).then(resolve, reject);
    return promise;
  }
}

/** A request whose run can be made again: clock and seed are what the executor would otherwise choose. */
function fixed(request: RunRequest, clocks: Clocks): RunRequest & Pick<ExecutionStart, 'now' | 'seed'> {
  const { now = clocks.wall(), seed = randomBytes(SEED_BYTES).toString('hex') } = request;
  return { ...request, now, seed };
}

/** The request that a run was begun with, whatever the config says by now. */
function restored({ executionId, hibernation }: RunRequest, start: ExecutionStart): RunRequest & Pick<ExecutionStart, 'now' | 'seed'> {
  const { programKey, script, input, state, limits, now, seed, results, skills } = start;
  const optional = {
    ...(results !== undefined && { results }),
    ...(skills !== undefined && { skills }),
    ...(hibernation && { hibernation }),
  };
  return { executionId, program: { key: programKey, script }, input, state, limits, now, seed, ...optional };
}

type WholeRun = Omit<DurableRun, 'stored' | 'request'> & { readonly request: RunRequest & Pick<ExecutionStart, 'now' | 'seed'> };

function startOf({ request, engineHash, context, stateVersion }: WholeRun): ExecutionStart {
  const { program, input, state, limits, now, seed, results, skills } = request;
  const { key: programKey, script } = program;
  return { programKey, script, engineHash, input, state, stateVersion, limits, now, seed, results, skills, context };
}
