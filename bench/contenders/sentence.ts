import type { ProgramComparison } from '../result.ts';
import { isOurs, NEVER_SEEN, SEEN } from './names.ts';

/** Less than this apart is called as fast as. */
const SAME = 1.15;

/** What the figures say of ours beside the others, in words: first where another is faster. */
export function comparisonSentence(program: string, contenders: ProgramComparison['contenders']): string {
  const ours = contenders.find(({ name }) => name === SEEN)?.sample.p50 ?? Number.NaN;
  const never = contenders.find(({ name }) => name === NEVER_SEEN)?.sample.p50 ?? Number.NaN;
  const others = contenders.filter(({ name }) => !isOurs(name)).map(({ name, sample }) => ({ name, p50: sample.p50 }));
  const faster = others.filter(({ p50 }) => p50 * SAME < ours).sort((a, b) => a.p50 - b.p50);
  const slower = others.filter(({ p50 }) => p50 > ours * SAME).sort((a, b) => a.p50 - b.p50);
  const same = others.filter(({ p50 }) => p50 * SAME >= ours && p50 <= ours * SAME);
  const parts = [
    faster.length === 0
      ? 'nobody is faster'
      : `faster than ours ${faster.length === 1 ? 'is' : 'are'} ${list(faster.map(({ name, p50 }) => `${name} (${times(ours / p50)})`))}`,
    ...(same.length === 0 ? [] : [`about as fast ${same.length === 1 ? 'is' : 'are'} ${list(same.map(({ name }) => name))}`]),
    ...(slower.length === 0
      ? []
      : [`slower ${slower.length === 1 ? 'is' : 'are'} ${list(slower.map(({ name, p50 }) => `${name} (${times(p50 / ours)})`))}`]),
  ];
  const unseen = others.filter(({ p50 }) => p50 * SAME < never);
  const added = `never seen before it takes ${milliseconds(never)}${unseen.length > faster.length ? `, longer than ${unseen.length} of the others` : ''}`;
  return `${capital(program)}: with ${milliseconds(ours)} for ours, ${[...parts, added].join('; ')}.`;
}

/** Who is faster than ours in how many of the programs, in words. */
export function summarySentence(comparisons: readonly ProgramComparison[]): string {
  const wins = new Map<string, number>();
  for (const { contenders } of comparisons) {
    const ours = contenders.find(({ name }) => name === SEEN)?.sample.p50 ?? Number.NaN;
    const faster = contenders.filter(({ name, sample }) => !isOurs(name) && sample.p50 * SAME < ours);
    for (const { name } of faster) wins.set(name, (wins.get(name) ?? 0) + 1);
  }
  const sorted = [...wins].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} in ${count}`);
  const words = sorted.length === 0 ? 'nobody in any' : list(sorted);
  return `Faster than ours with a program seen before, of ${comparisons.length} programs: ${words}.`;
}

function list(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

function times(factor: number): string {
  return `${factor < 10 ? factor.toFixed(1) : factor.toFixed(0)} times`;
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
