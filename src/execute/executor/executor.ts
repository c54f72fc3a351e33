import { Socket } from 'node:net';
import { z } from 'zod';
import { toSandboxError } from '../../errors.ts';
import { confineThread } from '../confine.ts';
import { compileEngine } from './engine-host.ts';
import { splitModules } from '../engine-modules.ts';
import {
  commandSchema,
  isWholeCommand,
  PROTOCOL,
  type ExecutorCommand,
  type ExecutorEvent,
  type InitCommand,
} from '../executor-protocol.ts';
import { ExecutorRuns } from './executor-runs.ts';
import { answerOf } from '../large-answer.ts';
import { readFrames, writeFrame, type Frame } from '../frames.ts';
import { createWorkerPool } from './pool.ts';

/** The gateway's end of the connection is this file descriptor; there is no other way in or out. */
const CONNECTION_FD = 3;
const GONE = 0;
const BROKEN = 1;
const LAST_WORDS_MS = 1_000;
const MAX_REASON = 10_000;

/** The executor process: engine, workers and guest memory, and nothing worth stealing. */
class ExecutorProcess {
  readonly #connection: Socket;
  readonly #runs = new ExecutorRuns((event, payload) => this.#send(event, payload));
  #hasInit = false;

  constructor(connection: Socket) {
    this.#connection = connection;
    readFrames(
      connection,
      (frame) => this.#receive(frame),
      (error) => this.#fail(error.message),
    );
    // The gateway is gone: nobody can be told anything any more.
    connection.on('close', () => process.exit(GONE));
    connection.on('error', () => process.exit(BROKEN));
    this.#send({ type: 'hello', protocol: PROTOCOL });
  }

  #send(event: ExecutorEvent | string, payload?: Uint8Array): void {
    writeFrame(this.#connection, event, payload);
  }

  /** The one way in which this process ends by itself while there is a gateway: it says why, and is started again. */
  #fail(message: string): void {
    this.#send({ type: 'fatal', message: message.slice(0, MAX_REASON) });
    // Time for the gateway to hear it; it ends this process then.
    setTimeout(() => process.exit(BROKEN), LAST_WORDS_MS);
  }

  #receive({ header, payload }: Frame): void {
    try {
      this.#read(header, payload);
    } catch (thrown) {
      this.#fail(toSandboxError(thrown).message);
    }
  }

  #read(header: unknown, payload: Buffer): void {
    const command = commandSchema.safeParse(header);
    if (command.success && isWholeCommand(command.data, payload)) return this.#obey(command.data, payload);
    const version = z.object({ type: z.literal('init'), protocol: z.int() }).safeParse(header);
    if (version.success && version.data.protocol !== PROTOCOL) {
      throw new TypeError(`the gateway speaks version ${version.data.protocol} of the protocol, and the executor version ${PROTOCOL}`);
    }
    const named = z.object({ run: z.int().min(1) }).safeParse(header);
    // One bad request is the end of that run, not of all the others.
    if (!named.success) throw new TypeError('the gateway sent a message that is not of the protocol');
    const message = 'The run was asked for in a form that the executor does not know.';
    return this.#send({ type: 'refused', run: named.data.run, code: 'ERR_INTERNAL', message });
  }

  #obey(command: ExecutorCommand, payload: Buffer): void {
    switch (command.type) {
      case 'init':
        void this.#init(command, payload).catch((error: unknown) => this.#fail(toSandboxError(error).message));
        break;
      case 'ping':
        this.#send({ type: 'pong', ping: command.ping });
        break;
      case 'run':
        this.#runs.run(command, payload);
        break;
      case 'script':
        this.#runs.script(command.run, payload.toString('utf8'));
        break;
      case 'make':
        if (command.run === undefined) this.#runs.prepare(command.key, payload.toString('utf8'));
        else void this.#runs.make(command.run, command.key, payload.toString('utf8'));
        break;
      case 'answer': {
        const { run, call, ok, code } = command;
        this.#runs.answer(run, { type: 'answer', call, ok, code, answer: answerOf(payload) });
        break;
      }
      case 'cancel':
        this.#runs.cancel(command.run);
        break;
      case 'hibernate':
        this.#runs.hibernate(command.run);
        break;
    }
  }

  async #init(command: InitCommand, payload: Buffer): Promise<void> {
    if (this.#hasInit) throw new TypeError('the gateway sent its first message twice');
    this.#hasInit = true;
    const setup = await compileEngine({ ...command, modules: splitModules(command.modules, payload) });
    this.#runs.open(createWorkerPool(setup, command), command.maxQueuedRuns);
    this.#send({ type: 'ready' });
  }
}

const connection = new Socket({ fd: CONNECTION_FD, readable: true, writable: true });
confineThread();
// oxlint-disable-next-line no-new -- the process lives as long as its connection
new ExecutorProcess(connection);
