import type { Diagnostic } from '../errors.ts';
import type { OnCall } from '../execute/run-handle.ts';
import type { ToolAnswer } from '../execute/run.ts';
import type { KeptResults, PageBounds } from '../kept-result/kept-results.ts';
import type { Limits } from '../limits.ts';
import type { ChangeText } from '../result/json-strings.ts';
import type { Keep } from '../result/keep.ts';
import { keepLargeAnswer, keptItemOf } from '../result/large-answer.ts';
import type { KeptItem } from '../result/output-schema.ts';

/** What one run keeps that is too large to be said at once. */
export interface RunResults {
  /** Name of the folder that the program may read kept results from. */
  readonly folder: string;
  /** Keeps something in the name of the run's principal. */
  readonly keep: Keep;
  /** What has been kept for the program during the run. */
  readonly kept: readonly KeptItem[];
  readonly warnings: readonly Diagnostic[];
  /** The same answers to tool calls, but one that is too large comes as an error that says where the whole is. */
  keeping(onCall: OnCall): OnCall;
  /** An answer from before a restart: what was kept of it is told at the end too. */
  recall(answer: ToolAnswer): void;
}

/** Answers of tools that one run may have kept: each can be as large as the disk allows. */
const MAX_KEPT_ANSWERS = 20;

export function openRunResults(
  results: KeptResults,
  principal: string,
  limits: Pick<Limits, 'maxKeptResultBytes'>,
  hide?: ChangeText,
): RunResults {
  const kept: KeptItem[] = [];
  const warnings: Diagnostic[] = [];
  const keep: Keep = (bytes, pages) => results.keep(principal, bytes, pages);
  return {
    folder: results.folderOf(principal),
    keep,
    kept,
    warnings,
    keeping: (onCall) => async (call, signal) => {
      const answer = await onCall(call, signal);
      if (answer.ok || answer.error.whole === undefined) return answer;
      const mayKeep = kept.length < MAX_KEPT_ANSWERS && answer.error.whole.length <= limits.maxKeptResultBytes;
      const told = await keepLargeAnswer(answer.error, { keep: mayKeep ? keep : undefined, hide });
      if (told.item) kept.push(told.item);
      if (told.warning && warnings.length < MAX_KEPT_ANSWERS) warnings.push(told.warning);
      return { ok: false, error: told.error };
    },
    recall: (answer) => {
      const item = answer.ok || kept.length >= MAX_KEPT_ANSWERS ? undefined : keptItemOf(answer.error);
      if (item) kept.push(item);
    },
  };
}

/** How much of a kept result is given at once: as much of a text as an answer may hold, and images as programs may read files. */
export function pageBounds({ maxResultBytes, maxFileBytes }: Pick<Limits, 'maxResultBytes' | 'maxFileBytes'>): PageBounds {
  return { maxBytes: maxResultBytes, maxMediaBytes: maxFileBytes };
}
