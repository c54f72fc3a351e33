import { GuestStop } from './guest-stop.ts';
import type { RunPort } from './run-port.ts';
import type { AnswerMessage } from './worker-protocol.ts';

/** What arrived for a run: two lists of the same length, as the guest contract wants them. */
export interface Delivery {
  readonly calls: Uint32Array;
  readonly answers: (string | Uint8Array)[];
}

/** Collects tool answers for one run while its guest has no stack, and lets the run sleep until something happens. */
export class Mailbox {
  readonly #port: Pick<RunPort, 'rest' | 'resume' | 'onMessage'>;
  #calls: number[] = [];
  #answers: (string | Uint8Array)[] = [];
  #largeBytes = 0;
  #cancelled = false;
  #wake: (() => void) | undefined;

  /** @param accept says whether an answer is to a call that is running; any other is dropped. */
  constructor(port: Pick<RunPort, 'rest' | 'resume' | 'onMessage'>, accept: (answer: AnswerMessage) => boolean) {
    this.#port = port;
    port.onMessage((message) => {
      if (message.type === 'cancel') this.#cancelled = true;
      else if (accept(message)) {
        this.#calls.push(message.call);
        this.#answers.push(message.answer);
        if (typeof message.answer !== 'string') this.#largeBytes += message.answer.length;
      }
      this.#wake?.();
    });
  }

  /** Everything that arrived since the last time. */
  take(): Delivery {
    const delivery = { calls: Uint32Array.from(this.#calls), answers: this.#answers };
    this.#calls = [];
    this.#answers = [];
    this.#largeBytes = 0;
    return delivery;
  }

  /** Bytes of large answers that have not been taken. */
  get largeBytes(): number {
    return this.#largeBytes;
  }

  get hasAnswers(): boolean {
    return this.#calls.length > 0;
  }

  /**
   * Sends the calls of the step that is over, then sleeps until an answer is there or `ms` milliseconds have passed. Other runs
   * of the worker have their turn in any case. Answers that come together wake the run once: it goes on when all of them are in.
   * @throws GuestStop ERR_EXECUTE_CANCELLED
   */
  async wait(ms: number): Promise<void> {
    this.#port.rest();
    if (this.#calls.length === 0 && !this.#cancelled) await this.#sleep(ms);
    this.#port.resume();
    if (this.#cancelled) throw new GuestStop('ERR_EXECUTE_CANCELLED', 'The run was cancelled.');
  }

  async #sleep(ms: number): Promise<void> {
    if (ms <= 0) return new Promise((resolve) => void setImmediate(resolve));
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
    return undefined;
  }

  close(): void {
    this.#wake = undefined;
  }
}
