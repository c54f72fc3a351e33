import { MemoryCache } from '../../component/memory-cache.ts';
import { decodeProgram } from '../../component/program-file.ts';
import { toSandboxError } from '../../errors.ts';
import { ActiveRun, type ProgramForm } from './active-run.ts';
import { Admission } from './admission.ts';
import type { ExecutorEvent, RunCommand } from '../executor-protocol.ts';
import { joinLarge, sizesText } from '../large-outcome.ts';
import { PreparedPrograms } from './prepared-programs.ts';
import type { WorkerPool } from './pool.ts';
import { readOrder, shared } from '../run-command.ts';
import { historyText, sendHibernated, sendStep } from './run-news.ts';
import type { AnswerMessage, WorkerResult } from '../worker-protocol.ts';

/** Encoded programs in shared memory, for all workers. */
const PROGRAM_CACHE_BYTES = 128 * 1024 * 1024;

/** The runs of the executor process, from the gateway's command to the outcome. Everything that goes wrong is told to the gateway. */
export class ExecutorRuns {
  readonly #send: (event: ExecutorEvent | string, payload?: Uint8Array) => void;
  readonly #programs = new MemoryCache<Uint8Array>(PROGRAM_CACHE_BYTES, (bytes) => bytes.length);
  readonly #runs = new Map<number, ActiveRun>();
  readonly #prepared = new PreparedPrograms(
    (key) => this.#programs.get(key) !== undefined,
    (task) => this.#pool?.makeAhead(task),
    (key, made) => this.#keep(key, made),
  );
  #pool: WorkerPool | undefined;
  #admission = new Admission(0, 0);

  /** @param send tells the gateway; an event, or its JSON text. */
  constructor(send: (event: ExecutorEvent | string, payload?: Uint8Array) => void) {
    this.#send = send;
  }

  /** From now on there are workers. */
  open(pool: WorkerPool, maxQueuedRuns: number): void {
    this.#pool = pool;
    const makeRoom = (places: number): void => pool.makeRoom(places);
    this.#admission = new Admission(pool.capacity, maxQueuedRuns, () => pool.isFull, makeRoom);
  }

  /** Begins a run as soon as its program is there. @throws TypeError when there is one by its number */
  run(command: RunCommand, payload: Buffer): void {
    const { run, key } = command;
    if (this.#runs.has(run)) throw new TypeError('the gateway asked for a run that is there');
    const order = this.#read(command, payload);
    if (!order) return;
    const { program, from } = order;
    const active = new ActiveRun(command, from, {
      onStep: (step) => sendStep(this.#send, command, step),
      onWaiting: (nextTimer) => this.#send({ type: 'waiting', run, nextTimer }),
      onQueued: () => this.#send({ type: 'queued', run }),
      onBegun: () => this.#send({ type: 'begun', run }),
    });
    this.#runs.set(run, active);
    // What is being made for it just now will be there sooner than what it could make itself.
    const preparing = this.#prepared.preparing(key);
    if (preparing) void preparing.then(() => this.#supply(active, command, program));
    else this.#supply(active, command, program);
  }

  /** The script that a run needs. */
  script(run: number, script: string): void {
    this.#begin(this.#runs.get(run), { script });
  }

  answer(run: number, message: AnswerMessage): void {
    this.#runs.get(run)?.answer(message);
  }

  cancel(run: number): void {
    const active = this.#runs.get(run);
    active?.cancel();
    // A run that still waits for its script is refused by the admission, and so comes to its end.
    this.#begin(active, { script: '' });
  }

  /** Has a run that waits put away. */
  hibernate(run: number): void {
    this.#runs.get(run)?.hibernate();
  }

  /** Makes a program that a run may need soon. */
  prepare(key: string, script: string): void {
    this.#prepared.prepare(key, script);
  }

  /** Componentizes without running. */
  async make(run: number, key: string, script: string): Promise<void> {
    try {
      if (!this.#pool) throw new Error('a program came before the engine was ready');
      const made = await this.#pool.make({ key, script });
      if (made instanceof Uint8Array) this.#send({ type: 'made', key, run }, made);
      else this.#send({ type: 'refused', run, code: made.code, message: made.message });
    } catch (thrown) {
      const { code, message } = toSandboxError(thrown, 'ERR_EXECUTE_ENGINE');
      this.#send({ type: 'refused', run, code, message });
    }
  }

  /** Refuses a run whose past cannot be read: that is no reason to end all the others. */
  #read(command: RunCommand, payload: Buffer): ReturnType<typeof readOrder> | undefined {
    try {
      return readOrder(command, payload);
    } catch (thrown) {
      const { code, message } = toSandboxError(thrown);
      this.#send({ type: 'refused', run: command.run, code, message });
      return undefined;
    }
  }

  #supply(active: ActiveRun, { run, key, ...command }: RunCommand, payload: Buffer): void {
    // A damaged program is as good as none: it is made again from the script.
    if (command.payload === 'program' && isProgram(payload, key)) this.#programs.set(key, shared(payload));
    const program = this.#programs.get(key);
    if (program) this.#begin(active, { program });
    else if (command.payload === 'script') this.#begin(active, { script: payload.toString('utf8') });
    else this.#send({ type: 'need', run });
  }

  /** A worker has written an outcome as JSON text; here it only goes by. */
  #tell(command: RunCommand, result: WorkerResult): void {
    const { run } = command;
    if (result.hibernated) return sendHibernated(this.#send, command, result);
    const { outcome, large } = result;
    const history = historyText(command, result.history);
    if (!large) return this.#send(`{"type":"outcome","run":${run},"outcome":${outcome}${history}}`);
    return this.#send(`{"type":"outcome","run":${run},"outcome":${outcome},"large":${sizesText(large)}${history}}`, joinLarge(large));
  }

  #keep(key: string, made: Uint8Array): void {
    this.#programs.set(key, shared(made));
    try {
      this.#send({ type: 'made', key }, made);
    } catch {
      // A program too large to send is made again when it is needed again.
    }
  }

  #begin(active: ActiveRun | undefined, form: ProgramForm): void {
    if (!active || active.begun) return;
    active.begun = true;
    void this.#execute(active, form);
  }

  /** One run, from its place in the queue to its outcome. */
  async #execute(active: ActiveRun, form: ProgramForm): Promise<void> {
    const { run, key, results } = active.command;
    const queuedAt = performance.now();
    let leave: (() => void) | undefined;
    try {
      leave = await this.#admission.enter(active.signal, () => active.queued(), results, active.isWake);
      if (!this.#pool) throw new Error('a run came before the engine was ready');
      const result = await active.start(this.#pool, form, queuedAt, this.#prepared.take(key));
      if (result.made) this.#keep(key, result.made);
      this.#tell(active.command, result);
    } catch (thrown) {
      const { code, message, details } = toSandboxError(thrown, 'ERR_EXECUTE_ENGINE');
      this.#send({ type: 'refused', run, code, message, ...(details.hint === undefined ? {} : { hint: details.hint }) });
    } finally {
      leave?.();
      this.#runs.delete(run);
    }
  }
}

function isProgram(bytes: Uint8Array, key: string): boolean {
  try {
    decodeProgram(bytes, key);
    return true;
  } catch {
    return false;
  }
}
