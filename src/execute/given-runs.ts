import { SandboxError, toSandboxError } from '../errors.ts';
import { CallAnswers } from './call-answers.ts';
import type { ExecutorChild } from './executor-child.ts';
import type { ExecutorEvent } from './executor-protocol.ts';
import { isWithin } from './hibernated-run.ts';
import type { KnownPrograms } from './known-programs.ts';
import type { LargeBudget } from './large-budget.ts';
import { splitLarge } from './large-outcome.ts';
import { RunLost } from './lost-runs.ts';
import type { RunHandle } from './run-handle.ts';
import type { RunOutcome } from './run.ts';

type Making = Pick<PromiseWithResolvers<Uint8Array>, 'resolve' | 'reject'>;
type OutcomeEvent = Extract<ExecutorEvent, { type: 'outcome' }>;

/** Messages about runs that are over, which come late: so many in all, and so many for each run. More is a flood. */
const FREE_STRAYS = 10_000;
const STRAYS_PER_RUN = 100;

/** The runs that one executor process was given, and what it says of them. It is not trusted: what it cannot have a reason to say ends it. */
export class GivenRuns {
  readonly #programs: KnownPrograms;
  readonly #large: LargeBudget;
  readonly #warn: (message: string) => void;
  readonly #runs = new Map<number, RunHandle>();
  readonly #makes = new Map<number, Making>();
  readonly #answers: CallAnswers;
  #next = 1;
  /** The first number of the present process. */
  #first = 1;
  #strays = 0;

  constructor(programs: KnownPrograms, large: LargeBudget, warn: (message: string) => void) {
    this.#programs = programs;
    this.#large = large;
    this.#warn = warn;
    this.#answers = new CallAnswers(warn);
  }

  /** @returns the number that the run has between gateway and executor */
  add(handle: RunHandle): number {
    const run = this.#next++;
    this.#runs.set(run, handle);
    return run;
  }

  delete(run: number): void {
    this.#runs.delete(run);
  }

