import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutorChild } from './executor-child.ts';
import type { ExecutorEvent } from './executor-protocol.ts';
import { ExecutorSupervisor, type ExecutorInit, type SupervisorLog, type SupervisorOptions } from './executor-supervisor.ts';
import { GivenRuns } from './given-runs.ts';
import { KnownPrograms, type ProgramStore } from './known-programs.ts';
import { LargeBudget } from './large-budget.ts';
import { isHibernated } from './hibernated-run.ts';
import { againWhenLost } from './lost-runs.ts';
import { defaultMemoryBytes } from './memory-bound.ts';
import { watchOverdue } from './overdue-runs.ts';
import { fitTogether, runOrder, stateOf, type SentProgram } from './run-command.ts';
import { RunHandle, type OnCall } from './run-handle.ts';
import type { DurableExecutor, HibernatedRun, ProgramSource, RunEvents, RunOutcome, RunRequest } from './run.ts';
import { WakeGate } from './wake-gate.ts';

/** How long a cancelled run may take to say how it ended. */
const CANCEL_GRACE_MS = 1_000;

export interface ExecutorOptions extends Omit<SupervisorOptions, 'maxMemoryBytes'> {
  /** May come later: the process starts meanwhile. */
  readonly init: ExecutorInit | Promise<ExecutorInit>;
  readonly programs: ProgramStore;
  readonly log: SupervisorLog;
  /** Resident memory from which on the process is ended, in bytes. Default: what all runs may hold together and some more. */
  readonly maxMemoryBytes?: number;
  /** Large results that are held at one time, by this executor and others. Default: its own bound. */
  readonly large?: LargeBudget;
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
export class SupervisedExecutor implements DurableExecutor {
  readonly #given: GivenRuns;
  readonly #programs: KnownPrograms;
  readonly #supervisor: ExecutorSupervisor;
  readonly #gate = new WakeGate();
  /** Runs that have not ended, those that wait for the process among them. */
  #taken = 0;

  constructor({ init, programs, log, large = new LargeBudget(), ...options }: ExecutorOptions) {
    this.#programs = new KnownPrograms(programs, (message) => log.warn(message));
    this.#given = new GivenRuns(this.#programs, large, (message) => log.warn(message));
    const events = {
      onEvent: (child: ExecutorChild, event: ExecutorEvent, payload: Buffer) => this.#given.receive(child, event, payload),
      onLost: (): void => this.#given.lose(),
    };
    const { maxMemoryBytes = defaultMemoryBytes(), ...rest } = options;
    this.#supervisor = new ExecutorSupervisor(init, events, log, { ...rest, maxMemoryBytes });
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

  /** How little it is suited for another run just now: less is better. One whose process is not ready comes last. */
  load(key: string): number {
    const { isReady } = this.#supervisor;
    const knows = this.#programs.has(key) || this.#programs.isExpected(key);
    return this.#taken + (isReady ? 0 : 1_000_000) - (knows ? 0.5 : 0);
  }

  run(request: RunRequest, onCall: OnCall, signal: AbortSignal): Promise<RunOutcome> {
    return againWhenLost(() => this.runHere(request, onCall, signal));
  }

  /** As {@link run}, in the present process only. @throws RunLost when that ends before the run has begun */
  async runHere(request: RunRequest, onCall: OnCall, signal: AbortSignal): Promise<RunOutcome> {
    const { hibernation: _hibernation, ...whole } = request;
    const outcome = await this.#count(new RunHandle(whole, onCall), signal);
    // A handle takes no image that was not asked for.
    if (isHibernated(outcome)) throw new TypeError('a run was put away that was to stay');
    return outcome;
  }

  attempt(request: RunRequest, events: RunEvents, signal: AbortSignal): Promise<RunOutcome | HibernatedRun> {
    return this.#count(new RunHandle(request, events), signal);
  }

  /** Asks all runs that may be put away, and wait just now, to be so: each says for itself what became of it. */
  hibernate(): void {
    const { child } = this.#supervisor;
    if (child) this.#given.hibernate(child);
  }

  async #count(handle: RunHandle, signal: AbortSignal): Promise<RunOutcome | HibernatedRun> {
    this.#taken++;
    try {
      return await this.#attempt(handle, signal);
    } finally {
      this.#taken--;
    }
  }

