import { randomBytes } from 'node:crypto';
import type { ApprovalAnswer, ApprovalQuestion, Approver } from './approver.ts';
import type { CallJournal } from './durable-run.ts';
import type { ExecutionStore, StoredApproval } from './execution-store.ts';
import { answerOf, DISMISSED, OpenQuestion } from './open-question.ts';
import { OpenQuestions } from './open-questions.ts';
import { mintState, readState, type RequestState } from './request-state.ts';

/** Questions of one principal that are open at once: past it the next ones hear `busy`, so that an operator can read what there is. */
const MAX_OPEN = 1_000;
/** Calls that may be made again are remembered until they are: past it the operator is asked a second time about the oldest. */
const MAX_REPEATS = 10_000;
/** Hexadecimal in the id: the operator types its beginning. */
const ID_BYTES = 16;
/** A token in the place of personal data: the next process may name it in another way. */
const TOKEN = /‹[^›]{0,120}›/g;

/** Asks people about calls, and keeps every question: a question that is asked again after a restart is the same one, perhaps with its answer. */
export interface Approvals {
  /**
   * Asks the client, if it can be asked, and the operator; the first answer counts. Who does not answer leaves the question open.
   * @param client absent when it cannot be asked
   */
  approver(client: Approver | undefined, journal: Pick<CallJournal, 'asking'>): Approver;
  /** Asks the operator whether a call that may have been made before the gateway ended may be made again. */
  askRepeat(question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer>;
  /** Takes a client's answers to questions of an execution of its principal, by their ids. One that comes too late changes nothing. */
  answer(executionId: string, principal: string, answers: ReadonlyMap<string, ApprovalAnswer>): Promise<void>;
  /** Lets a client be asked about what is open in an execution, and about what will be, except for some questions. @returns how to end that */
  attach(executionId: string, client: Approver, except?: ReadonlySet<string>): () => void;
  /** The questions of an execution that a call of this process waits for. */
  open(executionId: string): readonly StoredApproval[];
  mintState(principal: string, state: RequestState): Promise<string | undefined>;
  readState(principal: string, text: string): Promise<RequestState | undefined>;
  /** Leaves all questions open. */
  close(): void;
}

export interface ApprovalsOptions {
  readonly maxOpen?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export function createApprovals(store: ExecutionStore, options: ApprovalsOptions = {}): Approvals {
  return new KeptApprovals(store, options);
}

interface Attached {
  readonly client: Approver;
  readonly except: ReadonlySet<string>;
}

class KeptApprovals implements Approvals {
  readonly #store: ExecutionStore;
  readonly #maxOpen: number;
  readonly #now: () => number;
  readonly #unsubscribe: () => void;
  readonly #open = new OpenQuestions();
  /** By execution. */
  readonly #clients = new Map<string, Set<Attached>>();
  /** Calls that may be made again, and were not yet. */
  readonly #repeats = new Set<string>();

  constructor(store: ExecutionStore, { maxOpen = MAX_OPEN, now = Date.now }: ApprovalsOptions) {
    this.#store = store;
    this.#maxOpen = maxOpen;
    this.#now = now;
    this.#unsubscribe = store.onDecision((approval) => this.#settle(approval));
  }

  approver(client: Approver | undefined, journal: Pick<CallJournal, 'asking'>): Approver {
    return {
      ask: async (question, signal) => {
        if (signal.aborted) return DISMISSED;
        // Who says that it may be made again has said that it may be made.
        if (this.#repeats.delete(callKey(question))) return { granted: true, by: 'operator' };
        const kept = await this.#keep(question, 'approve');
        if (!('id' in kept)) return kept;
        return this.#wait(kept, question.arguments, signal, async (open) => {
          if (client !== undefined) open.offer(client);
          await journal.asking(question.call);
        });
      },
    };
  }

