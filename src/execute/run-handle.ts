import type { ErrorCode } from '../errors.ts';
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
  #hasEnded = false;
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

  /** Ends the run without an outcome from the executor. */
  fail(code: ErrorCode, message: string): void {
    this.end({
      end: { status: 'failed', code, message },
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
