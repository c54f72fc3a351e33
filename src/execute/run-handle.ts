import type { ErrorCode } from '../errors.ts';
import type { HibernatedEvent, HistoryPart } from './executor-protocol.ts';
import { refuseImage } from './hibernated-run.ts';
import { RunLost } from './lost-runs.ts';
import { ToldCalls } from './told-calls.ts';
import type { HibernatedRun, RunEvents, RunOutcome, RunRequest, RunUsage, ToolAnswer, ToolCall } from './run.ts';

export type OnCall = (call: ToolCall, signal: AbortSignal) => Promise<ToolAnswer>;

/** A run that waits where it is says so once for each wait, and each wait ends in a step; so many may have been told of before their steps are. */
const FREE_WAITS = 20_000;
const NO_USAGE: RunUsage = { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 };

/** One run as the gateway holds it: what was asked, who answers its tool calls, and who waits for its outcome. */
export class RunHandle {
  readonly request: RunRequest;
  readonly outcome: Promise<RunOutcome | HibernatedRun>;
  /** What it did, as the executor tells it. */
  readonly told: ToldCalls;
  readonly #onCall: OnCall;
  readonly #events: RunEvents | undefined;
  #controller: AbortController | undefined;
  /** Tool calls without an answer. */
  #calls = 0;
  #waits = 0;
  #state: 'unsent' | 'queued' | 'begun' = 'unsent';
  #wasQueued = false;
  #hasScript = false;
  #hasEnded = false;
  #begunAt = Infinity;
  #onTaken: (() => void) | undefined;
  #resolve!: (outcome: RunOutcome | HibernatedRun) => void;
  #reject!: (error: Error) => void;

  /** @param events of a run that tells what it was given, may be put away, and is lost with its process in any case; else who answers its calls. */
  constructor(request: RunRequest, events: RunEvents | OnCall) {
    this.request = request;
    this.#events = typeof events === 'function' ? undefined : events;
    this.told = new ToldCalls(request, this.#events !== undefined);
    this.#onCall = typeof events === 'function' ? events : (call, signal) => events.call(call, signal);
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A rejection may come before anybody waits.
    this.outcome.catch(() => undefined);
  }

  /** Whether it tells what it was given. */
  get tells(): boolean {
    return this.#events !== undefined;
  }

  /** The executor has it, and may have begun it. @param onTaken is told when a worker has it for sure, or it has ended */
  sent(onTaken?: () => void): void {
    this.#state = 'begun';
    this.#begunAt = performance.now();
    this.#onTaken = onTaken;
  }

  /** A worker has it: it has said something that no queue can say. */
  taken(): void {
    this.#onTaken?.();
    this.#onTaken = undefined;
  }

  /** Nothing of it has begun yet. False when that cannot be. */
  queued(): boolean {
    if (this.told.hasNews || this.#wasQueued) return false;
    this.#wasQueued = true;
    this.#state = 'queued';
    this.#begunAt = Infinity;
    return true;
  }

  /** It begins after having been queued. False when that cannot be. */
  begun(): boolean {
    if (this.#state !== 'queued') return false;
    this.#state = 'begun';
    this.#begunAt = performance.now();
    return true;
  }

  /** The script, the first time that it is asked for. */
  takeScript(): string | undefined {
    if (this.#hasScript) return undefined;
    this.#hasScript = true;
    return this.request.program.script;
  }

  /** Asks for the answer to a tool call. Undefined when the run has ended meanwhile. */
  call(call: ToolCall): Promise<ToolAnswer | undefined> {
    return this.#answer(call.number, (signal) => this.#onCall(call, signal));
  }

  /** The same for a call that it made before it was put away. */
  answer(call: number): Promise<ToolAnswer | undefined> {
    return this.#answer(call, (signal) => this.#events?.answer(call, signal) ?? Promise.resolve(INTERNAL_FAILURE));
  }

  async #answer(call: number, ask: (signal: AbortSignal) => Promise<ToolAnswer>): Promise<ToolAnswer | undefined> {
    if (this.#hasEnded) return undefined;
    this.#calls++;
    // Most signals never fire, and making one fire is what costs: so only when calls still run at the end.
    const { signal } = (this.#controller ??= new AbortController());
    let answer = INTERNAL_FAILURE;
    try {
      answer = await ask(signal);
    } catch {
      // What failed is the gateway's: the program hears that much.
    }
    this.#calls--;
    if (this.#hasEnded) return undefined;
    this.told.answered(call);
    return answer;
  }

  /** Takes what the run was given. @returns why that cannot be, if so */
  history(part: HistoryPart): string | undefined {
    if (!this.#events) return 'it told what it was not asked';
    const reason = this.told.refuseHistory(part);
    if (reason === undefined) this.#events.history({ steps: part.steps, files: part.files ?? [] });
    return reason;
  }

  /** It should be put away and stays where it is. @returns why that cannot be, if so */
  waiting(nextTimer: number | null): string | undefined {
    if (!this.request.hibernation) return 'it told what it was not asked';
    if (++this.#waits > FREE_WAITS + this.told.steps) return 'it does not stop telling that a run waits';
    this.#events?.waiting?.(nextTimer);
    return undefined;
  }

  /** When it began, on the clock of `performance.now()`; Infinity while it waits. */
  get begunAt(): number {
    return this.#begunAt;
  }

  get ended(): boolean {
    return this.#hasEnded;
  }

  /** Ends the run; the tool calls that still run are cancelled. */
  end(outcome: RunOutcome): void {
    this.#leave();
    this.#resolve(outcome);
  }

  /** The run has left its process, and can go on in any other; also one that was cancelled in that moment, whose logs are in its image. @returns why that cannot be, if so */
  hibernate(event: HibernatedEvent, image: Uint8Array): string | undefined {
    const { pending, nextTimer, now, usage } = event;
    const reason = this.#state === 'queued' ? 'it put away a run that was queued' : refuseImage(this, event, image);
    if (reason !== undefined) return reason;
    this.#leave();
    // The gateway counts calls itself: what the run may number next depends on it.
    this.#resolve({ status: 'hibernated', image, pending, lastCall: this.told.last, nextTimer, now, usage });
    return undefined;
  }

  /** Ends a run that did not begin. */
  refuse(error: Error): void {
    this.#leave();
    this.#reject(error);
  }

  #leave(): void {
    this.#hasEnded = true;
    this.taken();
    if (this.#calls > 0) this.#controller?.abort();
  }

  /** The process that should run it has ended. */
  lose(): void {
    if (this.#hasEnded) return;
    if (this.#state !== 'begun' || this.#events) return this.refuse(new RunLost(this.#state === 'begun'));
    const hint =
      this.told.last === 0 ? 'It had called no tool: it can be sent again.' : 'Check what its tool calls changed before sending it again.';
    return this.fail('ERR_EXECUTE_LOST', 'The process that ran the program ended unexpectedly.', hint);
  }

  /** Ends the run without an outcome from the executor. */
  fail(code: ErrorCode, message: string, hint?: string, usage = NO_USAGE): void {
    this.end({
      end: { status: 'failed', code, message, ...(hint === undefined ? {} : { hint }) },
      logs: [],
      droppedLogBytes: 0,
      calls: [],
      usage,
      cache: 'miss',
      phases: { queue: 0, component: 0, run: 0 },
    });
  }
}

/** What a program hears when the gateway itself failed to answer. */
export const INTERNAL_FAILURE: ToolAnswer = { ok: false, error: { code: 'ERR_INTERNAL', message: 'The call could not be made.' } };
