import { SandboxError } from '../../errors.ts';
import type { OnCall } from '../../execute/run-handle.ts';
import type { RunStep, ToolAnswer, ToolCall } from '../../execute/run.ts';
import type { CallMemory } from './call-memory.ts';
import { callDifference, missingCall } from './call-difference.ts';
import type { CallJournal, DurableRun, WaitReason } from '../durable-run.ts';
import type { StoredCall, StoredWait } from '../execution-store.ts';
import { OpenCalls, type OpenCall } from './open-calls.ts';
import type { RunRecord } from '../run-record.ts';
import { decide, interrupted, noRoomFor, notKept } from './unknown-calls.ts';

const GONE: ToolAnswer = { ok: false, error: { code: 'ERR_EXECUTE_CANCELLED', message: 'The run has ended.' } };
const FAILED: ToolAnswer = { ok: false, error: { code: 'ERR_INTERNAL', message: 'The call could not be made.' } };

/** To what is over nothing is said. */
const NEVER = new Promise<never>(() => undefined);

export interface CallBookOptions {
  readonly record: RunRecord;
  readonly memory: CallMemory;
  /** Whose run it is, for the shares of memory. */
  readonly whose: string;
  readonly onCall: (journal: CallJournal) => OnCall;
  readonly interruptedCalls: 'fail' | 'ask';
  readonly askRepeat: DurableRun['askRepeat'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** An answer is there that nobody waits for just now. */
  readonly onAnswer: () => void;
  /** A person is asked about a call, or is not any more. */
  readonly onQuestion: () => void;
}

/**
 * The tool calls of one run. Each is made once by this process, whatever becomes of the processes that the program runs in, and each answer is
 * written down before it is handed on.
 */
export class CallBook {
  readonly #options: CallBookOptions;
  readonly #onCall: OnCall;
  readonly #open: OpenCalls;
  #controller: AbortController | undefined;
  #isOver = false;
  #difference: string | undefined;

