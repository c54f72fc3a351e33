import type { ApprovalAnswer, ApprovalQuestion, Approver } from './approver.ts';
import type { ApprovalDecision, StoredApproval } from './execution-store.ts';

/** One question that a call of this process waits for. Whoever answers first, client or operator, in this process or another, has answered. */
export class OpenQuestion {
  readonly stored: StoredApproval;
  readonly answer: Promise<ApprovalAnswer>;
  readonly #question: ApprovalQuestion;
  readonly #decide: (granted: boolean) => Promise<StoredApproval | undefined>;
  readonly #settled = Promise.withResolvers<ApprovalAnswer>();
  /** Takes the forms away that clients still show. */
  readonly #over = new AbortController();

  /** @param decide writes a client's answer down, and says what counts */
  constructor(stored: StoredApproval, shown: unknown, decide: (granted: boolean) => Promise<StoredApproval | undefined>) {
    const { id, executionId, principal, call, server, tool, text } = stored;
    this.stored = stored;
    this.#question = { executionId, principal, call, server, tool, arguments: shown, text, id };
    this.#decide = decide;
    this.answer = this.#settled.promise;
    this.answer.catch(() => undefined);
  }

  /** Lets a client be asked. What is no answer leaves the question to whoever comes. */
  offer(client: Approver): void {
    if (this.#over.signal.aborted) return;
    client
      .ask(this.#question, this.#over.signal)
      .then((answer) => this.#take(answer))
      .catch((error: unknown) => this.fail(error));
  }

  settle(answer: ApprovalAnswer): void {
    this.#settled.resolve(answer);
    this.#over.abort();
  }

  /** It cannot be written down what was answered, so nothing was. */
  fail(error: unknown): void {
    this.#settled.reject(error);
    this.#over.abort();
  }

  async #take(answer: ApprovalAnswer): Promise<void> {
    if (this.#over.signal.aborted || !(answer.granted || answer.reason === 'refused')) return;
    const decided = await this.#decide(answer.granted);
    // None: its execution is over.
    this.settle(decided?.decision === undefined ? DISMISSED : answerOf(decided.decision));
  }
}

/** Nobody has answered. */
export const DISMISSED: ApprovalAnswer = { granted: false, reason: 'dismissed' };

/** What a program is told of a decision. */
export function answerOf({ granted, by }: ApprovalDecision): ApprovalAnswer {
  if (granted) return { granted, by };
  return { granted, reason: by === 'client' || by === 'operator' ? 'refused' : 'dismissed', by };
}
