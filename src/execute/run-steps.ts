import type { RunStep } from './run.ts';

const WORD_BYTES = 8;
/** Calls that one step can settle: as many as a run may have running. */
const MAX_CALLS_OF_STEP = 1_000;

/** The steps of a run as bytes: for each the number of its calls, its clock and its calls, as 64-bit floating point numbers. */
export function encodeSteps(steps: readonly RunStep[]): Uint8Array {
  let words = 0;
  for (const step of steps) words += 1 + step.length;
  const bytes = new Uint8Array(words * WORD_BYTES);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const write = (word: number): void => {
    view.setFloat64(at, word, true);
    at += WORD_BYTES;
  };
  for (const step of steps) {
    write(step.length - 1);
    for (const word of step) write(word);
  }
  return bytes;
}

/** @throws TypeError when the bytes are no steps */
export function decodeSteps(bytes: Uint8Array): RunStep[] {
  if (bytes.length % WORD_BYTES !== 0) throw broken();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const steps: RunStep[] = [];
  for (let at = 0; at < bytes.length;) {
    const count = view.getFloat64(at, true);
    at += WORD_BYTES;
    if (!Number.isInteger(count) || count < 0 || count > MAX_CALLS_OF_STEP || at + (1 + count) * WORD_BYTES > bytes.length) throw broken();
    const now = view.getFloat64(at, true);
    if (!Number.isFinite(now)) throw broken();
    const calls = Array.from({ length: count }, (_, index) => view.getFloat64(at + (1 + index) * WORD_BYTES, true));
    if (!calls.every((call) => Number.isSafeInteger(call) && call >= 1)) throw broken();
    steps.push([now, ...calls]);
    at += (1 + count) * WORD_BYTES;
  }
  return steps;
}

function broken(): TypeError {
  return new TypeError('the steps of the run are not what they should be');
}
