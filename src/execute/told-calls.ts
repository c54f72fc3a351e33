import type { CallsEvent, HistoryPart } from './executor-protocol.ts';
import type { RunRequest } from './run.ts';

/** A call without an answer, one whose answer the executor was sent, and one that a woken run has not asked about yet. */
type CallState = 'running' | 'answered' | 'put away';

/** The calls of a run as its executor tells of them, and what one that keeps the run's limits can say of them. */
export class ToldCalls {
  readonly #request: RunRequest;
  readonly #tells: boolean;
  /** Calls that no step has settled. */
  readonly #open = new Map<number, CallState>();
  /** Calls that steps settled before the run was begun again: it makes them once more, and says nothing of their end. */
  readonly #settledBefore: ReadonlySet<number>;
  #last = 0;
  #running = 0;
  #steps = 0;
  #hasNews = false;
  /** The run's clock as far as it was told. */
  #clock: number;

  /** @param tells whether steps will be told: else a call is over when it is answered. */
  constructor(request: RunRequest, tells: boolean) {
    const { from, now = -Infinity } = request;
    this.#request = request;
    this.#tells = tells;
    if (from?.kind === 'image') {
      this.#last = from.lastCall;
      for (const call of from.pending) this.#open.set(call, 'put away');
    }
    const steps = from?.kind === 'history' ? from.steps : [];
    this.#settledBefore = new Set(steps.flatMap(([, ...calls]) => calls));
    // A run goes on at a whole millisecond.
    this.#clock = Math.floor(from?.kind === 'image' ? from.now : (steps.at(-1)?.[0] ?? now));
  }

  /** Number of the last call; 0 for none. */
  get last(): number {
    return this.#last;
  }

  /** The run's clock as far as it was told. */
  get clock(): number {
    return this.#clock;
  }

  /** Steps that were told of. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether anything was told that only a run can do that has begun. */
  get hasNews(): boolean {
    return this.#hasNews;
  }

  /** Why these calls cannot be; undefined when they can. */
  refuseCalls(calls: CallsEvent['calls']): string | undefined {
    const { maxToolCalls, maxConcurrentToolCalls, maxToolArgumentBytes } = this.#request.limits;
    this.#hasNews = true;
    if (this.#running + calls.length > maxConcurrentToolCalls) return 'it let a run make too many tool calls at once';
    for (const { call, bytes } of calls) {
      if (call <= this.#last || call > maxToolCalls) return 'it numbered a tool call otherwise than a run does';
      if (bytes > maxToolArgumentBytes) return 'it let a run send too large arguments';
      this.#last = call;
      this.#open.set(call, 'running');
    }
    this.#running += calls.length;
    return undefined;
  }

  /** Why a woken run cannot ask about these calls. */
  refuseAwaits(calls: readonly number[]): string | undefined {
    this.#hasNews = true;
    for (const call of calls) {
      if (this.#open.get(call) !== 'put away') return 'it let a run wait for a tool call that it had not made, or twice';
      this.#open.set(call, 'running');
    }
    this.#running += calls.length;
    return undefined;
  }

  /** The executor is sent the answer. */
  answered(call: number): void {
    this.#running--;
    if (!this.#tells || this.#settledBefore.has(call)) this.#open.delete(call);
    else this.#open.set(call, 'answered');
  }

  /** Why a run cannot have been given this. */
  refuseHistory({ steps }: HistoryPart): string | undefined {
    this.#hasNews = true;
    this.#steps += steps.length;
    for (const [now, ...calls] of steps) {
      if (now < this.#clock) return 'it let the clock of a run go backwards';
      this.#clock = now;
      for (const call of calls) {
        if (this.#open.get(call) !== 'answered') return 'it settled a tool call that had no answer';
        this.#open.delete(call);
      }
    }
    return undefined;
  }

  /** Whether a run can be put away while it waits for these calls. */
  isWaitingFor(calls: readonly number[]): boolean {
    return new Set(calls).size === calls.length && calls.every((call) => this.#open.has(call) && !this.#settledBefore.has(call));
  }
}