  /** A program that is to be made without running it. */
  addMake(): { run: number; made: Promise<Uint8Array> } {
    const run = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#makes.set(run, { resolve, reject });
    return { run, made: promise.finally(() => this.#makes.delete(run)) };
  }

  /** Takes an event. @returns why it cannot come from an executor of ours, if so */
  receive(child: ExecutorChild, event: ExecutorEvent, payload: Buffer): string | undefined {
    if ('run' in event && event.run !== undefined) {
      const { run } = event;
      if (run < this.#first || run >= this.#next) return 'it told of a run that it was not given';
      const handle = this.#runs.get(run);
      if (handle && !handle.ended) return this.#take(child, event, payload, handle);
      if (!this.#makes.has(run)) return this.#stray(child, event);
    }
    if (event.type === 'made') return this.#made(child, event, payload);
    if (event.type === 'refused') this.#makes.get(event.run)?.reject(refusal(event));
    return undefined;
  }

  /** The process has ended. */
  lose(): void {
    this.#programs.forget();
    this.#answers.clear();
    this.#first = this.#next;
    this.#strays = 0;
    for (const handle of this.#runs.values()) handle.lose();
    for (const making of this.#makes.values()) making.reject(new RunLost(false));
  }

  /** All runs that may be put away are asked to be, if they wait. */
  hibernate(child: ExecutorChild): void {
    for (const [run, { ended, request }] of this.#runs) if (!ended && request.hibernation) child.send({ type: 'hibernate', run });
  }

  close(): void {
    for (const handle of this.#runs.values()) handle.fail('ERR_EXECUTE_CANCELLED', 'The server is shutting down.');
  }

  #take(child: ExecutorChild, event: ExecutorEvent, payload: Buffer, handle: RunHandle): string | undefined {
    if (event.type !== 'queued' && event.type !== 'need') handle.taken();
    // What a run was given comes before what it led to.
    const reason = 'history' in event && event.history ? handle.history(event.history) : undefined;
    if (reason !== undefined) return reason;
    switch (event.type) {
      case 'queued':
        return handle.queued() ? undefined : 'it queued a run that had begun, or twice';
      case 'begun':
        return handle.begun() ? undefined : 'it began a run that was not queued';
      case 'need':
        return this.#supply(child, event.run, handle);
      case 'calls': {
        const reason = handle.told.refuseCalls(event.calls);
        if (reason === undefined) this.#answers.ask(child, event, payload, handle);
        return reason;
      }
      case 'awaits': {
        const reason = handle.told.refuseAwaits(event.calls);
        if (reason === undefined) this.#answers.askAgain(child, event, handle);
        return reason;
      }
      case 'history':
        return undefined;
      case 'waiting':
        return handle.waiting(event.nextTimer);
      case 'hibernated':
        return handle.hibernate(event, ownBytes(payload));
      case 'outcome':
        return this.#end(event, payload, handle);
      case 'refused':
        handle.refuse(refusal(event));
        return undefined;
      case 'hello':
      case 'ready':
      case 'fatal':
      case 'pong':
      case 'made':
        return 'it answered a run with something else';
    }
  }

  /** Something about a run that is over. */
  #stray(child: ExecutorChild, event: ExecutorEvent): string | undefined {
    this.#strays++;
    if (this.#strays > FREE_STRAYS + STRAYS_PER_RUN * (this.#next - this.#first)) return 'it does not stop telling of runs that are over';
    // It waits for a script that will not come.
    if (event.type === 'need') child.send({ type: 'cancel', run: event.run });
    return undefined;
  }

  #supply(child: ExecutorChild, run: number, handle: RunHandle): string | undefined {
    const script = handle.takeScript();
    if (script === undefined) return 'it asked for the same script twice';
    child.send({ type: 'script', run }, Buffer.from(script, 'utf8'));
    return undefined;
  }

  #end({ outcome, large }: OutcomeEvent, payload: Buffer, handle: RunHandle): string | undefined {
    const { limits } = handle.request;
    const { maxResultBytes, maxStateBytes } = limits;
    if (!isWithin(outcome.usage, limits)) return 'it ended a run that had used more than it may';
    if (outcome.end.status === 'completed') {
      const { result, state } = outcome.end;
      if (Buffer.byteLength(result) > maxResultBytes || Buffer.byteLength(state) > maxStateBytes) return 'it let a run return too much';
    }
    if (large && large.result > maxResultBytes) return 'it let a run return too much';
    handle.end(large ? this.#large.take(outcome as RunOutcome, splitLarge(large, payload)) : (outcome as RunOutcome));
    return undefined;
  }

  #made(child: ExecutorChild, event: Extract<ExecutorEvent, { type: 'made' }>, payload: Buffer): string | undefined {
    const { run, key } = event;
    if (run !== undefined) this.#makes.get(run)?.resolve(Buffer.from(payload));
    // Only what somebody runs just now, or is about to, is taken: an executor that was taken over must not fill the store with other programs.
    else if (!this.#programs.awaits(key, () => this.#isRun(key))) return this.#stray(child, event);
    else {
      const kept = this.#programs.keep(key, Buffer.from(payload));
      void kept.catch((error: unknown) => this.#warn(`A program could not be kept: ${toSandboxError(error).message}`));
    }
    return undefined;
  }

  #isRun(key: string): boolean {
    return [...this.#runs.values()].some(({ request }) => request.program.key === key);
  }
}

function refusal({ code, message, hint }: Extract<ExecutorEvent, { type: 'refused' }>): SandboxError {
  return new SandboxError(code, message, hint === undefined ? {} : { hint });
}

/** A short image is one part of a piece of memory that others have parts of. */
function ownBytes(payload: Buffer): Uint8Array {
  return payload.length * 2 < payload.buffer.byteLength ? new Uint8Array(payload) : payload;
}
