import type { MessagePort } from 'node:worker_threads';
import { GuestStop } from './guest-stop.ts';
import type { AnswerMessage, RunMessage } from './worker-protocol.ts';

/** What arrived for a run: two lists of the same length, as the guest contract wants them. */
export interface Delivery {
  readonly calls: Uint32Array;
  readonly answers: string[];
}

/** Collects tool answers for one run while its guest has no stack, and lets the run sleep until something happens. */
export class Mailbox {
  readonly #port: MessagePort;
  #calls: number[] = [];
  #answers: string[] = [];
  #cancelled = false;
  #wake: (() => void) | undefined;

  /** @param accept says whether an answer is to a call that is running; any other is dropped. */
  constructor(port: MessagePort, accept: (answer: AnswerMessage) => boolean) {
    this.#port = port;
    port.on('message', (message: RunMessage) => {
      if (message.type === 'cancel') this.#cancelled = true;
      else if (accept(message)) {
        this.#calls.push(message.call);
        this.#answers.push(message.answer);
      }
      this.#wake?.();
    });
  }

  /** Everything that arrived since the last time. */
  take(): Delivery {
    const delivery = { calls: Uint32Array.from(this.#calls), answers: this.#answers };
    this.#calls = [];
    this.#answers = [];
    return delivery;
  }

  get hasAnswers(): boolean {
    return this.#calls.length > 0;
  }

  /**
   * Sleeps until an answer is there or `ms` milliseconds have passed. Other runs of the worker have their turn in any case.
   * @throws GuestStop ERR_EXECUTE_CANCELLED
   */
  async wait(ms: number): Promise<void> {
    if (this.#calls.length === 0 && !this.#cancelled) await this.#sleep(ms);
    if (this.#cancelled) throw new GuestStop('ERR_EXECUTE_CANCELLED', 'The run was cancelled.');
  }

  async #sleep(ms: number): Promise<void> {
    if (ms <= 0) return new Promise((resolve) => void setImmediate(resolve));
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, ms);
      });
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
    // Answers come in groups: those that are here already go to the guest in one call.
    return new Promise((resolve) => void setImmediate(resolve));
  }

  close(): void {
    this.#port.close();
  }
}