  async askRepeat(question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer> {
    const kept = await this.#keep(question, 'repeat');
    const answer = 'id' in kept ? await this.#wait(kept, question.arguments, signal) : kept;
    if (answer.granted) this.#rememberRepeat(callKey(question));
    return answer;
  }

  async answer(executionId: string, principal: string, answers: ReadonlyMap<string, ApprovalAnswer>): Promise<void> {
    // By what is open, and not by what a client has sent: that may be any number.
    for (const { id, principal: owner, kind } of await this.#store.approvals(executionId)) {
      const answer = answers.get(id);
      if (answer === undefined || owner !== principal || kind !== 'approve') continue;
      if (answer.granted || answer.reason === 'refused') await this.#decide(id, answer.granted);
    }
    // What the operator has decided a moment ago is not heard of yet, and the client would be asked about it once more.
    for (const { stored } of this.#open.of(executionId)) {
      const decided = answers.has(stored.id) ? await this.#store.approval(stored.id) : undefined;
      if (decided !== undefined) this.#settle(decided);
    }
  }

  attach(executionId: string, client: Approver, except: ReadonlySet<string> = new Set()): () => void {
    const attached = { client, except };
    const clients = this.#clients.get(executionId) ?? new Set();
    this.#clients.set(executionId, clients.add(attached));
    for (const open of this.#open.of(executionId)) offer(open, attached);
    return () => {
      clients.delete(attached);
      if (clients.size === 0 && this.#clients.get(executionId) === clients) this.#clients.delete(executionId);
    };
  }

  open(executionId: string): readonly StoredApproval[] {
    return this.#open.of(executionId).map(({ stored }) => stored);
  }

  mintState(principal: string, state: RequestState): Promise<string | undefined> {
    return mintState(this.#store, principal, state);
  }

  readState(principal: string, text: string): Promise<RequestState | undefined> {
    return readState(this.#store, principal, text);
  }

  close(): void {
    this.#unsubscribe();
  }

  /** The question as it is kept; an answer when there is nobody to be asked about it. */
  async #keep(question: ApprovalQuestion, kind: StoredApproval['kind']): Promise<StoredApproval | ApprovalAnswer> {
    const { executionId, principal, call, server, tool, text } = question;
    if (this.#open.countOf(principal) >= this.#maxOpen) return { granted: false, reason: 'busy' };
    const id = `apr_${randomBytes(ID_BYTES).toString('hex')}`;
    const asked = { executionId, principal, call, kind, server, tool, text, arguments: JSON.stringify(question.arguments) };
    const kept = await this.#written({ id, ...asked, askedAt: this.#now() });
    // What a person has agreed to, or will, is what was shown then.
    return isSame(kept, asked) ? kept : { granted: false, reason: 'changed' };
  }

  /** Counts as open meanwhile: else all calls of a moment would find room. */
  async #written(approval: StoredApproval): Promise<StoredApproval> {
    this.#open.count(approval.principal, 1);
    try {
      return await this.#store.ask(approval);
    } finally {
      this.#open.count(approval.principal, -1);
    }
  }

  /** @param begin lets others know of it as soon as its answer would be heard */
  async #wait(
    kept: StoredApproval,
    shown: unknown,
    signal: AbortSignal,
    begin?: (open: OpenQuestion) => Promise<void>,
  ): Promise<ApprovalAnswer> {
    if (kept.decision !== undefined) return answerOf(kept.decision);
    const open = new OpenQuestion(kept, shown, (granted) => this.#decide(kept.id, granted));
    this.#open.add(open);
    const end = (): void => open.settle(DISMISSED);
    signal.addEventListener('abort', end, { once: true });
    try {
      if (signal.aborted) end();
      for (const attached of this.#clients.get(kept.executionId) ?? []) offer(open, attached);
      await begin?.(open);
      // Somebody may have decided before anybody listened.
      const { decision } = (await this.#store.approval(kept.id)) ?? {};
      if (decision !== undefined) open.settle(answerOf(decision));
      return await open.answer;
    } finally {
      open.settle(DISMISSED);
      signal.removeEventListener('abort', end);
      this.#open.remove(open);
    }
  }

  async #decide(id: string, granted: boolean): Promise<StoredApproval | undefined> {
    const decided = await this.#store.decide(id, { granted, by: 'client', at: this.#now() });
    if (decided !== undefined) this.#settle(decided);
    return decided;
  }

  #rememberRepeat(call: string): void {
    this.#repeats.add(call);
    const [oldest] = this.#repeats;
    if (this.#repeats.size > MAX_REPEATS && oldest !== undefined) this.#repeats.delete(oldest);
  }

  #settle({ id, decision }: StoredApproval): void {
    if (decision !== undefined) this.#open.get(id)?.settle(answerOf(decision));
  }
}

function callKey({ executionId, call, server, tool }: ApprovalQuestion): string {
  return JSON.stringify([executionId, call, server, tool]);
}

/** Whether a call is made twice is a matter of the operator: the user of a client has not seen what happened to the server. */
function offer(open: OpenQuestion, { client, except }: Attached): void {
  if (open.stored.kind === 'approve' && !except.has(open.stored.id)) open.offer(client);
}

type Asked = Omit<StoredApproval, 'id' | 'askedAt' | 'decision'>;

/** Whether a question that was kept is the one that is asked: then its answer is too. */
function isSame(kept: Asked, asked: Asked): boolean {
  const names = ['executionId', 'principal', 'call', 'kind', 'server', 'tool'] as const;
  const isEqual = (one: string, other: string): boolean => one.replaceAll(TOKEN, '‹›') === other.replaceAll(TOKEN, '‹›');
  return names.every((name) => kept[name] === asked[name]) && isEqual(kept.text, asked.text) && isEqual(kept.arguments, asked.arguments);
}
