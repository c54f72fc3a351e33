import type { ErrorCode } from '../errors.ts';
import type { CallsEvent } from './executor-protocol.ts';
import { RunLost } from './lost-runs.ts';
import type { RunOutcome, RunRequest, ToolAnswer, ToolCall } from './run.ts';

export type OnCall = (call: ToolCall, signal: AbortSignal) => Promise<ToolAnswer>;

/** One run as the gateway holds it: what was asked, who answers its tool calls, and who waits for its outcome. */
export class RunHandle {
  readonly request: RunRequest;
  readonly outcome: Promise<RunOutcome>;
  readonly #onCall: OnCall;
  #controller: AbortController | undefined;
  /** Tool calls without an answer. */
  #calls = 0;
  #lastCall = 0;
  #state: 'unsent' | 'queued' | 'begun' = 'unsent';
  #wasQueued = false;
  #hasScript = false;
  #hasEnded = false;
  #begunAt = Infinity;
  #resolve!: (outcome: RunOutcome) => void;
  #reject!: (error: Error) => void;

  constructor(request: RunRequest, onCall: OnCall) {
    this.request = request;
    this.#onCall = onCall;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A rejection may come before anybody waits.
    this.outcome.catch(() => undefined);
  }

  /** The executor has it, and may have begun it. */
  sent(): void {
    this.#state = 'begun';
    this.#begunAt = performance.now();
  }

  /** Nothing of it has begun yet. False when that cannot be. */
  queued(): boolean {
    if (this.#lastCall > 0 || this.#wasQueued) return false;
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

  /** Why an executor that keeps the run's limits cannot have sent these calls; undefined when it can. */
  refuseCalls(calls: CallsEvent['calls']): string | undefined {
    const { maxToolCalls, maxConcurrentToolCalls, maxToolArgumentBytes } = this.request.limits;
    if (this.#calls + calls.length > maxConcurrentToolCalls) return 'it let a run make too many tool calls at once';
    for (const { call, bytes } of calls) {
      if (call <= this.#lastCall || call > maxToolCalls) return 'it numbered a tool call otherwise than a run does';
      if (bytes > maxToolArgumentBytes) return 'it let a run send too large arguments';
      this.#lastCall = call;
    }
    return undefined;
  }

  /** Asks for the answer to a tool call. Undefined when the run has ended meanwhile. */
  async call(call: ToolCall): Promise<ToolAnswer | undefined> {
    if (this.#hasEnded) return undefined;
    this.#calls++;
    // Most signals never fire, and making one fire is what costs: so only when calls still run at the end.
    const answer = await this.#answer(call, (this.#controller ??= new AbortController()).signal);
    this.#calls--;
    return this.#hasEnded ? undefined : answer;
  }

  async #answer(call: ToolCall, signal: AbortSignal): Promise<ToolAnswer> {
    try {
      return await this.#onCall(call, signal);
    } catch {
      return INTERNAL_FAILURE;
    }
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
    this.#cancelCalls();
    this.#resolve(outcome);
  }

  /** Ends a run that did not begin. */
  refuse(error: Error): void {
    this.#cancelCalls();
    this.#reject(error);
  }

  #cancelCalls(): void {
    this.#hasEnded = true;
    if (this.#calls > 0) this.#controller?.abort();
  }

  /** The process that should run it has ended. */
  lose(): void {
    if (this.#hasEnded) return;
    if (this.#state !== 'begun') return this.refuse(new RunLost());
    const hint =
      this.#lastCall === 0 ? 'It had called no tool: it can be sent again.' : 'Check what its tool calls changed before sending it again.';
    return this.fail('ERR_EXECUTE_LOST', 'The process that ran the program ended unexpectedly.', hint);
  }

  /** Ends the run without an outcome from the executor. */
  fail(code: ErrorCode, message: string, hint?: string): void {
    this.end({
      end: { status: 'failed', code, message, ...(hint === undefined ? {} : { hint }) },
      logs: [],
      droppedLogBytes: 0,
      calls: [],
      usage: { fuel: 0, peakMemoryBytes: 0, activeMs: 0, waitingMs: 0, toolCalls: 0 },
      cache: 'miss',
      phases: { queue: 0, component: 0, run: 0 },
    });
  }
}

/** What a program hears when the gateway itself failed to answer. */
export const INTERNAL_FAILURE: ToolAnswer = { ok: false, error: { code: 'ERR_INTERNAL', message: 'The call could not be made.' } };
