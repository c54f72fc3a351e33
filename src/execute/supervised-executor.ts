import { setTimeout as sleep } from 'node:timers/promises';
import { SandboxError, toSandboxError } from '../errors.ts';
import type { ExecutorChild } from './executor-child.ts';
import type { CallsEvent, ExecutorEvent } from './executor-protocol.ts';
import { ExecutorSupervisor, type ExecutorInit, type SupervisorLog } from './executor-supervisor.ts';
import { LargeBudget } from './large-budget.ts';
import { splitLarge } from './large-outcome.ts';
import { KnownPrograms, type ProgramStore } from './known-programs.ts';
import { INTERNAL_FAILURE, RunHandle, type OnCall } from './run-handle.ts';
import type { Executor, LargeOutcome, ProgramSource, RunOutcome, RunRequest, ToolAnswer } from './run.ts';

/** How long a cancelled run may take to say how it ended. */
const CANCEL_GRACE_MS = 1_000;

export interface ExecutorOptions {
  /** May come later: the process starts meanwhile. */
  readonly init: ExecutorInit | Promise<ExecutorInit>;
  readonly programs: ProgramStore;
  readonly log: SupervisorLog;
}

/** Starts the executor process. Resolves when it is ready. @throws SandboxError ERR_EXECUTE_LOST when it cannot start; what `init` rejects with */
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
  readonly #runs = new Map<number, RunHandle>();
  readonly #makes = new Map<number, Pick<PromiseWithResolvers<Uint8Array>, 'resolve' | 'reject'>>();
  readonly #programs: KnownPrograms;
  readonly #supervisor: ExecutorSupervisor;
  readonly #log: SupervisorLog;
  readonly #large = new LargeBudget();
  #nextRun = 1;

  constructor({ init, programs, log }: ExecutorOptions) {
    this.#log = log;
    this.#programs = new KnownPrograms(programs, (message) => log.warn(message));
    const events = {
      onEvent: (child: ExecutorChild, event: ExecutorEvent, payload: Buffer): void => {
        this.#receive(child, event, payload).catch((error: unknown) => {
          log.warn(`A message of the executor could not be handled: ${toSandboxError(error).message}`);
        });
      },
      onLost: (error: SandboxError): void => this.#lost(error),
    };
    this.#supervisor = new ExecutorSupervisor(init, events, log);
    this.#supervisor.start();
  }

  /** Settles when the present process is ready, or cannot start. */
  get ready(): Promise<void> {
    return this.#supervisor.ready;
  }

  /** The process id of the present process. */
  get pid(): number | undefined {
    return this.#supervisor.child?.pid;
  }

  async run(request: RunRequest, onCall: OnCall, signal: AbortSignal): Promise<RunOutcome> {
    await this.#supervisor.untilReady(signal);
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
    await this.#supervisor.untilReady();
    const run = this.#nextRun++;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#makes.set(run, { resolve, reject });
    this.#supervisor.child?.send({ type: 'make', run, key: program.key }, Buffer.from(program.script, 'utf8'));
    return promise.finally(() => this.#makes.delete(run));
  }

  prepare({ key, script }: ProgramSource): void {
    if (this.#programs.has(key)) return;
    const child = this.#supervisor.child;
    void this.#programs.stored(key).then((stored) => {
      if (!stored && this.#programs.expect(key)) child?.send({ type: 'make', key }, Buffer.from(script, 'utf8'));
    });
  }

  async #submit(run: number, handle: RunHandle, signal: AbortSignal): Promise<void> {
    const { program, executionId, input, state, limits, results, skills, now, seed } = handle.request;
    const command = {
      type: 'run' as const,
      run,
      executionId,
      key: program.key,
      input,
      state,
      limits,
      ...(results === undefined ? {} : { results }),
      ...(skills === undefined ? {} : { skills }),
      ...(now === undefined ? {} : { now }),
      ...(seed === undefined ? {} : { seed }),
    };
    if (this.#programs.has(program.key)) return this.#supervisor.child?.send({ ...command, payload: 'none' });
    const stored = await this.#programs.stored(program.key);
    // The process may have ended meanwhile, or the caller has gone: then there is nobody to run it, or to run it for.
    if (handle.ended) return undefined;
    if (signal.aborted) return handle.fail('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
    if (stored) {
      this.#programs.remember(program.key);
      this.#supervisor.child?.send({ ...command, payload: 'program' }, stored);
    } else this.#supervisor.child?.send({ ...command, payload: 'script' }, Buffer.from(program.script, 'utf8'));
    return undefined;
  }

  #cancel(run: number): void {
    const handle = this.#runs.get(run);
    if (!handle) return;
    this.#supervisor.child?.send({ type: 'cancel', run });
    void sleep(CANCEL_GRACE_MS, undefined, { ref: false }).then(() => handle.fail('ERR_EXECUTE_CANCELLED', 'The run was cancelled.'));
  }

  async #receive(child: ExecutorChild, event: ExecutorEvent, payload: Buffer): Promise<void> {
    switch (event.type) {
      case 'ready':
      case 'fatal':
        return undefined;
      case 'made':
        if (event.run !== undefined) return this.#makes.get(event.run)?.resolve(Buffer.from(payload));
        return this.#keep(event.key, Buffer.from(payload));
      case 'outcome':
        return this.#end(event.run, event.outcome as RunOutcome, event.large && splitLarge(event.large, payload));
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
      case 'calls':
        return this.#callAll(child, event, payload);
    }
  }

  #end(run: number, outcome: RunOutcome, large: LargeOutcome | undefined): void {
    const handle = this.#runs.get(run);
    if (handle && !handle.ended) handle.end(large ? this.#large.take(outcome, large) : outcome);
  }

  /** Asks for the answers to the calls of one step; each goes back as soon as it is there. */
  async #callAll(child: ExecutorChild, { run, calls }: CallsEvent, payload: Buffer): Promise<void> {
    const handle = this.#runs.get(run);
    if (!handle) return;
    const { executionId } = handle.request;
    let at = 0;
    const answered = calls.map(async ({ call, server, tool, bytes }) => {
      const text = payload.toString('utf8', at, (at += bytes));
      const answer = await handle.call({ executionId, number: call, server, tool, arguments: text });
      if (answer) this.#answer(child, { run, call }, answer);
    });
    await Promise.all(answered);
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

  /** Only what somebody runs just now, or is about to, is taken: an executor that was taken over must not fill the store with other programs. */
  async #keep(key: string, program: Uint8Array): Promise<void> {
    const isRun = [...this.#runs.values()].some(({ request }) => request.program.key === key);
    if (this.#programs.isExpected(key) || isRun) return this.#programs.keep(key, program);
    this.#log.warn('The executor made a program that nobody asked for; it is not kept.');
    return undefined;
  }

  #lost(error: SandboxError): void {
    this.#programs.forget();
    for (const handle of this.#runs.values()) handle.fail('ERR_EXECUTE_LOST', 'The process that ran the program ended unexpectedly.');
    for (const make of this.#makes.values()) make.reject(error);
  }

  async close(): Promise<void> {
    for (const handle of this.#runs.values()) handle.fail('ERR_EXECUTE_CANCELLED', 'The server is shutting down.');
    await this.#supervisor.close();
  }
}

/** The JSON text of an answer, as the guest contract has it. The value is JSON already and is not parsed again. */
function answerText(answer: ToolAnswer): string {
  if (answer.ok) return `{"ok":${answer.value}}`;
  const { whole: _whole, isMessage: _isMessage, ...error } = answer.error;
  return JSON.stringify({ error });
}
