import { Socket } from 'node:net';
import { z } from 'zod';
import { MemoryCache } from '../component/memory-cache.ts';
import { decodeProgram } from '../component/program-file.ts';
import { toSandboxError } from '../errors.ts';
import { ActiveRun, type ProgramForm } from './active-run.ts';
import { Admission } from './admission.ts';
import { callFrames } from './call-frames.ts';
import { compileEngine } from './engine-host.ts';
import { commandSchema, type ExecutorCommand, type ExecutorEvent, type InitCommand, type RunCommand } from './executor-protocol.ts';
import { readFrames, writeFrame, type Frame } from './frames.ts';
import { joinLarge, sizesText } from './large-outcome.ts';
import { PreparedPrograms } from './prepared-programs.ts';
import { createWorkerPool, type WorkerPool } from './pool.ts';

/** The gateway's end of the connection is this file descriptor; there is no other way in or out. */
const CONNECTION_FD = 3;
/** Encoded programs in shared memory, for all workers. */
const PROGRAM_CACHE_BYTES = 128 * 1024 * 1024;

/** The executor process: engine, workers and guest memory, and nothing worth stealing. */
class ExecutorProcess {
  readonly #connection: Socket;
  readonly #programs = new MemoryCache<Uint8Array>(PROGRAM_CACHE_BYTES, (bytes) => bytes.length);
  readonly #runs = new Map<number, ActiveRun>();
  readonly #prepared = new PreparedPrograms(
    (key) => this.#programs.get(key) !== undefined,
    (task) => this.#pool?.makeAhead(task),
    (key, made) => this.#keep(key, made),
  );
  #pool: WorkerPool | undefined;
  #admission = new Admission(0, 0);

  constructor(connection: Socket) {
    this.#connection = connection;
    readFrames(
      connection,
      (frame) => this.#receive(frame),
      () => process.exit(1),
    );
    // The gateway is gone: nobody can be told anything any more.
    connection.on('close', () => process.exit(0));
    connection.on('error', () => process.exit(1));
  }

  #send(event: ExecutorEvent | string, payload?: Uint8Array): void {
    writeFrame(this.#connection, event, payload);
  }

  #receive({ header, payload }: Frame): void {
    const command = commandSchema.safeParse(header);
    if (command.success) return this.#obey(command.data, payload);
    const named = z.object({ run: z.int().min(1) }).safeParse(header);
    // One bad request is the end of that run, not of all the others.
    if (!named.success) throw new TypeError('the gateway sent a message that is not of the protocol');
    this.#send({
      type: 'refused',
      run: named.data.run,
      code: 'ERR_INTERNAL',
      message: 'The run was asked for in a form that the executor does not know.',
    });
  }

  #obey(command: ExecutorCommand, payload: Buffer): void {
    switch (command.type) {
      case 'init':
        void this.#init(command).catch((error: unknown) => this.#send({ type: 'fatal', message: toSandboxError(error).message }));
        break;
      case 'run':
        this.#run(command, payload);
        break;
      case 'script':
        this.#begin(this.#runs.get(command.run), { script: payload.toString('utf8') });
        break;
      case 'make':
        if (command.run === undefined) this.#prepared.prepare(command.key, payload.toString('utf8'));
        else void this.#make(command.run, command.key, payload.toString('utf8'));
        break;
      case 'answer':
        this.#runs
          .get(command.run)
          ?.answer({ type: 'answer', call: command.call, ok: command.ok, code: command.code, answer: payload.toString('utf8') });
        break;
      case 'cancel':
        this.#cancel(this.#runs.get(command.run));
        break;
    }
  }

  async #init(command: InitCommand): Promise<void> {
    const setup = await compileEngine(command);
    const pool = createWorkerPool(setup, command);
    this.#pool = pool;
    this.#admission = new Admission(pool.capacity, command.maxQueuedRuns, () => pool.isFull);
    this.#send({ type: 'ready' });
  }

  #run(command: RunCommand, payload: Buffer): void {
    const { run, key } = command;
    const active = new ActiveRun(command, (calls) => {
      for (const frame of callFrames(run, calls)) this.#send(frame.event, frame.payload);
    });
    this.#runs.set(run, active);
    // What is being made for it just now will be there sooner than what it could make itself.
    const preparing = this.#prepared.preparing(key);
    if (preparing) void preparing.then(() => this.#supply(active, command, payload));
    else this.#supply(active, command, payload);
  }

  #supply(active: ActiveRun, { run, key, ...command }: RunCommand, payload: Buffer): void {
    // A damaged program is as good as none: it is made again from the script.
    if (command.payload === 'program' && isProgram(payload, key)) this.#programs.set(key, shared(payload));
    const program = this.#programs.get(key);
    if (program) this.#begin(active, { program });
    else if (command.payload === 'script') this.#begin(active, { script: payload.toString('utf8') });
    else this.#send({ type: 'need', run });
  }

  #keep(key: string, made: Uint8Array): void {
    this.#programs.set(key, shared(made));
    try {
      this.#send({ type: 'made', key }, made);
    } catch {
      // A program too large to send is made again when it is needed again.
    }
  }

  /** Componentizes without running. */
  async #make(run: number, key: string, script: string): Promise<void> {
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

  #begin(active: ActiveRun | undefined, form: ProgramForm): void {
    if (!active || active.begun) return;
    active.begun = true;
    void this.#execute(active, form);
  }

  #cancel(active: ActiveRun | undefined): void {
    active?.cancel();
    // A run that still waits for its script is refused by the admission, and so comes to its end.
    this.#begin(active, { script: '' });
  }

  /** One run, from its place in the queue to its outcome. Everything that goes wrong is told to the gateway. */
  async #execute(active: ActiveRun, form: ProgramForm): Promise<void> {
    const { run, key } = active.command;
    const queuedAt = performance.now();
    let leave: (() => void) | undefined;
    try {
      leave = await this.#admission.enter(active.signal);
      if (!this.#pool) throw new Error('a run came before the engine was ready');
      const { outcome, large, made } = await active.start(this.#pool, form, queuedAt, this.#prepared.take(key));
      if (made) this.#keep(key, made);
      // The worker has written the outcome as JSON text; here it only goes by.
      if (large) this.#send(`{"type":"outcome","run":${run},"outcome":${outcome},"large":${sizesText(large)}}`, joinLarge(large));
      else this.#send(`{"type":"outcome","run":${run},"outcome":${outcome}}`);
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

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

// oxlint-disable-next-line no-new -- the process lives as long as its connection
new ExecutorProcess(new Socket({ fd: CONNECTION_FD, readable: true, writable: true }));
