import type { SandboxError } from '../errors.ts';
import type { RunHistory, ToolAnswer, ToolCall } from '../execute/run.ts';
import type { ExecutionStart, ExecutionStore, StoredApproval, StoredExecution, StoredWait } from './execution-store.ts';

export interface RunLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What is written down about one run, in order. Most of it nobody waits for: then a failure is in the log, once for each run. */
export class RunRecord {
  readonly #store: ExecutionStore;
  readonly #log: RunLog;
  readonly id: string;
  #begun: Promise<void> | undefined;
  #hasFailed = false;
  #isClosed = false;

  constructor(store: ExecutionStore, id: string, log: RunLog) {
    this.#store = store;
    this.#log = log;
    this.id = id;
  }

  /** Nothing more is written: the run is another process's. */
  close(): void {
    this.#isClosed = true;
  }

  /** Without it nothing that follows is of use. */
  start(start: ExecutionStart): void {
    this.#begun = this.#store.start(this.id, start);
    this.#unawaited(this.#begun);
  }

  history(history: RunHistory): void {
    if (!this.#isClosed) this.#store.history(this.id, history);
  }

  status(status: 'running' | 'waiting'): void {
    if (!this.#isClosed) this.#store.status(this.id, status);
  }

  /** @throws SandboxError ERR_EXECUTION_* when it, or the beginning of the run, cannot be written */
  async call(
    { number, server, tool, arguments: args }: ToolCall,
    at: number,
    stage: 'asked' | 'sent',
    isRepeatable: boolean,
  ): Promise<void> {
    const written = this.#store.call(this.id, { number, server, tool, arguments: args, stage, isRepeatable, at });
    await Promise.all([this.#begun, written]);
  }

  /** As {@link call}, and nobody waits for it. */
  asked(call: ToolCall, at: number): void {
    this.#unawaited(this.call(call, at, 'asked', false));
  }

  /** @param at when it came @returns whether it can be read again, in the end */
  async answered({ number, server, tool, arguments: args }: ToolCall, answer: ToolAnswer, at: number): Promise<boolean> {
    const written = this.#store.answered(this.id, { number, server, tool, arguments: args, answeredAt: at }, answer);
    return (await this.#told(written)) && written;
  }

  /** @throws SandboxError ERR_EXECUTION_FULL when there is no room, ERR_EXECUTION_STORE */
  async hibernated(wait: StoredWait, image: Uint8Array): Promise<void> {
    await Promise.all([this.#begun, this.#store.hibernated(this.id, wait, image)]);
  }

  /** @returns how often that was, as far as it is known */
  async restarted(): Promise<number> {
    try {
      return await this.#store.restarted(this.id);
    } catch (error) {
      this.#tell(error);
      return 0;
    }
  }

  /** It was awake when its gateway ended, and is back in the image that it was woken from. */
  async asleepAgain(): Promise<void> {
    await this.restarted();
    this.status('waiting');
  }

  read(): Promise<StoredExecution | undefined> {
    return this.#store.read(this.id);
  }

  /** The answer to one call, without all the others. */
  answer(call: number): Promise<ToolAnswer | undefined> {
    return this.#store.answer(this.id, call);
  }

  image(): Promise<Uint8Array | undefined> {
    return this.#store.image(this.id);
  }

  /** The open question about a call. */
  async question(call: number): Promise<StoredApproval | undefined> {
    return (await this.#store.approvals(this.id)).find((approval) => approval.call === call);
  }

  #unawaited(written: Promise<void>): void {
    void this.#told(written);
  }

  async #told(written: Promise<unknown>): Promise<boolean> {
    try {
      await written;
      return true;
    } catch (error) {
      this.#tell(error);
      return false;
    }
  }

  #tell(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const { code, message } = error as Partial<SandboxError>;
    this.#log.warn(
      { executionId: this.id, code, reason: message },
      'What a run does cannot be written down: it would not survive a restart',
    );
  }
}
