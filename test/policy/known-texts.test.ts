import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { KnownTexts } from '../../src/policy/known-texts.ts';

test('at every place the longest of the known texts is found, whatever came and went', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', 'é'), minLength: 0, maxLength: 6 });
  const known = fc.array(fc.record({ text: piece, isGone: fc.boolean() }), { maxLength: 12 });
  const start = 'aaaaab';
  fc.assert(
    fc.property(known, fc.array(piece, { maxLength: 6 }), (given, rest) => {
      const texts = new KnownTexts();
      const left = new Set<string>();
      for (const { text, isGone } of given) {
        const whole = start + text;
        if (isGone) texts.remove(whole);
        else texts.add(whole);
        if (isGone) left.delete(whole);
        else left.add(whole);
      }
      const text = rest.map((end) => start + end).join('');
      const expected: { from: number; to: number }[] = [];
      for (let from = 0; from < text.length; from++) {
        const longest = Math.max(0, ...[...left].filter((one) => text.startsWith(one, from)).map(({ length }) => length));
        if (longest > 0) expected.push({ from, to: from + longest });
        from += Math.max(0, longest - 1);
      }
      expect(texts.findIn(text)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('fewer than six characters are not looked for, and six are', () => {
  const texts = new KnownTexts();
  texts.add('abcde');
  expect(texts.findIn('abcde abcde')).toEqual([]);
  texts.add('abcdef');
  expect(texts.findIn('xabcdef')).toEqual([{ from: 1, to: 7 }]);
});

test('many that begin alike take no time of their own at each place', () => {
  const texts = new KnownTexts();
  for (let length = 6; length <= 64; length++) texts.add(`${'a'.repeat(length)}@b.co`);
  for (let length = 20; length <= 200; length++) texts.add(`sk-${'a-'.repeat(length).slice(0, length)}`);
  const began = performance.now();
  expect(texts.findIn('a'.repeat(300_000))).toEqual([]);
  expect(texts.findIn('sk-a-a'.repeat(100_000))).toEqual([]);
  expect(performance.now() - began).toBeLessThan(2_500);
});
