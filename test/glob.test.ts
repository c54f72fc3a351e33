import { expect, test } from 'vitest';
import { compileGlob } from '../src/glob.ts';

test.each([
  ['*', 'anything/at.all', true],
  ['list_*', 'list_issues', true],
  ['list_*', 'delete_list_issues', false],
  ['*_*_*', 'a_b_c', true],
  ['*_*_*', 'a_b', false],
  ['mail.*', '.mail', false],
  ['a?c', 'a/c', true],
  ['{get,list}*_[a-c]*', 'get_it_b', true],
  ['{get,list}*_[a-c]*', 'put_it_b', false],
  ['*!(x)', 'y', true],
  ['a+b*c*d', 'a+b--c--d', true],
  ['(weird', '(weird', true],
])('%s on %s is %s', (glob, name, expected) => {
  expect(compileGlob(glob)(name)).toBe(expected);
});

test('a name that is made for a glob with many stars is compared in no time', () => {
  const matches = compileGlob('*a*a*a*a*a*b');
  const from = performance.now();
  expect(matches('a'.repeat(256))).toBe(false);
  expect(matches(`${'a'.repeat(20_000)}b`)).toBe(true);
  expect(performance.now() - from).toBeLessThan(3_000);
});
