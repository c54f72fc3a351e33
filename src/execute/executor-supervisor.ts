import { toSandboxError } from '../errors.ts';
import type { LinkPlan } from '../engine/abi/link-plan.ts';
import { joinModules, readModules } from './engine-modules.ts';
import { ExecutorChild, type ExecutorProgram } from './executor-child.ts';
import { PROTOCOL, type ExecutorEvent } from './executor-protocol.ts';
import { ExecutorWatch } from './executor-watch.ts';
import { realMounts } from './real-mounts.ts';
import { cancelled, closing, RunLost } from './lost-runs.ts';

const FIRST_BACK_OFF_MS = 50;
const LONGEST_BACK_OFF_MS = 5_000;
/** An executor that lived this long did not die of how it was started. */
const STABLE_AFTER_MS = 10_000;

/** What an executor process has to know. */
export interface ExecutorInit {
  readonly plan: LinkPlan;
  /** Core module file name to path. */
  readonly modules: Readonly<Record<string, string>>;
  /** Virtual mount name to absolute folder. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly workers: number | 'auto';
  readonly maxRunsPerWorker: number;
  readonly maxQueuedRuns: number;
  /** Memory of all runs together from which on no further one begins. Default: half of the machine's. */
  readonly maxHeldBytes?: number;
}

export interface SupervisorLog {
  debug(message: string): void;
  warn(message: string): void;
}

export interface SupervisorEvents {
  /** An event of the living process, other than those of its life. @returns why it cannot come from our executor, if so */
  onEvent(child: ExecutorChild, event: ExecutorEvent, payload: Buffer): string | undefined;
  /** The living process has ended; another one is started unless the supervisor is closed. */
  onLost(): void;
}

export interface SupervisorOptions {
  /** Resident memory from which on the process is ended, in bytes. */
  readonly maxMemoryBytes: number;
  /** What is started. Default: the executor. */
  readonly program?: ExecutorProgram | undefined;
  /** Between two starts, at most, in milliseconds. Default: 5,000. */
  readonly longestBackOffMs?: number | undefined;
  /** The process must begin to speak so soon, and be ready in twice the time after it got its engine. Default: 30,000 milliseconds. */
  readonly startMs?: number | undefined;
}

/** Keeps one executor process alive: starts it, ends it when it hangs or grows, and starts it again with back-off when it has ended. */
export class ExecutorSupervisor {
  readonly #init: Promise<ExecutorInit>;
  readonly #events: SupervisorEvents;
  readonly #log: SupervisorLog;
  readonly #options: SupervisorOptions;
  #child: ExecutorChild | undefined;
  #watch: ExecutorWatch | undefined;
  #isReady = false;
  #startedAt = 0;
  #backOffMs = 0;
  #closing = false;
  #restart: NodeJS.Timeout | undefined;
  #setReady = pendingReady();

  /** @param init may come later: the process starts meanwhile. */
  constructor(init: ExecutorInit | Promise<ExecutorInit>, events: SupervisorEvents, log: SupervisorLog, options: SupervisorOptions) {
    this.#init = Promise.resolve(init);
    this.#events = events;
    this.#log = log;
    this.#options = options;
  }

  /** Settles when the present process is ready, or cannot start. */
  get ready(): Promise<void> {
    return this.#setReady.promise;
  }

  /** Whether the present process takes runs. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** The living process. */
  get child(): ExecutorChild | undefined {
    return this.#child;
  }

  start(): void {
    this.#startedAt = Date.now();
    try {
      this.#spawn();
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

  #spawn(): void {
    const child: ExecutorChild = new ExecutorChild(
      {
        onEvent: (event, payload) => {
          // What is left in the connection of a process that has ended concerns nobody.
          if (child === this.#child) this.#receive(child, event, payload);
        },
        onExit: (reason) => this.#exited(reason),
        onStderr: (text) => this.#log.debug(`executor: ${text.trimEnd()}`),
      },
      this.#options.program,
    );
    this.#child = child;
    this.#watch = new ExecutorWatch(child, this.#options.maxMemoryBytes, this.#options.startMs);
    void this.#initialize(child, this.#watch);
  }

  async #initialize(child: ExecutorChild, watch: ExecutorWatch): Promise<void> {
    try {
      await this.#init;
    } catch (error) {
      // There is no engine, and so there will never be anything to do.
      return this.#setReady.reject(toSandboxError(error));
    }
    try {
      const { modules: paths, mounts: folders, ...init } = await this.#init;
      const { parts, payload } = joinModules(await readModules(paths));
      const mounts = await realMounts(folders);
      if (child !== this.#child) return undefined;
      child.send({ type: 'init', protocol: PROTOCOL, ...init, mounts, modules: parts }, payload);
      return watch.initialized();
    } catch (error) {
      const { message } = toSandboxError(error);
      this.#log.warn(`The executor cannot start: ${message}`);
      return child.kill(message);
    }
  }

  #receive(child: ExecutorChild, event: ExecutorEvent, payload: Buffer): void {
    switch (event.type) {
      case 'hello':
        return this.#watch?.greeted();
      case 'fatal':
        this.#log.warn(`The executor cannot ${this.#isReady ? 'go on' : 'start'}: ${event.message}`);
        return child.kill(event.message);
      case 'ready':
        if (this.#isReady) return child.kill('it got ready twice');
        this.#isReady = true;
        this.#watch?.ready();
        return this.#setReady.resolve();
      case 'pong':
        return this.#watch?.answered(event.ping) === true ? undefined : child.kill('it answered what it was not asked');
      case 'queued':
      case 'begun':
      case 'need':
      case 'calls':
      case 'awaits':
      case 'history':
      case 'waiting':
      case 'hibernated':
      case 'made':
      case 'outcome':
      case 'refused': {
        const reason = this.#isReady ? this.#events.onEvent(child, event, payload) : 'it told of runs before it was ready';
        return reason === undefined ? undefined : child.kill(reason);
      }
    }
  }

  #exited(reason: string): void {
    this.#watch?.stop();
    this.#watch = undefined;
    this.#isReady = false;
    this.#setReady.reject(new RunLost(false, reason));
    this.#child = undefined;
    this.#events.onLost();
    if (this.#closing) return;
    this.#log.warn(`The executor ended (${reason}); it is started again.`);
    this.#setReady = pendingReady();
    const stable = Date.now() - this.#startedAt > STABLE_AFTER_MS;
    const longest = this.#options.longestBackOffMs ?? LONGEST_BACK_OFF_MS;
    this.#backOffMs = stable ? 0 : Math.min(Math.max(this.#backOffMs * 2, FIRST_BACK_OFF_MS), longest);
    this.#restart = setTimeout(() => this.start(), this.#backOffMs);
  }
}

/** A rejection may come when nobody waits. */
function pendingReady(): PromiseWithResolvers<void> {
  const pending = Promise.withResolvers<void>();
  pending.promise.catch(() => undefined);
  return pending;
}
