import { toSandboxError } from '../errors.ts';
import { AnswerQueue } from './answer-queue.ts';
import type { ExecutorChild } from './executor-child.ts';
import type { CallsEvent } from './executor-protocol.ts';
import { INTERNAL_FAILURE, type RunHandle } from './run-handle.ts';
import type { ToolAnswer } from './run.ts';

/** Has the calls of runs answered; each answer goes to the executor as soon as it is there, unless its run is over by then. */
export class CallAnswers {
  readonly #warn: (message: string) => void;
  readonly #queue = new AnswerQueue();

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** Asks for the answers to the calls of one step. @param payload their arguments, one after the other. */
  ask(child: ExecutorChild, { run, calls }: CallsEvent, payload: Buffer, handle: RunHandle): void {
    const { executionId } = handle.request;
    let start = 0;
    for (const { call, bytes, ...rest } of calls) {
      const text = payload.toString('utf8', start, (start += bytes));
      const answered = handle.call({ executionId, number: call, ...rest, arguments: text });
      this.#sendLater(child, { run, call }, handle, answered);
    }
  }

  /** The same for calls that a woken run made before it was put away. */
  askAgain(child: ExecutorChild, { run, calls }: { readonly run: number; readonly calls: readonly number[] }, handle: RunHandle): void {
    for (const call of calls) this.#sendLater(child, { run, call }, handle, handle.answer(call));
  }

  /** The process has ended. */
  clear(): void {
    this.#queue.clear();
  }

  #sendLater(child: ExecutorChild, which: Call, handle: RunHandle, answered: Promise<ToolAnswer | undefined>): void {
    answered
      .then((answer) => {
        if (answer) this.#queue.send(child, handle, answer, (said) => send(child, which, said));
      })
      .catch((error: unknown) => this.#warn(`A tool call could not be answered: ${toSandboxError(error).message}`));
  }
}

interface Call {
  readonly run: number;
  readonly call: number;
}

function send(child: ExecutorChild, { run, call }: Call, answer: ToolAnswer): void {
  const verdict = answer.ok ? { ok: true } : { ok: false, code: answer.error.code };
  try {
    child.send({ type: 'answer', run, call, ...verdict }, Buffer.from(answerText(answer), 'utf8'));
  } catch {
    // An answer that cannot be sent, such as a cycle: without any the run would wait for it until its time is over.
    child.send({ type: 'answer', run, call, ok: false, code: 'ERR_INTERNAL' }, Buffer.from(answerText(INTERNAL_FAILURE), 'utf8'));
  }
}

/** The JSON text of an answer, as the guest contract has it. The value is JSON already and is not parsed again. */
function answerText(answer: ToolAnswer): string {
  if (answer.ok) return `{"ok":${answer.value}}`;
  const { whole: _whole, isMessage: _isMessage, ...error } = answer.error;
  return JSON.stringify({ error });
}
