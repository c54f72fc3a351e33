import { SandboxError } from '../errors.ts';
import type { OnCall } from '../execute/run-handle.ts';
import type { WaitReason } from '../execution/durable-run.ts';
import type { ExecuteResponse } from '../server/sandbox-port.ts';

/** Timers cannot wait for longer, in milliseconds: what should be answered after that is answered at the end. */
const LONGEST_TIMER_MS = 2_147_483_647;

export interface LiveInfo {
  readonly executionId: string;
  readonly principal: string;
  /** Id of the API key that it was begun with. */
  readonly credential?: string | undefined;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** When a request has its answer although the run goes on. */
export interface EarlyAnswer {
  readonly afterMs: number;
  /** Already when the run is put away, or waits for a person. */
  readonly isWhenWaiting: boolean;
}

type Counted = (now: readonly WaitReason[] | undefined, before: readonly WaitReason[] | undefined) => void;

/** One execution that goes on in this process. As long as its request is open it ends with it. */
export class LiveExecution {
  readonly executionId: string;
  readonly principal: string;
  readonly credential: string | undefined;
  readonly createdAt: number;
  readonly response: Promise<ExecuteResponse>;
  /** The handle of the session that it has, whatever becomes of it. */
  session: string | undefined;
  /** What happens to the texts of the program before they are shown. */
  hide: ((text: string) => string) | undefined;
  /** When it went on or began to wait, in milliseconds since 1970. */
  updatedAt: number;
  /** Of all that its tools have not answered, by number. */
  readonly #calls = new Map<number, WaitReason>();
  readonly #cancel = new AbortController();
  readonly #answered = Promise.withResolvers<ExecuteResponse>();
  readonly #settled = Promise.withResolvers<void>();
  readonly #onCount: Counted;
  /** Those who want to know when it waits, or may be answered early. */
  readonly #listeners = new Set<() => void>();
  /** Those who wait for its end, and may give up before: to a promise each would be held until then. */
  readonly #waiters = new Set<() => void>();
  #reasons: readonly WaitReason[] | undefined;
  #isKept = false;
  #isLeft = false;
  #isDetached = false;
  #hasEnded = false;

  constructor({ executionId, principal, credential, createdAt }: LiveInfo, onCount: Counted) {
    this.executionId = executionId;
    this.principal = principal;
    this.credential = credential;
    this.createdAt = createdAt;
    this.updatedAt = createdAt;
    this.#onCount = onCount;
    this.response = this.#answered.promise;
  }

  /** Fires when it is to end, or to let go. */
  get signal(): AbortSignal {
    return this.#cancel.signal;
  }

  /** It is in the store, and goes on whatever process ends. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** Somebody was told that it goes on. */
  get isDetached(): boolean {
    return this.#isDetached;
  }

  /** This process lets go of it, and it goes on with another. */
  get isLeft(): boolean {
    return this.#isLeft && this.#isKept;
  }

  get status(): 'running' | 'waiting' {
    return this.#reasons === undefined ? 'running' : 'waiting';
  }

  /** What it waits for: as it was put away, or the tools that it has called. */
  get reasons(): readonly WaitReason[] {
    return this.#reasons ?? [...this.#calls.values()];
  }

  /** Resolves when it waits for the first time, or has ended: it needs no place of its own any more. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  begin(work: (execution: LiveExecution) => Promise<ExecuteResponse>, onEnd: () => void): void {
    const ended = (): void => {
      this.#hasEnded = true;
      this.waits(undefined);
      this.#settled.resolve();
      for (const tell of this.#waiters) tell();
      onEnd();
    };
    void work(this).finally(ended).then(this.#answered.resolve, this.#answered.reject);
    this.response.catch(() => undefined);
  }

  /** It was written down that there is this execution. */
  keep(): void {
    this.#isKept = true;
    this.#tell();
  }

  /** What it waits for while it is put away, or a person is asked; undefined when it goes on. */
  waits(reasons: readonly WaitReason[] | undefined): void {
    this.#onCount(reasons, this.#reasons);
    this.#reasons = reasons;
    this.updatedAt = Date.now();
    if (reasons === undefined) return;
    this.#settled.resolve();
    this.#tell();
  }

  /** The same answers to tool calls; those that are missing are what it waits for. */
  noting(onCall: OnCall): OnCall {
    return async (call, signal) => {
      this.#calls.set(call.number, { kind: 'tool', call: call.number, server: call.server, tool: call.tool, since: Date.now() });
      try {
        return await onCall(call, signal);
      } finally {
        this.#calls.delete(call.number);
      }
    };
  }

  /** Ends it. */
  cancel(reason: unknown = new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled.')): void {
    if (!this.#hasEnded) this.#cancel.abort(reason);
  }

  /** This process ends: what is kept goes on with another one. */
  leave(reason: SandboxError): void {
    this.#isLeft = true;
    this.cancel(reason);
  }

  /**
   * Its answer, or undefined as soon as the request may be answered without: from then on the request's signal means nothing for it. Before that the
   * execution ends with its request, unless that ends because the server does and the execution goes on with the next start.
   */
  async untilAnswered(signal: AbortSignal, { afterMs, isWhenWaiting }: EarlyAnswer): Promise<ExecuteResponse | undefined> {
    const early = Promise.withResolvers<undefined>();
    let isDue = false;
    const look = (): void => {
      // It was ended before it was written down: nobody carries it on.
      const isOver = this.#cancel.signal.aborted && !this.#isLeft;
      if (isOver || !this.#isKept || (!isDue && !(isWhenWaiting && this.#reasons !== undefined))) return;
      this.#isDetached = true;
      early.resolve(undefined);
    };
    const due = (): void => {
      isDue = true;
      look();
    };
    const abort = (): void => (isClosing(signal.reason) && this.#isKept ? due() : this.cancel(signal.reason));
    const timer = afterMs < LONGEST_TIMER_MS ? setTimeout(due, afterMs) : undefined;
    this.#listeners.add(look);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    look();
    try {
      return await Promise.race([this.response, early.promise]);
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(look);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Its answer, or undefined when the time is over or nobody waits any more: then nothing is left of the wait. */
  async within(ms: number, signal: AbortSignal): Promise<ExecuteResponse | undefined> {
    if (this.#hasEnded) return this.response;
    const { promise, resolve } = Promise.withResolvers<ExecuteResponse | undefined>();
    const [answered, giveUp] = [() => resolve(this.response), () => resolve(undefined)];
    const timer = setTimeout(giveUp, Math.min(ms, LONGEST_TIMER_MS));
    this.#waiters.add(answered);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(answered);
      signal.removeEventListener('abort', giveUp);
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Whether a signal has fired because the server ends, and not because the caller has gone. */
export function isClosing(reason: unknown): boolean {
  return reason instanceof SandboxError && reason.code === 'ERR_SERVER_CLOSING';
}
