import type { ToolAnswer } from '../../execute/run.ts';
import { MemoryShares } from '../../memory-shares.ts';

const MIB = 1024 * 1024;
const MAX_ANSWER_BYTES = 64 * MIB;
const MAX_ARGUMENT_BYTES = 256 * MIB;
const MAX_UNWRITTEN_BYTES = 256 * MIB;
const ERROR_BYTES = 1_024;

/** What the calls of all runs have in memory, in bytes, roughly. Each principal has its share. */
export interface CallMemory {
  /**
   * Answers that no run has taken yet. What is over is read from the store when its run takes it; where the store has no room either the program gets an
   * error for the call.
   */
  readonly answers: MemoryShares;
  /** Arguments of calls whose answers no run has taken yet, also of runs that are put away. A call that is over is not made. */
  readonly arguments: MemoryShares;
  /** Answers that are on their way to the store, which may be slower than tools. One that is over is an error of its call. */
  readonly unwritten: MemoryShares;
}

/** The bounds of each; a test has others. */
export type CallMemoryBytes = { readonly [name in keyof CallMemory]?: number };

export function createCallMemory(most: CallMemoryBytes = {}): CallMemory {
  return {
    answers: new MemoryShares(most.answers ?? MAX_ANSWER_BYTES),
    arguments: new MemoryShares(most.arguments ?? MAX_ARGUMENT_BYTES),
    unwritten: new MemoryShares(most.unwritten ?? MAX_UNWRITTEN_BYTES),
  };
}

/** How much memory an answer takes, roughly. */
export function sizeOf(answer: ToolAnswer): number {
  if (answer.ok) return answer.value.length;
  const { message, content } = answer.error;
  return ERROR_BYTES + message.length + (content === undefined ? 0 : JSON.stringify(content).length);
}
