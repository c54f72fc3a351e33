import { isDeepStrictEqual } from 'node:util';
import type { ToolAnswer } from '../../src/execute/run.ts';

/** The image of the so-manieth hibernation. */
export function imageOf(hibernation: number): Uint8Array {
  return new Uint8Array(50_000).fill(hibernation % 251);
}

/** Repeated so often it is written directly, or by the store's thread. */
const [SHORT, LONG] = [400, 70_000];

/** The answer to the so-manieth call. */
export function answerTo(number: number, isLong: boolean): ToolAnswer {
  return { ok: true, value: String(number).repeat(isLong ? LONG : SHORT) };
}

/** Whether it is one of the two. */
export function isAnswerTo(number: number, answer: ToolAnswer | undefined): boolean {
  return [true, false].some((isLong) => isDeepStrictEqual(answer, answerTo(number, isLong)));
}
