import type { LargeOutcome, LogEntry, RunOutcome } from './run.ts';

/** From this size on a part of an outcome goes beside the message and stays bytes: JSON in JSON would be read and written twice. */
const LARGE_BYTES = 64 * 1024;

/** Worker: an outcome as JSON text, and apart from it what is large. Mostly that is bytes already. */
export function splitOutcome({ large, ...outcome }: RunOutcome): { outcome: string; large?: LargeOutcome } {
  const { end, logs } = outcome;
  const result = large?.result ?? (end.status === 'completed' && end.result.length > LARGE_BYTES ? bytesOf(end.result) : undefined);
  const lines = large?.logs ?? (isLarge(logs) ? bytesOf(logs.map((entry) => `${JSON.stringify(entry)}\n`).join('')) : undefined);
  if (!result && !lines) return { outcome: JSON.stringify(outcome) };
  const rest = { ...outcome, ...(result && { end: { ...end, result: '' } }), ...(lines && { logs: [] }) };
  return { outcome: JSON.stringify(rest), large: { ...(result && { result }), ...(lines && { logs: lines }) } };
}

/** Executor: how many bytes of the payload are what, as JSON text. */
export function sizesText({ result, logs }: LargeOutcome): string {
  return `{"result":${result?.length ?? 0},"logs":${logs?.length ?? 0}}`;
}

/** Executor: the payload. */
export function joinLarge({ result, logs }: LargeOutcome): Uint8Array {
  return result && logs ? Buffer.concat([result, logs]) : (result ?? logs ?? new Uint8Array());
}

/** Gateway: the large parts of an outcome. */
export function splitLarge(sizes: { readonly result: number; readonly logs: number }, payload: Uint8Array): LargeOutcome {
  const result = sizes.result > 0 ? payload.subarray(0, sizes.result) : undefined;
  const logs = sizes.logs > 0 ? payload.subarray(sizes.result) : undefined;
  return { ...(result && { result }), ...(logs && { logs }) };
}

function isLarge(logs: readonly LogEntry[]): boolean {
  let characters = 0;
  for (const { message } of logs) characters += message.length + ENTRY_CHARACTERS;
  return characters > LARGE_BYTES;
}

/** What the JSON of an entry has around its message. */
const ENTRY_CHARACTERS = 32;

/** Memory of its own, because it changes threads. */
function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
