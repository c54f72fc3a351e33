import { SandboxError } from '../errors.ts';
import type { OnCall } from '../execute/run-handle.ts';
import type { WaitReason } from '../execution/durable-run.ts';
import type { ExecuteResponse } from '../server/sandbox-port.ts';
import { ToolsUnderWay } from './tools-under-way.ts';
import { UntilEnd } from './until-end.ts';

export interface LiveInfo {
  readonly executionId: string;
  readonly principal: string;
  /** Id of the API key that it was begun with. */
  readonly credential?: string | undefined;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
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
  /** Called when it begins to wait, or can be carried on by others. */
  readonly listeners = new Set<() => void>();
  /** When it went on or began to wait, in milliseconds since 1970. */
  updatedAt: number;
  readonly #tools = new ToolsUnderWay();
  readonly #cancel = new AbortController();
  readonly #answered = Promise.withResolvers<ExecuteResponse>();
  readonly #settled = Promise.withResolvers<void>();
  readonly #onCount: Counted;
  readonly #end = new UntilEnd();
  #reasons: readonly WaitReason[] | undefined;
  #isKept = false;
  #isLeft = false;
  #isDetached = false;

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
    return this.#reasons ?? this.#tools.reasons;
  }

  /** Resolves when it waits for the first time, or has ended: it needs no place of its own any more. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  begin(work: (execution: LiveExecution) => Promise<ExecuteResponse>, onEnd: () => void): void {
    const ended = (): void => {
      this.#end.over();
      this.waits(undefined);
      this.#settled.resolve();
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
    return this.#tools.noting(onCall);
  }

  /** Ends it. */
  cancel(reason: unknown = new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled.')): void {
    if (!this.#end.isOver) this.#cancel.abort(reason);
  }

  /** This process ends: what is kept goes on with another one, unless it was cancelled before. */
  leave(reason: SandboxError): void {
    this.#isLeft = !this.#cancel.signal.aborted;
    this.cancel(reason);
  }

  /** Somebody is told that it goes on, if it does. @returns whether that may be told */
  detach(): boolean {
    // It was ended before it was written down: nobody carries it on.
    const isOver = this.#cancel.signal.aborted && !this.#isLeft;
    if (isOver || !this.#isKept) return false;
    this.#isDetached = true;
    return true;
  }

  /** Its answer, or undefined when the time is over or nobody waits any more: then nothing is left of the wait. */
  async within(ms: number, signal: AbortSignal): Promise<ExecuteResponse | undefined> {
    return (await this.#end.within(ms, signal)) ? this.response : undefined;
  }

  #tell(): void {
    for (const listener of this.listeners) listener();
  }
}
