import { harmlessLine } from '../result/harmless-text.ts';
import type { Difference } from '../replay/compare.ts';
import type { Replayed, ReplayedCall } from '../replay/replay.ts';

/** What is shown of arguments, answers and differences, in characters. */
const SHOWN_CHARS = 200;

/** One call on one line: number, run's clock, fuel, tool, arguments, answer. */
export function callLine(call: ReplayedCall): string {
  return `${madeCall(call)}  ${answerOf(call)}`;
}

/** The same of one that is pending, whatever it is answered later. */
export function pendingLine(call: ReplayedCall): string {
  return `${madeCall(call)}  (pending)`;
}

function madeCall({ number, atMs, fuel, server, tool, arguments: text }: ReplayedCall): string {
  const at = `+${atMs.toLocaleString('en')} ms`.padStart(12);
  const used = `${fuel.toLocaleString('en')} fuel`.padStart(20);
  return `${`#${number}`.padStart(6)}${at}${used}  ${harmlessLine(`${server}.${tool}`)} ${shown(text)}`;
}

function answerOf({ answer }: ReplayedCall): string {
  if (answer === undefined) return '(no answer)';
  return answer.ok ? `→ ${shown(answer.value)}` : `→ ${answer.error.code}: ${shown(answer.error.message)}`;
}

/** How a replay went: in one sentence, and what it waits for where it stopped. */
export function verdict(replayed: Replayed): string[] {
  const { status, differences, outcome, endedFromOutside } = replayed;
  const notes = differences.filter(({ isNote }) => isNote === true);
  if (status === 'stopped') return stopped(replayed);
  if (status === 'different') {
    const count = differences.length - notes.length;
    return [`Different: ${count} ${count === 1 ? 'thing is' : 'things are'} not as recorded.`, ...differences.flatMap(differenceLines)];
  }
  const outside = endedFromOutside === undefined ? [] : [fromOutside(endedFromOutside)];
  return [`Same: ${whole(outcome, endedFromOutside)}.`, ...outside, ...notes.flatMap(differenceLines)];
}

function fromOutside(code: string): string {
  return `The recorded run was ended from outside (${code}), which cannot be repeated: what it did up to there is compared.`;
}

function stopped({ pending, nextTimerMs, outcome }: Replayed): string[] {
  const calls = pending.length === 0 ? [] : [count(pending.length, 'call')];
  const timer = nextTimerMs === undefined ? [] : [`a timer, due at +${nextTimerMs.toLocaleString('en')} ms`];
  const waits = [...calls, ...timer];
  if (waits.length === 0 && outcome) return [`The run ends, and that is not written down yet: ${whole(outcome)}.`];
  const used = outcome === undefined ? '' : `, after ${outcome.fuel.toLocaleString('en')} fuel`;
  return [`Stopped${used}. It waits for ${waits.join(' and ') || 'nothing'}.`, ...pending.map(pendingLine)];
}

function whole(outcome: Replayed['outcome'], endedFromOutside?: string): string {
  const { status = 'failed', code, calls = [], logs = [], fuel = 0 } = outcome ?? {};
  const end = endedFromOutside === undefined ? (code ?? status) : 'up to its end';
  return `${end}, ${count(calls.length, 'call')}, ${count(logs.length, 'log line')}, ${fuel.toLocaleString('en')} fuel`;
}

/** One difference, each side on a line of its own, from where they begin to differ. */
export function differenceLines({ what, recorded, replayed, isNote }: Difference): string[] {
  const from = Math.max(0, firstDifference(recorded, replayed) - SHOWN_CHARS / 4);
  const cut = (text: string): string => `${from > 0 ? '…' : ''}${shown(text.slice(from))}`;
  return [
    `  ${harmlessLine(what)}${isNote === true ? ' (another engine: only a note)' : ''}`,
    `    recorded  ${cut(recorded)}`,
    `    replayed  ${cut(replayed)}`,
  ];
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

function shown(text: string): string {
  return harmlessLine(text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text);
}

function count(many: number, what: string): string {
  return `${many.toLocaleString('en')} ${what}${many === 1 ? '' : 's'}`;
}
