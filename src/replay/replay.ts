import { SandboxError } from '../errors.ts';
import type { DurableExecutor, HibernatedRun, RunOutcome, RunRequest } from '../execute/run.ts';
import type { ProgramSource } from '../execute/run.ts';
import type { Difference } from './compare.ts';
import type { RecordedOutcome } from './recorded-outcome.ts';
import type { Recording } from './recording.ts';
import { ReplayRun, type ReplayedCall } from './replay-run.ts';

export type { ReplayedCall } from './replay-run.ts';

export interface ReplayOptions {
  /** Stops as soon as the call of this number has been made. */
  readonly until?: number | undefined;
  /** Whether the executor has the engine that the run was recorded on. */
  readonly sameEngine: boolean;
  /** The program of a script on the executor's engine. */
  readonly programFor: (script: string) => ProgramSource;
  readonly onCall?: ((call: ReplayedCall) => void) | undefined;
  readonly signal: AbortSignal;
}

export interface Replayed {
  /** `stopped`: at the call of `until`, or where the record of a run that has not ended is over. */
  readonly status: 'same' | 'different' | 'stopped';
  readonly differences: readonly Difference[];
  /** Where the run did not get to its end: how it was when it was stopped. */
  readonly outcome: RecordedOutcome | undefined;
  /** Set when the recorded run was ended from outside: only what it did up to then is compared. */
  readonly endedFromOutside?: string;
  /** Calls that were made and not answered where it stopped. */
  readonly pending: readonly ReplayedCall[];
  /** Due time of the earliest timer where it stopped, in milliseconds after the run's start. */
  readonly nextTimerMs?: number;
}

/** Runs a recording again, with the recorded answers in the place of all tools. @throws SandboxError as `Executor.run` */
export async function replay(recording: Recording, executor: DurableExecutor, options: ReplayOptions): Promise<Replayed> {
  const run = new ReplayRun(recording, options);
  const signal = AbortSignal.any([options.signal, run.stopped]);
  let ended: RunOutcome | HibernatedRun;
  try {
    ended = await executor.attempt(requestOf(recording, options), run, signal);
  } catch (thrown) {
    options.signal.throwIfAborted();
    if (run.stopped.aborted) return run.result(undefined);
    throw thrown;
  }
  options.signal.throwIfAborted();
  if ('image' in ended) throw new SandboxError('ERR_INTERNAL', 'A replay was put away.');
  try {
    return run.result(ended);
  } finally {
    ended.large?.done?.();
  }
}

function requestOf(recording: Recording, { programFor }: ReplayOptions): RunRequest {
  const { executionId, script, input, state, limits, now, seed, results, skills, steps } = recording;
  const folders = { ...(results !== undefined && { results }), ...(skills !== undefined && { skills }) };
  return {
    executionId,
    program: programFor(script),
    input,
    state,
    limits,
    now,
    seed,
    ...folders,
    // After its last step no time passes: its clock is long past this one.
    from: { kind: 'history', steps, now: 0 },
    // It says where it waits once its steps are over, and cannot leave.
    hibernation: { afterMs: 0, maxImageBytes: 0 },
  };
}
