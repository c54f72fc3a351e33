import type { RunOutcome } from '../execute/run.ts';

/** A longer outcome is not kept for comparisons, in bytes: what it shows of the run is in the answer. */
const MAX_BYTES = 8 * 1024 * 1024;

/** The outcome as JSON text for the store, with what is too large for one message in its place; undefined for one that is too large for it too. */
export function outcomeText({ large, ...outcome }: RunOutcome): string | undefined {
  if (large === undefined) return JSON.stringify(outcome);
  const { result, logs } = large;
  if ((result?.length ?? 0) + (logs?.length ?? 0) > MAX_BYTES) return undefined;
  const end = result ? { ...outcome.end, result: text(result) } : outcome.end;
  return JSON.stringify({ ...outcome, end, ...(logs && { logs: linesOf(text(logs)) }) });
}

function linesOf(logs: string): unknown[] {
  return logs
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
