import type { CallRecord } from '../execute/run.ts';
import { clipText, harmlessText } from './harmless-text.ts';
import type { ChangeText } from './json-strings.ts';
import type { ExecuteOutput } from './output-schema.ts';
import { thousandths } from './usage.ts';

const NAME_CHARS = 128;
/** Up to so many calls are told one by one; of more, those that are alike are told once. */
const MAX_SINGLE = 100;
/** Entries at most: a program can call a thousand tools that do not exist. `usage.toolCalls` counts all. */
const MAX_ENTRIES = 200;

type ToldCall = ExecuteOutput['calls'][number];

/** The calls of a run as an answer has them: a thousand alike are one entry with `times`, because every entry costs the model tokens. */
export function toldCalls(calls: readonly CallRecord[], hide: ChangeText | undefined): ToldCall[] {
  const told = calls.map((call) => describeCall(call, hide));
  return told.length <= MAX_SINGLE ? told : summed(told).slice(0, MAX_ENTRIES);
}

function summed(calls: readonly ToldCall[]): ToldCall[] {
  const sums = new Map<string, ToldCall & { times: number }>();
  for (const call of calls) {
    const key = JSON.stringify([call.server, call.tool, call.ok, call.code]);
    const sum = sums.get(key);
    if (sum) Object.assign(sum, { ms: thousandths(sum.ms + call.ms), times: sum.times + 1 });
    else sums.set(key, { ...call, times: 1 });
  }
  return [...sums.values()].map(({ times, ...call }) => (times === 1 ? call : { ...call, times }));
}

/** A program can call a server and a tool of any name: what is told of it is bounded. */
function describeCall({ server, tool, ok, ms, code }: CallRecord, hide: ChangeText = (text) => text): ToldCall {
  const name = (text: string): string => harmlessText(clipText(hide(text), NAME_CHARS));
  return { server: name(server), tool: name(tool), ok, ms: thousandths(ms), ...(code !== undefined && { code }) };
}
