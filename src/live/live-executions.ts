import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError } from '../errors.ts';
import type { WaitReason } from '../execution/durable-run.ts';
import { MemoryShares } from '../memory-shares.ts';
import { LiveExecution, type LiveInfo } from './live-execution.ts';
import type { ExecuteResponse } from '../server/sandbox-port.ts';

/** A run whose key was revoked ends at most so much later, in milliseconds. */
const LOOK_MS = 1_000;
/** When the sandbox closes its runs have so long to let go, in milliseconds. */
const CLOSE_MS = 2_000;
const MAX_TO_CANCEL = 10_000;

export interface LiveExecutionsOptions {
  /** Most runs that are put away or wait for a person: see `limits.maxWaitingRuns`. */
  readonly maxWaitingRuns: number;
  /** Whose share is the whole: nobody else is there. */
  readonly localPrincipal: string;
  /** Most bytes that executions keep in memory until they have ended: see {@link LiveExecutions.hold}. Default: any. */
  readonly maxHeldBytes?: number | undefined;
  /** Whether the API key of an id was revoked. Default: none is. */
  readonly isRevoked?: ((credential: string) => boolean) | undefined;
  readonly lookMs?: number;
}

/** The executions that go on in this process, with an open request or without. */
export class LiveExecutions {
  readonly #options: LiveExecutionsOptions;
  readonly #live = new Map<string, LiveExecution>();
  /** Runs that wait, by principal. */
  readonly #waiting = new Map<string, number>();
  /** Executions that somebody asked to end before they were begun here. */
  readonly #toCancel = new Set<string>();
  /** What they keep in memory; which of it is whose, by execution. */
  readonly #memory: MemoryShares;
  readonly #held = new Map<string, number>();
  #totalWaiting = 0;
  /** Of runs that were begun with a key. */
  #withKeys = 0;
  #timer: NodeJS.Timeout | undefined;
  #closing: SandboxError | undefined;

  constructor(options: LiveExecutionsOptions) {
    this.#options = options;
    this.#memory = new MemoryShares(options.maxHeldBytes ?? Infinity);
  }

  get size(): number {
    return this.#live.size;
  }

  /** Begins one. What `work` resolves with is its answer; it never rejects. */
  begin(info: LiveInfo, work: (execution: LiveExecution) => Promise<ExecuteResponse>): LiveExecution {
    const execution = new LiveExecution(info, (now, before) => this.#count(info.principal, now, before));
    this.#live.set(info.executionId, execution);
    this.#watch(info, 1);
    if (this.#closing !== undefined) execution.leave(this.#closing);
    if (this.#toCancel.delete(info.executionId)) execution.cancel();
    execution.begin(work, () => {
      this.#live.delete(info.executionId);
      this.#letGo(info);
      this.#watch(info, -1);
    });
    return execution;
  }

  /** The execution, if it goes on here and is the principal's. */
  find(executionId: string, principal: string): LiveExecution | undefined {
    const found = this.#live.get(executionId);
    return found?.principal === principal ? found : undefined;
  }

  has(executionId: string): boolean {
    return this.#live.has(executionId);
  }

  /** The handles of the sessions of what goes on here. */
  *sessions(): Iterable<string> {
    for (const { session } of this.#live.values()) if (session !== undefined) yield session;
  }

  /** Ends one, whoever asks: the operator does. It may be one that is to be carried on with in a moment. */
  cancel(executionId: string): void {
    const found = this.#live.get(executionId);
    if (found) return found.cancel();
    this.#toCancel.add(executionId);
    const [oldest] = this.#toCancel;
    if (this.#toCancel.size > MAX_TO_CANCEL && oldest !== undefined) this.#toCancel.delete(oldest);
  }

  /**
   * Lets a principal begin another run, unless too many wait. Who has most of them is refused first, so that nobody keeps all others out.
   * @throws SandboxError ERR_EXECUTION_FULL
   */
  admit(principal: string): void {
    const { maxWaitingRuns, localPrincipal } = this.#options;
    const free = maxWaitingRuns - this.#totalWaiting;
    const own = this.#waiting.get(principal) ?? 0;
    if (free > 0 && (principal === localPrincipal || own === 0 || own < free)) return;
    const who =
      free > 0 ? `The principal ${JSON.stringify(principal)} has ${own} runs that wait, which is its share` : 'Too many runs wait';
    throw new SandboxError('ERR_EXECUTION_FULL', `${who} (limits.maxWaitingRuns is ${maxWaitingRuns}). Nothing has run.`);
  }

  /**
   * An execution keeps so much of this process's memory until it has ended, roughly: its program and its input, also while its own memory is put away.
   * @param isNew one that is not goes on in any case: it was let in before
   * @throws SandboxError ERR_EXECUTION_FULL when its principal's executions have their share
   */
  hold({ executionId, principal }: LiveExecution, bytes: number, isNew: boolean): void {
    const [own, most] = [this.#memory.of(principal), this.#memory.most];
    if (!isNew) this.#memory.force(principal, bytes);
    else if (!this.#memory.take(principal, bytes)) {
      const who = `Programs and inputs of the runs of the principal ${JSON.stringify(principal)} take ${own} bytes of the ${most} that all may`;
      const hint = 'Wait until some of them have ended, or end them with cancel_execution. Smaller inputs find room sooner.';
      throw new SandboxError('ERR_EXECUTION_FULL', `${who}, and there is no room for ${bytes} more. Nothing has run.`, { hint });
    }
    this.#held.set(executionId, bytes);
  }

  #letGo({ executionId, principal }: LiveInfo): void {
    const bytes = this.#held.get(executionId);
    if (bytes !== undefined && this.#held.delete(executionId)) this.#memory.giveBack(principal, bytes);
  }

  /** Lets go of all executions: those that are kept go on with the next start, the others end. */
  async close(reason: SandboxError): Promise<void> {
    this.#closing = reason;
    clearInterval(this.#timer);
    this.#timer = undefined;
    const left = [...this.#live.values()];
    for (const execution of left) execution.leave(reason);
    const timeout = new AbortController();
    const late = sleep(CLOSE_MS, undefined, { signal: timeout.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled(left.map(({ response }) => response)), late]);
    timeout.abort();
  }

  #count(principal: string, now: readonly WaitReason[] | undefined, before: readonly WaitReason[] | undefined): void {
    const change = (now === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
    if (change === 0) return;
    this.#totalWaiting += change;
    const count = (this.#waiting.get(principal) ?? 0) + change;
    if (count > 0) this.#waiting.set(principal, count);
    else this.#waiting.delete(principal);
  }

  #watch({ credential }: LiveInfo, change: number): void {
    if (credential === undefined || this.#options.isRevoked === undefined) return;
    this.#withKeys += change;
    if (this.#withKeys > 0 && this.#closing === undefined) {
      this.#timer ??= setInterval(() => this.#look(), this.#options.lookMs ?? LOOK_MS).unref();
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #look(): void {
    const revoked = new Map<string, boolean>();
    for (const execution of this.#live.values()) {
      const { credential } = execution;
      if (credential === undefined) continue;
      if (!revoked.has(credential)) revoked.set(credential, this.#options.isRevoked?.(credential) === true);
      if (revoked.get(credential) === true) execution.cancel();
    }
  }
}
