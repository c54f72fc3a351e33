import type { ToolAnswer } from '../../execute/run.ts';

/** Answers of all runs that no run has taken yet, in bytes, roughly. What is over is read from the store when its run takes it. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const ERROR_BYTES = 1_024;

/** Counts answers that wait in memory for their runs. */
export class AnswerMemory {
  readonly #most: number;
  #bytes = 0;

  constructor(most = MAX_ANSWER_BYTES) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False when there is no room: then nothing was taken. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#most) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** How much memory an answer takes, roughly. */
export function sizeOf(answer: ToolAnswer): number {
  if (answer.ok) return answer.value.length;
  return ERROR_BYTES + (answer.error.content === undefined ? 0 : JSON.stringify(answer.error.content).length);
}
