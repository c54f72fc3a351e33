import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Checker } from '../../src/check/checker.ts';
import { CATALOG, openChecker, SIGNAL, wrappersOf } from './fixture.ts';

const wrappers = await wrappersOf(CATALOG);
let checker: Checker;
beforeAll(async () => {
  checker = openChecker();
  await checker.check({ code: 'return 0;', wrappers }, SIGNAL);
});
afterAll(() => checker.close());

test('a principal with one program waits for some of another that has thirty, and not for all', async () => {
  const checked: string[] = [];
  const check = async (owner: string, n: number): Promise<void> => {
    await checker.check({ code: `const n: number = ${n};\nreturn n;`, wrappers, owner }, SIGNAL);
    checked.push(owner);
  };
  const greedy = Array.from({ length: 30 }, (_, n) => check('greedy', n));
  await Promise.all([...greedy, check('modest', 31)]);
  // One or two are with the processes already, and one may have had its turn.
  expect(checked.indexOf('modest')).toBeLessThanOrEqual(4);
});
