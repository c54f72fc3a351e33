import { randomBytes } from 'node:crypto';
import { MessageChannel } from 'node:worker_threads';
import type { RunCommand } from './executor-protocol.ts';
import type { RunOutcome, ToolCall } from './run.ts';
import type { WorkerPool } from './pool.ts';
import type { AnswerMessage, WorkerMessage, WorkerTask } from './worker-protocol.ts';

/** The program of a run as the executor has it: encoded in shared memory, or as a script to make it from. */
export type ProgramForm = { readonly program: Uint8Array } | { readonly script: string };

/** One run inside the executor, between the gateway's messages and a worker. */
export class ActiveRun {
  readonly command: RunCommand;
  /** Whether the run is in the queue or in the pool: not while it waits for its script. */
  begun = false;
  readonly #channel = new MessageChannel();
  readonly #interrupt = new Int32Array(new SharedArrayBuffer(4));
  readonly #abort = new AbortController();

  constructor(command: RunCommand, onCall: (call: ToolCall) => void) {
    this.command = command;
    this.#channel.port1.on('message', (message: WorkerMessage) => onCall(message.call));
    this.#channel.port1.unref();
  }

  /** Fires when the run is cancelled before a worker has it. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  answer(answer: AnswerMessage): void {
    this.#channel.port1.postMessage(answer);
  }

  /** Stops the run wherever it is: queued, waiting, or computing (then within a slice of fuel). */
  cancel(): void {
    this.#abort.abort();
    Atomics.store(this.#interrupt, 0, 1);
    this.#channel.port1.postMessage({ type: 'cancel' });
  }

  /** Runs in the pool. @param queueMs how long the run waited for its place. */
  async start(pool: WorkerPool, form: ProgramForm, queueMs: number): Promise<{ outcome: RunOutcome; made?: Uint8Array }> {
    const result = await pool.run(this.#task(form));
    const { outcome, componentMs, runMs, cache, made } = result;
    const phases = { queue: queueMs, component: componentMs, run: runMs };
    return { outcome: { ...outcome, cache, phases }, ...(made ? { made } : {}) };
  }

  #task(form: ProgramForm): WorkerTask {
    const { executionId, key, input, state, limits, now, seed } = this.command;
    return {
      executionId,
      key,
      ...form,
      input,
      state,
      limits,
      now: now ?? Date.now(),
      seed: seed ?? randomBytes(32).toString('hex'),
      port: this.#channel.port2,
      interrupt: this.#interrupt,
    };
  }

  close(): void {
    this.#channel.port1.close();
  }
}
