import { spawn, type ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { toSandboxError } from '../errors.ts';
import { executorFlags } from './executor-flags.ts';
import { eventSchema, greetingSchema, isWhole, PROTOCOL, type ExecutorCommand, type ExecutorEvent } from './executor-protocol.ts';
import { readFrames, writeFrame, type Frame } from './frames.ts';

const KILL_AFTER_MS = 2_000;
/** Commands that wait to be read by the process. Who lets more come together does not read. */
const MAX_UNREAD_BYTES = 512 * 1024 * 1024;
/** Text on its standard error that goes to the log. An honest process writes a few lines, at its end. */
const MAX_STDERR_BYTES = 65_536;

export interface ExecutorChildEvents {
  onEvent(event: ExecutorEvent, payload: Buffer): void;
  /** Once, when the process has ended, for whatever reason. */
  onExit(reason: string): void;
  /** What the process wrote to its standard error: for the log. */
  onStderr(text: string): void;
}

/** A program that speaks the protocol, and how Node starts it. */
export interface ExecutorProgram {
  readonly entry: string;
  readonly flags: readonly string[];
}

function executorProgram(): ExecutorProgram {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return { entry: fileURLToPath(new URL(`./executor/executor${extension}`, import.meta.url)), flags: executorFlags() };
}

/** One executor process, as the gateway holds it: confined, an empty environment, no inherited handle but the connection. */
export class ExecutorChild {
  readonly #process: ChildProcess;
  readonly #connection: Duplex;
  readonly #exited: Promise<void>;
  readonly #events: ExecutorChildEvents;
  #broken = '';
  #hasGreeted = false;
  #stderrBytes = 0;
  #bytesReceived = 0;
  #bytesSent = 0;

  constructor(events: ExecutorChildEvents, { entry, flags }: ExecutorProgram = executorProgram()) {
    this.#events = events;
    // A thread with flags of its own may always read the working directory: one that it may read anyhow.
    const cwd = dirname(entry);
    this.#process = spawn(process.execPath, [...flags, entry], { env: {}, cwd, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
    // One that could not be started for want of descriptors says so later, and has no streams.
    this.#process.once('error', () => undefined);
    if (!(this.#process.stdio as readonly unknown[] | undefined)) throw new Error('no process can be started at the moment');
    this.#connection = this.#process.stdio[3] as Duplex;
    // How the process ended says more.
    this.#connection.on('error', () => undefined);
    this.#connection.on('data', ({ length }: Buffer) => (this.#bytesReceived += length));
    readFrames(
      this.#connection,
      (frame) => this.#receive(frame),
      (error) => this.kill(error.message),
    );
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => this.#log(text));
    this.#exited = this.#untilExit();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  get bytesSent(): number {
    return this.#bytesSent;
  }

  /** What the process has not read yet of what it was sent. */
  get unreadBytes(): number {
    return this.#connection.writableLength;
  }

  /** Calls back, once, when the process has read all that it was sent. */
  onceRead(listener: () => void): void {
    this.#connection.once('drain', listener);
  }

  ping(ping: number): void {
    this.send({ type: 'ping', ping });
  }

  /** @throws SandboxError ERR_EXECUTE_RESULT_TOO_LARGE when it is more than a message may be */
  send(command: ExecutorCommand, payload?: Uint8Array): void {
    if (this.#broken) return;
    this.#bytesSent += writeFrame(this.#connection, command, payload);
    if (this.#connection.writableLength > MAX_UNREAD_BYTES) this.kill('it does not read what it is sent');
  }

  /** Ends the process. Nothing that it has still said counts any more. */
  kill(reason = ''): void {
    this.#broken ||= reason;
    if (this.#broken) this.#connection.destroy();
    this.#process.kill('SIGKILL');
  }

  /** Closes the connection, which the process takes as its end; kills it when it does not. */
  async close(): Promise<void> {
    this.#connection.end();
    const timer = setTimeout(() => this.kill(), KILL_AFTER_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #receive({ header, payload }: Frame): void {
    if (this.#broken) return;
    const greeting = this.#hasGreeted ? undefined : greetingSchema.safeParse(header).data;
    if (greeting && greeting.protocol !== PROTOCOL) {
      const versions = `version ${greeting.protocol} of the protocol, and this process version ${PROTOCOL}`;
      return this.kill(`it speaks ${versions}: restart Ampoule, which was replaced by another version while it ran`);
    }
    const event = eventSchema.safeParse(header);
    // What cannot be understood was not written by our executor: nothing that it says can be trusted any more.
    if (!event.success || !isWhole(event.data, payload)) return this.kill('it sent a message that is not of the protocol');
    const isHello = event.data.type === 'hello';
    if (isHello === this.#hasGreeted) return this.kill('it did not begin with a greeting, or greeted twice');
    this.#hasGreeted = true;
    try {
      this.#events.onEvent(event.data, payload);
    } catch (thrown) {
      this.kill(`its message could not be handled: ${toSandboxError(thrown).message}`);
    }
    return undefined;
  }

  #log(text: string): void {
    if (this.#stderrBytes >= MAX_STDERR_BYTES) return;
    this.#events.onStderr(text.slice(0, MAX_STDERR_BYTES - this.#stderrBytes));
    this.#stderrBytes += text.length;
    if (this.#stderrBytes >= MAX_STDERR_BYTES) this.#events.onStderr('(what else it writes is not logged)');
  }

  #untilExit(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    let hasEnded = false;
    const exited = (reason: string): void => {
      if (hasEnded) return;
      hasEnded = true;
      // Whatever holds the other end open now is not the process.
      this.#connection.destroy();
      this.#process.stderr?.destroy();
      this.#events.onExit(this.#broken || reason);
      resolve();
    };
    this.#process.once('exit', (code, signal) => exited(signal ? `signal ${signal}` : `exit code ${code}`));
    this.#process.once('error', (error) => exited(error.message));
    return promise;
  }
}
