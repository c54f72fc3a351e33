import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError, toSandboxError } from '../errors.ts';
import { ExecutorChild } from './executor-child.ts';
import type { ExecutorEvent, InitCommand } from './executor-protocol.ts';
import { INTERNAL_FAILURE, RunHandle, type OnCall } from './run-handle.ts';
import type { Executor, ProgramSource, RunOutcome, RunRequest, ToolAnswer } from './run.ts';

const FIRST_BACK_OFF_MS = 50;
const LONGEST_BACK_OFF_MS = 5_000;
/** An executor that lived this long did not die of how it was started. */
const STABLE_AFTER_MS = 10_000;
/** How long a cancelled run may take to say how it ended. */
const CANCEL_GRACE_MS = 1_000;
/** Keys remembered of one process. Forgetting one costs a message. */
const MAX_KNOWN = 4_096;

/** Programs on disk. A cache that fails is a cache without the program. */
export interface ProgramStore {
  get(key: string): Promise<Uint8Array | undefined>;
  put(key: string, program: Uint8Array): Promise<void>;
}

export interface ExecutorOptions {
  readonly init: Omit<InitCommand, 'type'>;
  readonly programs: ProgramStore;
  readonly log: { debug(message: string): void; warn(message: string): void };
}

/** Starts the executor process. Resolves when it is ready. @throws SandboxError ERR_EXECUTE_LOST when it cannot start. */
export async function startExecutor(options: ExecutorOptions): Promise<SupervisedExecutor> {
  const executor = new SupervisedExecutor(options);
  try {
    await executor.ready;
  } catch (error) {
    await executor.close();
    throw error;
  }
  return executor;
}

