import { expect } from 'vitest';
import { type Engine, runProgram } from '../harness.ts';

/** Numbers that are the same in every run of the tests. */
export function seeded(seed: number): <T>(choices: readonly T[]) => T {
  let state = seed;
  return (choices) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return choices[(state >> 8) % choices.length]!;
  };
}

/** One call: the constructor's arguments, and those of the method. Numbers that JSON does not have are texts. */
export interface Call {
  readonly locale: string;
  readonly options: object;
  readonly values: readonly unknown[];
}

/**
 * Makes the same calls in the guest and in this process. Tells where the answers, a value or the name of what was thrown, differ.
 *
 * @param body of a function of `Intl`, `locale`, `options` and `values`, in JavaScript.
 */
export function differences(engine: Engine, body: string, calls: readonly Call[]): string[] {
  const code = `const call = (Intl, { locale, options, values }) => { ${body} };
    const answer = (one) => { try { return call(Intl, one) } catch (e) { return e.name } };`;
  // oxlint-disable-next-line typescript/no-implied-eval -- the same text as in the guest
  const here = new Function('Intl', 'calls', `${code} return calls.map(answer);`) as (
    intl: typeof Intl,
    calls: readonly Call[],
  ) => unknown[];
  const expected = here(Intl, calls);
  const { result, ending } = runProgram(engine, `${code} return input.map(answer);`, { input: calls });
  expect(ending).toEqual({ status: 'completed' });
  const found = result as unknown[];
  const text = (value: unknown): string => JSON.stringify(value) ?? 'undefined';
  return calls.flatMap((call, i) => {
    const [mine, theirs] = [text(found[i]), text(expected[i])];
    return mine === theirs ? [] : [`${text(call)}\n  here: ${mine}\n  Node: ${theirs}`];
  });
}
