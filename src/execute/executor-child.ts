import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { eventSchema, isWhole, type ExecutorCommand, type ExecutorEvent } from './executor-protocol.ts';
import { readFrames, writeFrame } from './frames.ts';

const KILL_AFTER_MS = 2_000;
/** The meter marks its calls of the host as unlikely; with the hints in use metering costs half. They change no result. */
const ENGINE_FLAGS = [
  '--experimental-wasm-branch-hinting',
  // The garbage collector takes a dropped instance for a small object, so workers ask it to look; see `instance-pool.ts`.
  '--expose-gc',
];

export interface ExecutorChildEvents {
  onEvent(event: ExecutorEvent, payload: Buffer): void;
  /** Once, when the process has ended, for whatever reason. */
  onExit(reason: string): void;
  /** What the process wrote to its standard error: for the log. */
  onStderr(text: string): void;
}

/** One executor process, as the gateway holds it: an empty environment, no inherited handle but the connection. */
export class ExecutorChild {
  readonly #process: ChildProcess;
  readonly #connection: Duplex;
  readonly #exited: Promise<void>;

  constructor(events: ExecutorChildEvents) {
    const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    const entry = fileURLToPath(new URL(`./executor${extension}`, import.meta.url));
    this.#process = spawn(process.execPath, [...ENGINE_FLAGS, entry], {
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      serialization: 'json',
    });
    this.#connection = this.#process.stdio[3] as Duplex;
    let broken = '';
    this.#connection.on('error', (error) => (broken ||= error.message));
    readFrames(
      this.#connection,
      ({ header, payload }) => {
        if (broken) return;
        const event = eventSchema.safeParse(header);
        if (event.success && isWhole(event.data, payload)) events.onEvent(event.data, payload);
        else {
          // What cannot be understood was not written by our executor: nothing that it says can be trusted any more.
          broken = 'it sent a message that is not of the protocol';
          this.kill();
        }
      },
      (error) => {
        broken = error.message;
        this.kill();
      },
    );
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => events.onStderr(text));
    this.#exited = new Promise((resolve) => {
      let ended = false;
      const exited = (reason: string): void => {
        if (ended) return;
        ended = true;
        events.onExit(broken || reason);
        resolve();
      };
      this.#process.once('exit', (code, signal) => exited(signal ? `signal ${signal}` : `exit code ${code}`));
      this.#process.once('error', (error) => exited(error.message));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  send(command: ExecutorCommand, payload?: Uint8Array): void {
    writeFrame(this.#connection, command, payload);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Closes the connection, which the process takes as its end; kills it when it does not. */
  async close(): Promise<void> {
    this.#connection.end();
    const timer = setTimeout(() => this.kill(), KILL_AFTER_MS);
    await this.#exited;
    clearTimeout(timer);
  }
}