  async #attempt(handle: RunHandle, signal: AbortSignal): Promise<RunOutcome | HibernatedRun> {
    await this.#supervisor.untilReady(signal);
    const run = this.#given.add(handle);
    const cancel = (): void => this.#cancel(run, handle);
    signal.addEventListener('abort', cancel, { once: true });
    const unwatch = watchOverdue(handle, () => this.#supervisor.child?.send({ type: 'cancel', run }));
    let leave: (() => void) | undefined;
    try {
      const state = stateOf(handle.request);
      if (state) leave = await this.#gate.enter(state.length, handle.request.results ?? '', signal);
      await this.#submit(run, handle, state, leave, signal);
      return await handle.outcome;
    } finally {
      leave?.();
      unwatch();
      signal.removeEventListener('abort', cancel);
      this.#given.delete(run);
    }
  }

  /**
   * Componentizes a bundle without running it.
   * @throws SandboxError ERR_COMPONENT_LOAD when the engine refuses the bundle; ERR_EXECUTE_*
   */
  async make(program: ProgramSource): Promise<Uint8Array> {
    await this.#supervisor.untilReady();
    const { run, made } = this.#given.addMake();
    this.#supervisor.child?.send({ type: 'make', run, key: program.key }, Buffer.from(program.script, 'utf8'));
    return made;
  }

  prepare({ key, script }: ProgramSource): void {
    if (this.#programs.has(key)) return;
    const child = this.#supervisor.isReady ? this.#supervisor.child : undefined;
    void this.#programs.stored(key).then((stored) => {
      if (!stored && child && this.#programs.expect(key)) child.send({ type: 'make', key }, Buffer.from(script, 'utf8'));
    });
  }

  async #submit(
    run: number,
    handle: RunHandle,
    state: Uint8Array | undefined,
    onTaken: (() => void) | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { key } = handle.request.program;
    const stored = this.#programs.has(key) ? undefined : await this.#programs.stored(key);
    // The process may have ended meanwhile, or the caller has gone: then there is nobody to run it, or to run it for.
    if (handle.ended) return undefined;
    if (signal.aborted) return handle.fail('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
    const program = this.#programs.has(key) ? NO_PROGRAM : programOf(handle, stored, state);
    if (program.form === 'program') this.#programs.remember(key);
    const { command, payload } = runOrder(run, handle.request, program, state, handle.tells);
    this.#supervisor.child?.send(command, payload);
    return handle.sent(onTaken);
  }

  #cancel(run: number, handle: RunHandle): void {
    this.#supervisor.child?.send({ type: 'cancel', run });
    void sleep(CANCEL_GRACE_MS, undefined, { ref: false }).then(() => handle.fail('ERR_EXECUTE_CANCELLED', 'The run was cancelled.'));
  }

  async close(): Promise<void> {
    this.#given.close();
    await this.#supervisor.close();
  }
}

const NO_PROGRAM: SentProgram = { form: 'none' };

/** What goes along of a program: the encoded one, its script, or nothing where that would be too long, and the executor asks for the script. */
function programOf(handle: RunHandle, stored: Uint8Array | undefined, state: Uint8Array | undefined): SentProgram {
  if (stored) return fitTogether(stored, state) ? { form: 'program', bytes: stored } : NO_PROGRAM;
  const script = Buffer.from(handle.request.program.script, 'utf8');
  if (!fitTogether(script, state)) return NO_PROGRAM;
  handle.takeScript();
  return { form: 'script', bytes: script };
}
