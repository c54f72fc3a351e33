import type { ExecutorChild } from './executor-child.ts';
import type { RunHandle } from './run-handle.ts';
import type { ToolAnswer } from './run.ts';

/** Answers of up to this size never wait. */
const SMALL_CHARACTERS = 64 * 1024;
/** From so many bytes on that the executor has not read, the next large answer waits. */
const ENOUGH_UNREAD_BYTES = 32 * 1024 * 1024;
/** Large answers that may wait at one time, in characters: sixty-four of the largest by default. */
const MAX_WAITING = 512 * 1024 * 1024;

interface WaitingAnswer {
  readonly child: ExecutorChild;
  readonly handle: RunHandle;
  readonly characters: number;
  readonly send: (answer: ToolAnswer) => void;
  readonly answer: ToolAnswer;
}

/**
 * Large answers of tools on their way to one executor, in the order in which they came: no more than it reads soon are in its
 * connection. Against: runs whose many calls are answered faster than they take the answers, and end meanwhile.
 */
export class AnswerQueue {
  #waiting: WaitingAnswer[] = [];
  #characters = 0;

  /** Sends an answer now or later; not at all when its run has ended by then. @param send with the answer, or with a failure instead. */
  send(child: ExecutorChild, handle: RunHandle, answer: ToolAnswer, send: (answer: ToolAnswer) => void): void {
    const characters = answer.ok ? answer.value.length : 0;
    if (characters <= SMALL_CHARACTERS) return send(answer);
    if (this.#waiting.length === 0 && child.unreadBytes < ENOUGH_UNREAD_BYTES) return send(answer);
    if (this.#characters + characters > MAX_WAITING) return send(TOO_MANY);
    this.#waiting.push({ child, handle, characters, send, answer });
    this.#characters += characters;
    if (this.#waiting.length === 1) child.onceRead(() => this.#goOn(child));
    return undefined;
  }

  /** The process has ended. */
  clear(): void {
    this.#waiting = [];
    this.#characters = 0;
  }

  #goOn(child: ExecutorChild): void {
    for (let next = this.#waiting[0]; next?.child === child; next = this.#waiting[0]) {
      if (child.unreadBytes >= ENOUGH_UNREAD_BYTES) return child.onceRead(() => this.#goOn(child));
      this.#waiting.shift();
      this.#characters -= next.characters;
      if (!next.handle.ended) next.send(next.answer);
    }
    return undefined;
  }
}

const TOO_MANY: ToolAnswer = {
  ok: false,
  error: {
    code: 'ERR_UPSTREAM_TOO_LARGE',
    message: 'Too many large answers are on their way at this moment; what the tool did is done, and its answer is lost.',
    hint: 'Ask the tool for less, or make fewer calls at once.',
  },
};
