import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ToolAnswer } from '../execute/run.ts';

/** Time that looking through an answer takes before others have their turn. */
const SLICE_MS = 5;

/** Takes the steps until they or the reason for them are over, with turns of others in between. */
export async function inSlices(steps: Iterable<void>, isOver: () => boolean = () => false): Promise<void> {
  let began = performance.now();
  for (const _ of steps) {
    if (isOver()) return;
    if (performance.now() - began < SLICE_MS) continue;
    await nextTurn();
    began = performance.now();
  }
}

/** All of an answer that the program, or a later one, may get to see. */
export function valueOf(answer: ToolAnswer): unknown {
  if (answer.ok) return JSON.parse(answer.value);
  const { message, hint, content, whole } = answer.error;
  return [message, hint, content, whole && JSON.parse(Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString('utf8'))];
}
