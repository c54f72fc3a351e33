import { SandboxError, toSandboxError } from '../errors.ts';
import { ExecutorChild } from './executor-child.ts';
import type { ExecutorEvent, InitCommand } from './executor-protocol.ts';

const FIRST_BACK_OFF_MS = 50;
const LONGEST_BACK_OFF_MS = 5_000;
/** An executor that lived this long did not die of how it was started. */
const STABLE_AFTER_MS = 10_000;

/** What an executor process has to know. */
export type ExecutorInit = Omit<InitCommand, 'type'>;

export interface SupervisorLog {
  debug(message: string): void;
  warn(message: string): void;
}

export interface SupervisorEvents {
  /** An event of the living process, other than those of its life. */
  onEvent(child: ExecutorChild, event: ExecutorEvent, payload: Buffer): void;
  /** The living process has ended; another one is started unless the supervisor is closed. */
  onLost(error: SandboxError): void;
}

/** Keeps one executor process alive: starts it, and starts it again with back-off when it dies. */
export class ExecutorSupervisor {
  readonly #init: Promise<ExecutorInit>;
  readonly #events: SupervisorEvents;
  readonly #log: SupervisorLog;
  #child: ExecutorChild | undefined;
  #startedAt = 0;
  #backOffMs = 0;
  #closing = false;
  #restart: NodeJS.Timeout | undefined;
  #setReady = pendingReady();

  /** @param init may come later: the process starts meanwhile. */
  constructor(init: ExecutorInit | Promise<ExecutorInit>, events: SupervisorEvents, log: SupervisorLog) {
    this.#init = Promise.resolve(init);
    this.#events = events;
    this.#log = log;
  }

  /** Settles when the present process is ready, or cannot start. */
  get ready(): Promise<void> {
    return this.#setReady.promise;
  }

  /** The living process. */
  get child(): ExecutorChild | undefined {
    return this.#child;
  }

  start(): void {
    this.#startedAt = Date.now();
    try {
      const child = this.#spawn();
      this.#child = child;
      void this.#initialize(child);
    } catch (error) {
      // The machine has no process or file handle left: it may have one later.
      this.#exited(toSandboxError(error).message);
    }
  }

  /**
   * Waits for a living process, and no longer than the caller does.
   * @throws SandboxError ERR_EXECUTE_CANCELLED, ERR_EXECUTE_LOST, ERR_SERVER_CLOSING
   */
  async untilReady(signal?: AbortSignal): Promise<void> {
    if (this.#closing) throw closing();
    if (signal?.aborted) throw cancelled();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(cancelled());
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.ready, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    if (this.#closing) throw closing();
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#restart);
    // Whoever waits for a process that will not be started any more.
    this.#setReady.reject(closing());
    await this.#child?.close();
  }

  async #initialize(child: ExecutorChild): Promise<void> {
    try {
      child.send({ type: 'init', ...(await this.#init) });
    } catch (error) {
      // There is no engine, and so there will never be anything to do.
      this.#setReady.reject(toSandboxError(error));
    }
  }

  #spawn(): ExecutorChild {
    const child: ExecutorChild = new ExecutorChild({
      onEvent: (event, payload) => {
        // What is left in the connection of a process that has ended concerns nobody.
        if (child === this.#child) this.#receive(child, event, payload);
      },
      onExit: (reason) => this.#exited(reason),
      onStderr: (text) => this.#log.debug(`executor: ${text.trimEnd()}`),
    });
    return child;
  }

  #receive(child: ExecutorChild, event: ExecutorEvent, payload: Buffer): void {
    if (event.type === 'ready') this.#setReady.resolve();
    else if (event.type === 'fatal') {
      this.#log.warn(`The executor cannot start: ${event.message}`);
      child.kill();
    } else this.#events.onEvent(child, event, payload);
  }

  #exited(reason: string): void {
    const hint = 'The server log says why.';
    const lost = new SandboxError('ERR_EXECUTE_LOST', 'The executor process ended.', { hint, cause: new Error(reason) });
    this.#setReady.reject(lost);
    this.#child = undefined;
    this.#events.onLost(lost);
    if (this.#closing) return;
    this.#log.warn(`The executor ended (${reason}); it is started again.`);
    this.#setReady = pendingReady();
    const stable = Date.now() - this.#startedAt > STABLE_AFTER_MS;
    this.#backOffMs = stable ? 0 : Math.min(Math.max(this.#backOffMs * 2, FIRST_BACK_OFF_MS), LONGEST_BACK_OFF_MS);
    this.#restart = setTimeout(() => this.start(), this.#backOffMs);
  }
}

/** A rejection may come when nobody waits. */
function pendingReady(): PromiseWithResolvers<void> {
  const pending = Promise.withResolvers<void>();
  pending.promise.catch(() => undefined);
  return pending;
}

function cancelled(): SandboxError {
  return new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
}

function closing(): SandboxError {
  return new SandboxError('ERR_SERVER_CLOSING', 'The server is shutting down.');
}
