import { setTimeout as delay } from 'node:timers/promises';
import type { Principal } from '../access/principal.ts';
import type { ApprovalAnswer, ApprovalQuestion, Approver } from '../policy/approval.ts';
import type { Attached, ParkedCaller } from './parking.ts';
import type { ExecuteResponse, ProgressEvent } from './sandbox-port.ts';

/** Questions that come together are asked together. */
const GATHER_MS = 10;
const DISMISSED: ApprovalAnswer = { granted: false, reason: 'dismissed' };

interface Open {
  readonly question: ApprovalQuestion;
  /** The client has got it. */
  isShown: boolean;
  answer(answer: ApprovalAnswer): void;
}

/** One run that may ask whoever has a request for it. */
export class AskedRun {
  readonly ended: Promise<ExecuteResponse>;
  readonly owner: Principal | undefined;
  /** How often it was parked. */
  rounds = 0;
  readonly #cancel = new AbortController();
  readonly #open = new Map<string, Open>();
  #attached: Attached | undefined;
  #always: ApprovalAnswer | undefined;
  #wake = Promise.withResolvers<void>();
  #questions = 0;

  constructor(begin: (caller: ParkedCaller) => Promise<ExecuteResponse>, owner: Principal | undefined) {
    this.owner = owner;
    const approver: Approver = { ask: (question, signal) => this.#ask(question, signal) };
    const onProgress = (event: ProgressEvent): void => this.#attached?.onProgress?.(event);
    this.ended = begin({ signal: this.#cancel.signal, approver, onProgress });
    this.ended.catch(() => undefined);
  }

  cancel(): void {
    this.#cancel.abort();
  }

  /**
   * The questions that are open, as soon as there are some; undefined when the run has ended. While it waits here the client may end it.
   * An answer that only says that a person is asked comes after the questions: this client can ask.
   */
  async untilAsking(attached: Attached): Promise<ReadonlyMap<string, ApprovalQuestion> | undefined> {
    const gone = (): void => this.#cancel.abort(attached.signal.reason);
    attached.signal.addEventListener('abort', gone, { once: true });
    if (attached.signal.aborted) gone();
    this.#attached = attached;
    this.#always = undefined;
    try {
      const end = this.ended.then(() => true);
      for (;;) {
        const hasEnded =
          (await Promise.race([end, this.#wake.promise.then(() => false)])) || (await Promise.race([end, delay(GATHER_MS, false)]));
        if (hasEnded && !(await this.#goesOn())) return undefined;
        if (this.#open.size > 0) return this.#show();
        if (hasEnded) return undefined;
        // What was asked is not of interest any more.
        this.#wake = Promise.withResolvers();
      }
    } finally {
      this.#attached = undefined;
      attached.signal.removeEventListener('abort', gone);
    }
  }

  /** What was shown and has no answer counts as not answered. What came up since then waits for its turn: nobody can have answered it. */
  answer(answers: ReadonlyMap<string, ApprovalAnswer>): void {
    this.#settle((id) => answers.get(id) ?? DISMISSED);
  }

  /** The same answer to everything, until a request comes for the run again. */
  goOn(answer: ApprovalAnswer): void {
    this.#always = answer;
    for (const open of this.#open.values()) open.isShown = true;
    this.answerAll(answer);
  }

  /** The same answer to everything that was shown. */
  answerAll(answer: ApprovalAnswer): void {
    this.#settle(() => answer);
  }

  /** Its answer says no more than what it waits for. */
  async #goesOn(): Promise<boolean> {
    const { status } = (await this.ended).structured;
    return status === 'waiting';
  }

  #show(): ReadonlyMap<string, ApprovalQuestion> {
    const questions = new Map<string, ApprovalQuestion>();
    for (const [id, open] of this.#open) {
      open.isShown = true;
      questions.set(id, open.question);
    }
    return questions;
  }

  #settle(answerTo: (id: string) => ApprovalAnswer): void {
    for (const [id, open] of this.#open) {
      if (!open.isShown) continue;
      this.#open.delete(id);
      open.answer(answerTo(id));
    }
    this.#wake = Promise.withResolvers();
    if (this.#open.size > 0) this.#wake.resolve();
  }

  #ask(question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer> {
    if (this.#always !== undefined) return Promise.resolve(this.#always);
    const id = question.id ?? `call_${++this.#questions}`;
    const { promise, resolve } = Promise.withResolvers<ApprovalAnswer>();
    this.#open.set(id, { question, isShown: false, answer: resolve });
    // The run has ended without the answer, or somebody else has answered.
    signal.addEventListener('abort', () => this.#open.delete(id) && resolve(DISMISSED), { once: true });
    this.#wake.resolve();
    return promise;
  }
}
