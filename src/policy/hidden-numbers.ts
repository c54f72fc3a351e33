import type { RunOutcome, ToolAnswer } from '../execute/run.ts';
import { changeNumbers } from './json-numbers.ts';
import type { Hide } from './personal-data.ts';

/** An outcome without personal data in the numbers of its result; its texts are hidden when they are shown. */
export function outcomeWithoutNumbers(outcome: RunOutcome, hide: Hide): RunOutcome {
  const { end, large } = outcome;
  if (end.status !== 'completed') return outcome;
  const result = changeNumbers(end.result, (value, key) => hide.number(value, key));
  const bytes = large?.result && bytesWithoutNumbers(large.result, hide);
  return { ...outcome, end: { ...end, result }, ...(large && { large: { ...large, ...(bytes && { result: bytes }) } }) };
}

/** The same of an answer that is kept whole for the model; any other as it is. */
export function answerWithoutNumbers(answer: ToolAnswer, hide: Hide): ToolAnswer {
  if (answer.ok || answer.error.whole === undefined) return answer;
  return { ok: false, error: { ...answer.error, whole: bytesWithoutNumbers(answer.error.whole, hide) } };
}

function bytesWithoutNumbers(json: Uint8Array, hide: Hide): Uint8Array {
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('latin1');
  return Buffer.from(
    changeNumbers(text, (value, key) => hide.number(value, key)),
    'latin1',
  );
}
