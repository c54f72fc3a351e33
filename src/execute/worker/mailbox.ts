import { GuestStop } from './guest-stop.ts';
import type { RunPort } from './run-port.ts';
import type { AnswerMessage } from '../worker-protocol.ts';

/** What arrived for a run: two lists of the same length, as the guest contract wants them. */
export interface Delivery {
  readonly calls: Uint32Array;
  readonly answers: (string | Uint8Array)[];
}

/** A longer time does not fit into a timer of Node. */
const MAX_TIMER_MS = 2_147_483_647;

/** What becomes of an answer that came: it is for the next step, for a later one, or for none. */
export type Accepted = 'now' | 'later' | 'never';

/** Collects tool answers for one run while its guest has no stack, and lets the run sleep until something happens. */
export class Mailbox {
  readonly #port: Pick<RunPort, 'rest' | 'resume' | 'onMessage'>;
  readonly #accept: (answer: AnswerMessage) => Accepted;
  #answers: AnswerMessage[] = [];
  #early: AnswerMessage[] = [];
  #largeBytes = 0;
  #cancelled = false;
  #isAskedToLeave = false;
  #wake: (() => void) | undefined;

  constructor(port: Pick<RunPort, 'rest' | 'resume' | 'onMessage'>, accept: (answer: AnswerMessage) => Accepted) {
    this.#port = port;
    this.#accept = accept;
    port.onMessage((message) => {
      if (message.type === 'cancel') this.#cancelled = true;
      else if (message.type === 'hibernate') this.#isAskedToLeave = true;
      else this.#receive(message);
      this.#wake?.();
    });
  }

  #receive(message: AnswerMessage): void {
    const accepted = this.#accept(message);
    if (accepted === 'now') this.#answers.push(message);
    else if (accepted === 'later' && !this.#early.some(({ call }) => call === message.call)) this.#early.push(message);
    else return;
    if (typeof message.answer !== 'string') this.#largeBytes += message.answer.length;
  }

  /** What came before its step is looked at again. */
  offerEarly(): void {
    for (const message of this.#early.splice(0)) {
      if (typeof message.answer !== 'string') this.#largeBytes -= message.answer.length;
      this.#receive(message);
    }
  }

  /** Everything that arrived since the last time. @param order of the calls, when it is not that of their arrival */
  take(order?: readonly number[]): Delivery {
    const taken = order ? this.#answers.toSorted((a, b) => order.indexOf(a.call) - order.indexOf(b.call)) : this.#answers;
    this.#answers = [];
    for (const { answer } of taken) if (typeof answer !== 'string') this.#largeBytes -= answer.length;
    this.#isAskedToLeave = false;
    return { calls: Uint32Array.from(taken, ({ call }) => call), answers: taken.map(({ answer }) => answer) };
  }

  /** Bytes of large answers that have not been taken. */
  get largeBytes(): number {
    return this.#largeBytes;
  }

  get hasAnswers(): boolean {
    return this.#answers.length > 0;
  }

  /** How many answers can be taken. */
  get count(): number {
    return this.#answers.length;
  }

  /** Whether the run was asked to make room for others, since it was last given something. */
  get isAskedToLeave(): boolean {
    return this.#isAskedToLeave;
  }

  /**
   * Sends the calls of the step that is over, then sleeps until so many answers are there, some message has come or `ms` milliseconds have
   * passed. Other runs of the worker have their turn in any case. Answers that come together wake the run once: it goes on when all of them are in.
   * @throws GuestStop ERR_EXECUTE_CANCELLED
   */
  async wait(ms: number, answers = 1): Promise<void> {
    this.#port.rest();
    if (this.#answers.length < answers && !this.#cancelled) await this.#sleep(ms);
    this.#port.resume();
    if (this.#cancelled) throw new GuestStop('ERR_EXECUTE_CANCELLED', 'The run was cancelled.');
  }

  async #sleep(ms: number): Promise<void> {
    if (ms <= 0) return new Promise((resolve) => void setImmediate(resolve));
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS));
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
