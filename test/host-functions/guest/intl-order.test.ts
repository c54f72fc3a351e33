import { beforeAll, expect, test } from 'vitest';
import { type Engine, openEngine, runProgram } from '../harness.ts';
import { type Call, differences, seeded } from './intl-against-node.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});

const ALPHABETS = [
  'abcABC',
  'aáàâäãåāæAÄ',
  'oóòöøœ',
  'ssßSẞ',
  'a b-c_d.,;',
  '0123456789',
  'item10 ',
  'éèêëeE',
  'αβγάΑΩω',
  'абвйиёеЖж',
  'ñnňN',
  '"\'!?@#$%^&*()[]{}<>|~`+=',
  'ａＡ①½ﬁ…',
  '💩🎉z',
  '日本語',
  'łŁlĿđð',
  '\u0301\u0308aé',
  'ĳIJij',
];
const OPTIONS = [
  {},
  { sensitivity: 'base' },
  { sensitivity: 'accent' },
  { sensitivity: 'case' },
  { numeric: true },
  { ignorePunctuation: true },
  { caseFirst: 'upper' },
  { caseFirst: 'lower' },
  { numeric: true, sensitivity: 'base' },
];

/** Texts of a few characters; every other one is nearly like the one before. */
function texts(count: number): string[] {
  const pick = seeded(5);
  const lengths = [1, 2, 3, 4, 5];
  const all: string[] = [];
  while (all.length < count) {
    const characters = Array.from(pick(ALPHABETS) + pick(ALPHABETS));
    const text = Array.from({ length: pick(lengths) }, () => pick(characters)).join('');
    all.push(text, Array.from(text, (char) => pick([char, char, char.toUpperCase(), Array.from(char.normalize('NFD'))[0] ?? ''])).join(''));
  }
  return all;
}

test('texts are in the order of Node, with every option', () => {
  const values = texts(800);
  const body = `const { compare } = new Intl.Collator(locale, options); return values.map((a, i) => compare(a, values[i + 1] ?? '') + compare(a, values[i + 7] ?? '')).join('')`;
  expect(
    differences(
      engine,
      body,
      OPTIONS.map((options): Call => ({ locale: 'en', options, values })),
    ),
  ).toEqual([]);
});

test('localeCompare sorts as in Node', () => {
  const words =
    'Zebra apple Äpfel apfel Apple zoo éclair eclair 10 9 2 file10 file9 file-2 file_1 co-op coop café cafe naïve naive résumé resume résume'.split(
      ' ',
    );
  const body = 'return [...values].sort((a, b) => a.localeCompare(b, locale, options))';
  expect(
    differences(
      engine,
      body,
      OPTIONS.map((options): Call => ({ locale: 'en', options, values: words })),
    ),
  ).toEqual([]);
  expect(runProgram(engine, `return ['b', 'a', 'Ä', 'z', 'A', undefined].sort((a, b) => a.localeCompare(b))`).result).toEqual([
    'a',
    'A',
    'Ä',
    'b',
    'z',
    null,
  ]);
});

test('the extension of a locale and the options are told as in Node', () => {
  const body = 'return new Intl.Collator(locale, options).resolvedOptions()';
  expect(
    differences(engine, body, [
      { locale: 'en', options: {}, values: [] },
      { locale: 'en-u-kn-true', options: {}, values: [] },
      { locale: 'en-u-kf-upper', options: {}, values: [] },
      { locale: 'en', options: { sensitivity: 'base', ignorePunctuation: true, usage: 'search' }, values: [] },
      { locale: 'en', options: { sensitivity: 'none' }, values: [] },
    ]),
  ).toEqual([]);
});