  constructor(options: CallBookOptions) {
    this.#options = options;
    this.#open = new OpenCalls(options.memory, options.whose);
    this.#onCall = options.onCall({
      asking: (call) => this.#asking(call),
      sending: (call, isRepeatable) => this.#sending(call, isRepeatable),
    });
  }

  /** How the run has gone another way than the first time; undefined when it has not. */
  get difference(): string | undefined {
    return this.#difference;
  }

  /** The run has gone another way, and not in a call. */
  differs(difference: string): void {
    this.#difference ??= difference;
  }

  /** Whether a person is asked about any call. */
  get hasQuestion(): boolean {
    return this.#some(({ question }) => question !== undefined);
  }

  /** Whether an answer to one of these calls is there. */
  hasAnswer(calls: readonly number[]): boolean {
    return calls.some((call) => this.#open.get(call)?.isAnswered === true);
  }

  /** What the run waits for. */
  reasons(): WaitReason[] {
    return this.#open.reasons();
  }

  /**
   * The program makes a call, perhaps again. Never answers one that is another than it was: then {@link difference} says how.
   * @returns whether it is a new one, and the answer
   */
  call(call: ToolCall): { readonly isNew: boolean; readonly answer: Promise<ToolAnswer> } {
    if (this.#isOver) return { isNew: false, answer: NEVER };
    const known = this.#open.get(call.number);
    const open = known ?? this.#open.add(call, this.#options.now());
    open.isMissing = false;
    this.#difference ??= callDifference(open.call, call);
    if (this.#difference !== undefined) return { isNew: false, answer: wait(open) };
    if (known === undefined && open.argumentBytes === undefined) this.#answered(open, noRoomFor(call));
    if (!open.isBegun && !open.isAnswered) this.#make(open);
    return { isNew: known === undefined, answer: this.#take(open) };
  }

  /** A run that has gone on waits for a call again. */
  answer(call: number): Promise<ToolAnswer> {
    const open = this.#open.get(call);
    return open === undefined ? this.#storedAnswer(call) : this.#take(open);
  }

  /** The run has taken the answers of these steps: a process that begins it again reads them from the store. */
  settled(steps: readonly RunStep[]): void {
    for (const [, ...calls] of steps) {
      for (const open of calls.map((call) => this.#open.get(call))) if (open?.isAnswered) this.#open.remove(open);
    }
  }

  /** The attempt is over: what it waits for it does not wait for any more. */
  released(): void {
    for (const open of this.#open.values()) {
      open.waiter?.(GONE);
      open.waiter = undefined;
    }
  }

  /** What is about to be put away with the run has to be known after a restart: also calls that nothing was written about yet. */
  writeUnsent(calls: readonly number[]): void {
    for (const open of calls.map((call) => this.#open.get(call))) {
      if (open === undefined || open.isStored) continue;
      open.isStored = true;
      this.#options.record.asked(open.call, open.since);
    }
  }

  /** The run is begun again from the start: all calls that were ever made will come again. */
  recall(calls: readonly StoredCall[], steps: readonly RunStep[]): void {
    for (const stored of calls) if (this.#open.get(stored.number) === undefined) this.#open.addStored(stored, this.#options.record.id);
    const settled = new Set(steps.flatMap(([, ...numbers]) => numbers));
    for (const open of this.#open.values()) {
      open.isMissing = true;
      open.isSettledBefore = settled.has(open.call.number);
    }
  }

  /** The run goes on from an image that waits for these calls: those without an answer are made, as far as they may be. Later ones may come again. */
  resume(calls: readonly StoredCall[], { pending, lastCall }: Pick<StoredWait, 'pending' | 'lastCall'>): void {
    for (const stored of calls) {
      const isNeeded = stored.number > lastCall || pending.includes(stored.number);
      if (isNeeded && this.#open.get(stored.number) === undefined) this.#open.addStored(stored, this.#options.record.id);
    }
    for (const number of pending) {
      const open = this.#open.get(number) ?? this.#addForgotten(number);
      if (!open.isBegun && !open.isAnswered) this.#make(open);
    }
  }

  /** The run, begun again, has come to a point after everything that is known of it. */
  expectNoMissing(): void {
    for (const { call, isMissing } of this.#open.values()) if (isMissing) this.#difference ??= missingCall(call);
  }

  /** The run is over. @param cancel calls that still run */
  end(cancel: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const isRunning = this.#some(({ isBegun, isAnswered }) => isBegun && !isAnswered);
    this.#open.clear();
    if (cancel && isRunning) this.#controller?.abort();
  }

  #some(test: (open: OpenCall) => boolean): boolean {
    for (const open of this.#open.values()) if (test(open)) return true;
    return false;
  }

  /** A call of an image that nothing is stored of. */
  #addForgotten(number: number): OpenCall {
    const call = { executionId: this.#options.record.id, number, server: 'unknown', tool: `call ${number}`, arguments: '{}' };
    const open = this.#open.add(call, this.#options.now());
    this.#answered(open, interrupted(call));
    return open;
  }

  #make(open: OpenCall): void {
    open.isBegun = true;
    void this.#answerTo(open).then((answer) => this.#answered(open, answer));
  }

  async #answerTo(open: OpenCall): Promise<ToolAnswer> {
    const { call, before } = open;
    const { signal } = (this.#controller ??= new AbortController());
    try {
      if (before !== undefined && !(await this.#mayMake(before, open, signal))) return interrupted(call);
      return await this.#onCall(call, signal);
    } catch {
      return FAILED;
    }
  }

  async #mayMake(before: StoredCall, open: OpenCall, signal: AbortSignal): Promise<boolean> {
    const { interruptedCalls, askRepeat } = this.#options;
    const decision = decide(before, interruptedCalls, askRepeat !== undefined);
    if (decision !== 'ask' || askRepeat === undefined) return decision === 'make';
    const granted = askRepeat(open.call, before.sentAt?.at(-1) ?? before.at, signal);
    void this.#lookUpQuestion(open).catch(() => undefined);
    const mayBeMade = await granted;
    this.#closeQuestion(open);
    return mayBeMade;
  }

  #answered(open: OpenCall, said: ToolAnswer): void {
    if (this.#isOver) return;
    const answer = this.#written(open, withoutWhole(said));
    open.isAnswered = true;
    this.#closeQuestion(open);
    const { waiter } = open;
    open.waiter = undefined;
    if (waiter === undefined) return this.#options.onAnswer();
    if (open.isSettledBefore) this.#open.remove(open);
    return waiter(answer);
  }

  /** Has an answer written down. @returns what the program gets: an error where more answers come than can be written */
  #written(open: OpenCall, said: ToolAnswer): ToolAnswer {
    const at = this.#options.now();
    const write = (answer: ToolAnswer): Promise<boolean> => {
      open.answer = answer;
      const written = this.#options.record.answered(open.call, answer, at);
      if (!this.#open.keep(open, answer)) void written.then((isWritten) => (open.answer = isWritten ? undefined : notKept(open.call)));
      return written;
    };
    if (!this.#open.write(said, () => write(said))) void write(notKept(open.call));
    return open.answer ?? said;
  }

  #take(open: OpenCall): Promise<ToolAnswer> {
    if (!open.isAnswered) return wait(open);
    const { answer } = open;
    if (open.isSettledBefore) this.#open.remove(open);
    return answer === undefined ? this.#storedAnswer(open.call.number) : Promise.resolve(answer);
  }

  /** One that is not in memory. Of a call that nobody knows anything about nobody knows whether it was made. */
  async #storedAnswer(call: number): Promise<ToolAnswer> {
    const stored = await this.#options.record.answer(call).catch(() => undefined);
    return stored ?? interrupted({ server: 'unknown', tool: `call ${call}` });
  }

  async #asking(call: number): Promise<void> {
    const open = this.#unanswered(call);
    open.isStored = true;
    await this.#options.record.call(open.call, open.since, 'asked', false);
    await this.#lookUpQuestion(open);
  }

  async #sending(call: number, isRepeatable: boolean): Promise<void> {
    const open = this.#unanswered(call);
    this.#closeQuestion(open);
    open.isStored = true;
    await this.#options.record.call(open.call, open.since, 'sent', isRepeatable);
    this.#unanswered(call);
  }

  /** @throws SandboxError ERR_EXECUTE_CANCELLED when there is no such call, as after the end of the run */
  #unanswered(call: number): OpenCall {
    const open = this.#isOver ? undefined : this.#open.get(call);
    if (open === undefined || open.isAnswered) throw new SandboxError('ERR_EXECUTE_CANCELLED', 'The run has ended.');
    return open;
  }

  async #lookUpQuestion(open: OpenCall): Promise<void> {
    const question = await this.#options.record.question(open.call.number);
    if (question === undefined || open.isAnswered || this.#isOver) return;
    open.question = { id: question.id, text: question.text };
    this.#options.onQuestion();
  }

  #closeQuestion(open: OpenCall): void {
    if (open.question === undefined) return;
    open.question = undefined;
    this.#options.onQuestion();
  }
}

/** Settles with the answer, or with the end of the attempt. */
function wait(open: OpenCall): Promise<ToolAnswer> {
  return new Promise((resolve) => {
    open.waiter = resolve;
  });
}

/** What the gateway alone needed of an answer is not the run's. */
function withoutWhole(answer: ToolAnswer): ToolAnswer {
  if (answer.ok || answer.error.whole === undefined) return answer;
  const { whole: _whole, isMessage: _isMessage, ...error } = answer.error;
  return { ok: false, error };
}
