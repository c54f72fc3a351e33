import type { ToolAnswer } from '../../execute/run.ts';

/**
 * Answers of all runs that no run has taken yet, in bytes, roughly. What is over is read from the store when its run takes it; where the store has no room
 * either the program gets an error for the call.
 */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const ERROR_BYTES = 1_024;
/** What one principal may have, in parts of what is free then: three quarters of all where nobody else has any, so that nobody takes what others need. */
const SHARE = 3;

/** Counts answers that wait in memory for their runs, with a share for each principal. */
export class AnswerMemory {
  readonly #most: number;
  readonly #own = new Map<string, number>();
  #bytes = 0;

  constructor(most = MAX_ANSWER_BYTES) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param whose - the principal, or what stands for it @returns false when there is no room: then nothing was taken */
  take(whose: string, bytes: number): boolean {
    const own = (this.#own.get(whose) ?? 0) + bytes;
    if (own > SHARE * (this.#most - this.#bytes - bytes)) return false;
    this.#bytes += bytes;
    this.#own.set(whose, own);
    return true;
  }

  giveBack(whose: string, bytes: number): void {
    this.#bytes -= bytes;
    const own = (this.#own.get(whose) ?? 0) - bytes;
    if (own > 0) this.#own.set(whose, own);
    else this.#own.delete(whose);
  }
}

/** How much memory an answer takes, roughly. */
export function sizeOf(answer: ToolAnswer): number {
  if (answer.ok) return answer.value.length;
  const { message, content } = answer.error;
  return ERROR_BYTES + message.length + (content === undefined ? 0 : JSON.stringify(content).length);
}
