import { SandboxError, toSandboxError, type ErrorCode } from '../errors.ts';
import type { RunEnd, RunOutcome, RunUsage } from '../execute/run.ts';
import type { Left, LeftEnded } from './attempt.ts';
import type { StoredCall } from './execution-store.ts';
import { failedEnd, madeOutcome } from './made-outcome.ts';
import type { RunRecord } from './run-record.ts';

export const LOST = 'The process that ran the program ended unexpectedly, and the run could not be carried on.';
export const DAMAGED = 'What was stored of the run is damaged, and it could not be begun again from its start.';
export const RESTLESS = 'The process that ran the program put it away again and again, more often than a run has a reason to.';

/** The outcomes of one run that no executor tells: with its calls, as they are stored, and with what it had used when it was put away last. */
export class RunEnds {
  readonly #record: RunRecord;
  readonly #usage: () => RunUsage | undefined;

  constructor(record: RunRecord, usage: () => RunUsage | undefined) {
    this.#record = record;
    this.#usage = usage;
  }

  /** @param calls as they are stored, when they have been read */
  async with(end: RunEnd, calls?: readonly StoredCall[]): Promise<LeftEnded> {
    const stored = calls === undefined ? await this.#record.read().catch(() => undefined) : { calls };
    return { kind: 'ended', outcome: madeOutcome(end, stored?.calls ?? [], this.#usage()) };
  }

  /** Of a run that cannot be carried on. */
  failed(code: ErrorCode, message: string, calls?: readonly StoredCall[]): Promise<LeftEnded> {
    return this.with(failedEnd(code, message), calls);
  }

  /** Of one that does not do again what it did. @param difference how */
  differing(left: Left, difference: string): Promise<LeftEnded> {
    const message = `The run had to be begun again, with the answers that it had, and is not the same any more. ${difference}`;
    return this.diverged(left, failedEnd('ERR_EXECUTION_DIVERGED', message));
  }

  /** What the executor told of it when it was stopped is told with it; but what it had called is what was written down, not what came again until then. */
  async diverged(left: Left, end: RunEnd): Promise<LeftEnded> {
    if (left.kind !== 'ended') return this.with(end);
    const { outcome } = left;
    const calls = (await this.#record.read().catch(() => undefined))?.calls ?? [];
    const made = calls.length < outcome.calls.length ? outcome : madeOutcome(end, calls, outcome.usage);
    return { kind: 'ended', outcome: { ...outcome, end, calls: made.calls, usage: made.usage } };
  }
}

/** Whether the executor has found that the program does not do again what it did. */
export function hasDiverged({ end }: RunOutcome): boolean {
  return end.status === 'failed' && end.code === 'ERR_EXECUTION_DIVERGED';
}

/** Whether the program did what it wanted to, so that all that it did before it has done again. */
export function hasGoneOn({ end }: RunOutcome): boolean {
  return end.status === 'completed' || end.code === 'ERR_EXECUTE_THROWN';
}

/** Of a run that something was thrown about. */
export function endOf(thrown: unknown): RunEnd {
  const { code, message, details } = toSandboxError(thrown);
  return { status: 'failed', code, message, ...(details.hint !== undefined && { hint: details.hint }) };
}

/** This process lets go of the run, and it has not ended. */
export function closing(): SandboxError {
  return new SandboxError('ERR_SERVER_CLOSING', 'The server is shutting down; the run goes on when it is started again.');
}

/** Whether a signal has fired because this process lets go of runs, and not because they are to end. */
export function isClosing(reason: unknown): boolean {
  return reason instanceof SandboxError && reason.code === 'ERR_SERVER_CLOSING';
}
