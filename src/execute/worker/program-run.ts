import { SandboxError } from '../../errors.ts';
import { GuestCalls, type Given } from './guest-calls.ts';
import { endOfBrokenCall } from './guest-failure.ts';
import type { GuestStatus } from './guest-status.ts';
import { leave } from './leaving-run.ts';
import { hostRun, type RunHost } from './run-host.ts';
import { outcomeOf } from './run-outcome.ts';
import type { RunPlace } from './run-place.ts';
import type { RunState } from './run-state.ts';
import type { HibernatedRun, RunEnd, RunOutcome } from '../run.ts';
import { StepsAgain } from './steps-again.ts';
import type { WorkerTask } from '../worker-protocol.ts';

/** Packing all of a large memory takes time. */
const TRY_AGAIN_MS = 30_000;

const NEVER_SETTLES: RunEnd = {
  status: 'failed',
  code: 'ERR_EXECUTE_NEVER_SETTLES',
  message: 'The program waits for something that can never happen: no tool call is running and no timer is set.',
};

/** One run in its instance, from its start or from where it was put away. */
export class ProgramRun {
  readonly #from: RunState | undefined;
  readonly #host: RunHost;
  readonly #guest: GuestCalls;
  /** Undefined when it is given nothing again, or nothing any more. */
  #again: StepsAgain | undefined;
  /** When it was found too long to leave. */
  #triedAt = -Infinity;
  #largeResult: Uint8Array | undefined;

  constructor(place: RunPlace, task: WorkerTask, from: RunState | undefined) {
    this.#from = from;
    this.#host = hostRun(place, task, from);
    this.#guest = new GuestCalls(place.instance, task);
    this.#again = task.from?.kind === 'history' ? new StepsAgain(this.#host, task.from.now ?? task.now) : undefined;
  }

  /** Whether an export call did not return: then the instance is of no use any more. */
  get broken(): boolean {
    return this.#guest.broken;
  }

  /** @returns how it ended, or that it left its instance */
  async toEnd(): Promise<RunEnd | HibernatedRun> {
    try {
      let status: GuestStatus = this.#from ? { ...this.#from.status, end: null } : this.#guest.start();
      for (;;) {
        const end = this.#endOf(status);
        if (end) return end;
        const given = await this.#untilGiven(status);
        if ('status' in given) return given;
        this.#host.script.given(given.now);
        status = this.#guest.resume(given);
      }
    } catch (thrown) {
      if (thrown instanceof SandboxError) return { status: 'failed', code: thrown.code, message: thrown.message };
      return endOfBrokenCall(thrown, this.#host.place.instance);
    }
  }

  #endOf(status: GuestStatus): RunEnd | undefined {
    const { script } = this.#host;
    this.#largeResult = status.largeResult;
    const isIdle = status.running === 0 && status.nextTimer === null;
    const end = status.end ?? (isIdle ? NEVER_SETTLES : undefined);
    if (end && script.current) throw script.ended(end.status === 'failed' ? `failed with ${end.code}` : end.status);
    return end;
  }

  /** Until there is something to go on with, or the run has left. */
  async #untilGiven(status: GuestStatus): Promise<Given | HibernatedRun> {
    const { script, waits, calls, clock, mailbox, task } = this.#host;
    const { nextTimer } = status;
    if (this.#again) {
      const step = script.current;
      if (step) return this.#again.next(step, nextTimer);
      this.#again.goLive(nextTimer);
      this.#again = undefined;
    }
    while ((await waits.untilDue(nextTimer, calls.running > 0)) === 'leave') {
      const left = this.#leave(status);
      if (left) return left;
      waits.stay();
      task.port.cannotLeave(nextTimer);
    }
    const given = { now: clock.now(), ...mailbox.take() };
    task.port.recordStep([given.now, ...given.calls]);
    return given;
  }

  /** Undefined when it is too long; one that was so a moment ago still is, mostly. */
  #leave(status: GuestStatus): HibernatedRun | undefined {
    if (performance.now() - this.#triedAt < TRY_AGAIN_MS) return undefined;
    const left = leave(this.#host, status);
    if (!left) this.#triedAt = performance.now();
    return left;
  }

  outcome(end: RunEnd): Omit<RunOutcome, 'phases' | 'cache'> {
    return outcomeOf(this.#host, end, this.#largeResult);
  }

  close(): void {
    this.#host.mailbox.close();
  }
}