/** The executor process and its supervision: when it dies its runs end with a coded error, and it is started again. */
export class SupervisedExecutor implements Executor {
  readonly #options: ExecutorOptions;
  readonly #runs = new Map<number, RunHandle>();
  readonly #makes = new Map<number, Pick<PromiseWithResolvers<Uint8Array>, 'resolve' | 'reject'>>();
  /** Programs that the living process has, as far as we know. It asks when we are wrong. */
  readonly #known = new Set<string>();
  #child: ExecutorChild | undefined;
  #startedAt = 0;
  #backOffMs = 0;
  #nextRun = 1;
  #closing = false;
  #restart: NodeJS.Timeout | undefined;
  #setReady: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#start();
  }

  /** Settles when the present process is ready, or cannot start. */
  get ready(): Promise<void> {
    return this.#setReady.promise;
  }

  /** The process id of the present process. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async run(request: RunRequest, onCall: OnCall, signal: AbortSignal): Promise<RunOutcome> {
    await this.#untilReady(signal);
    const handle = new RunHandle(request, onCall);
    const run = this.#nextRun++;
    this.#runs.set(run, handle);
    const cancel = (): void => this.#cancel(run);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      await this.#submit(run, handle, signal);
      return await handle.outcome;
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#runs.delete(run);
    }
  }

  /**
   * Componentizes a bundle without running it.
   * @throws SandboxError ERR_COMPONENT_LOAD when the engine refuses the bundle; ERR_EXECUTE_*
   */
  async make(program: ProgramSource): Promise<Uint8Array> {
    await this.#untilReady();
    const run = this.#nextRun++;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#makes.set(run, { resolve, reject });
    this.#child?.send({ type: 'make', run, key: program.key }, Buffer.from(program.script, 'utf8'));
    return promise.finally(() => this.#makes.delete(run));
  }

  /** Waits for a living process, and no longer than the caller does. */
  async #untilReady(signal?: AbortSignal): Promise<void> {
    if (this.#closing) throw closing();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(cancelled());
    if (signal?.aborted) throw cancelled();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.ready, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
    if (this.#closing) throw closing();
  }

  async #submit(run: number, handle: RunHandle, signal: AbortSignal): Promise<void> {
    const { program, executionId, input, state, limits, now, seed } = handle.request;
    const command = {
      type: 'run' as const,
      run,
      executionId,
      key: program.key,
      input,
      state,
      limits,
      ...(now === undefined ? {} : { now }),
      ...(seed === undefined ? {} : { seed }),
    };
    if (this.#known.has(program.key)) return this.#child?.send({ ...command, payload: 'none' });
    const stored = await this.#stored(program.key);
    // The process may have ended meanwhile, or the caller has gone: then there is nobody to run it, or to run it for.
    if (handle.ended) return undefined;
    if (signal.aborted) return handle.fail('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
    if (stored) {
      this.#remember(program.key);
      this.#child?.send({ ...command, payload: 'program' }, stored);
    } else this.#child?.send({ ...command, payload: 'script' }, Buffer.from(program.script, 'utf8'));
    return undefined;
  }

  async #stored(key: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#options.programs.get(key);
    } catch (error) {
      this.#options.log.warn(`A cached program cannot be read: ${toSandboxError(error).message}`);
      return undefined;
    }
  }

  #remember(key: string): void {
    this.#known.add(key);
    const [oldest] = this.#known;
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }

  #cancel(run: number): void {
    const handle = this.#runs.get(run);
    if (!handle) return;
    this.#child?.send({ type: 'cancel', run });
    void sleep(CANCEL_GRACE_MS, undefined, { ref: false }).then(() => handle.fail('ERR_EXECUTE_CANCELLED', 'The run was cancelled.'));
  }

  #start(): void {
    this.#startedAt = Date.now();
    this.#known.clear();
    try {
      this.#child = this.#spawn();
      this.#child.send({ type: 'init', ...this.#options.init });
    } catch (error) {
      // The machine has no process or file handle left: it may have one later.
      this.#exited(toSandboxError(error).message);
    }
  }

  #spawn(): ExecutorChild {
    const child: ExecutorChild = new ExecutorChild({
      onEvent: (event, payload) => {
        // What is left in the connection of a process that has ended concerns nobody.
        if (child !== this.#child) return;
        this.#receive(child, event, payload).catch((error: unknown) => {
          this.#options.log.warn(`A message of the executor could not be handled: ${toSandboxError(error).message}`);
        });
      },
      onExit: (reason) => this.#exited(reason),
      onStderr: (text) => this.#options.log.debug(`executor: ${text.trimEnd()}`),
    });
    return child;
  }

  async #receive(child: ExecutorChild, event: ExecutorEvent, payload: Buffer): Promise<void> {
    switch (event.type) {
      case 'ready':
        return this.#setReady.resolve();
      case 'fatal':
        this.#options.log.warn(`The executor cannot start: ${event.message}`);
        return child.kill();
      case 'made':
        if (event.run !== undefined) return this.#makes.get(event.run)?.resolve(Buffer.from(payload));
        this.#remember(event.key);
        return this.#options.programs.put(event.key, Buffer.from(payload));
      case 'outcome':
        return this.#runs.get(event.run)?.end(event.outcome as RunOutcome);
      case 'refused': {
        const error = new SandboxError(event.code, event.message, event.hint === undefined ? {} : { hint: event.hint });
        this.#makes.get(event.run)?.reject(error);
        return this.#runs.get(event.run)?.refuse(error);
      }
      case 'need': {
        const script = this.#runs.get(event.run)?.request.program.script;
        if (script === undefined) return child.send({ type: 'cancel', run: event.run });
        return child.send({ type: 'script', run: event.run }, Buffer.from(script, 'utf8'));
      }
      case 'call': {
        const handle = this.#runs.get(event.run);
        const call = {
          executionId: handle?.request.executionId ?? '',
          number: event.call,
          server: event.server,
          tool: event.tool,
          arguments: payload.toString('utf8'),
        };
        const answer = await handle?.call(call);
        if (answer) this.#answer(child, event, answer);
        return undefined;
      }
    }
  }

  #answer(child: ExecutorChild, { run, call }: { run: number; call: number }, answer: ToolAnswer): void {
    const verdict = answer.ok ? { ok: true } : { ok: false, code: answer.error.code };
    try {
      child.send({ type: 'answer', run, call, ...verdict }, Buffer.from(answerText(answer), 'utf8'));
    } catch {
      // An answer that cannot be sent, such as a cycle: without any the run would wait for it until its time is over.
      child.send({ type: 'answer', run, call, ok: false, code: 'ERR_INTERNAL' }, Buffer.from(answerText(INTERNAL_FAILURE), 'utf8'));
    }
  }

  #exited(reason: string): void {
    for (const handle of this.#runs.values()) handle.fail('ERR_EXECUTE_LOST', 'The process that ran the program ended unexpectedly.');
    const lost = new SandboxError('ERR_EXECUTE_LOST', 'The executor process ended.', {
      hint: 'The server log says why.',
      cause: new Error(reason),
    });
    this.#setReady.promise.catch(() => undefined);
    this.#setReady.reject(lost);
    for (const make of this.#makes.values()) make.reject(lost);
    this.#child = undefined;
    if (this.#closing) return;
    this.#options.log.warn(`The executor ended (${reason}); it is started again.`);
    this.#setReady = Promise.withResolvers();
    this.#setReady.promise.catch(() => undefined);
    const stable = Date.now() - this.#startedAt > STABLE_AFTER_MS;
    this.#backOffMs = stable ? 0 : Math.min(Math.max(this.#backOffMs * 2, FIRST_BACK_OFF_MS), LONGEST_BACK_OFF_MS);
    this.#restart = setTimeout(() => this.#start(), this.#backOffMs);
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#restart);
    // Whoever waits for a process that will not be started any more.
    this.#setReady.promise.catch(() => undefined);
    this.#setReady.reject(closing());
    for (const handle of this.#runs.values()) handle.fail('ERR_EXECUTE_CANCELLED', 'The server is shutting down.');
    await this.#child?.close();
  }
}

function cancelled(): SandboxError {
  return new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
}

function closing(): SandboxError {
  return new SandboxError('ERR_SERVER_CLOSING', 'The server is shutting down.');
}

/** The JSON text of an answer, as the guest contract has it. The value is JSON already and is not parsed again. */
function answerText(answer: ToolAnswer): string {
  return answer.ok ? `{"ok":${answer.value}}` : JSON.stringify({ error: answer.error });
}
