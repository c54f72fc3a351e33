import { array, constantFrom, oneof, sample, string } from 'fast-check';
import { beforeAll, expect, inject, test } from 'vitest';
import { type Engine, openEngine, runProgram } from '../harness.ts';
import { type Call, differences } from './intl-against-node.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});

const GRANULARITIES = ['grapheme', 'word', 'sentence'];
const BODY = `const segmenter = new Intl.Segmenter(locale, options);
  return values.map((text) => [...segmenter.segment(text)].map(({ segment, index, isWordLike }) => [segment, index, isWordLike]))`;

const TEXTS = [
  '',
  'Hello, big world! It is 3.14 or 1,000.5; don\'t "stop" at e.g. here. Or (here.) Yes.',
  '👍🏽👩‍👩‍👧‍👦🏳️‍🌈❤️‍🔥🧑🏿‍🚀 1️⃣#️⃣ a\u200d💩',
  '🇩🇪🇫🇷🇯 🇺🇸🇺 x🇬🇧🇬🇧🇬y',
  '한국어 단어 각각 \u1112\u1161\u11ab\u1100\u1161 ㅋㅋ',
  'क्षत्रिय क्‍ष क्\u200cष नमस्ते। संयुक्त অক্ষর ക്ഷ ਕ੍ਸ తెలుగు',
  'a\r\nb\n\rc\r\r\n\u0085d\u2028e\u2029f\u000bg\n',
  'e\u0301\u0323o\u0308 \u0301x \u200b\ufeff\u00ad-\u00ada z\u0335\u0336\u0337',
  'L\u2019été l\u2019a dit: «Oui.» Non… Peut-être ? Si! ¿Qué? ¡No!',
  'שלום צה"ל ג\' א"ב" مرحبا بالعالم؟ نعم. Привет, мир! Γειά; σου. Բարեւ։',
  'a_b __ _ 1_2 a.b 1.a a:b a·b 3,5 3. 5 x@y.zz https://a.bc/d?e=f#g  two  spaces\t\ttabs',
  'U.S.A. is. 3.4. Mr. Smith went. etc. and on. A.b A.B a.B?! "No." (Yes.) next',
  '\ud800a\udc00 \ud83d',
];

test('characters, words and sentences are those of Node', () => {
  const calls = GRANULARITIES.map((granularity): Call => ({ locale: 'en', options: { granularity }, values: TEXTS }));
  expect(differences(engine, BODY, calls)).toEqual([]);
});

/** What dictionaries split in Node, and Khitan filler, which is a word there. */
const BY_DICTIONARY =
  /[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u309b-\u30ff\uff70\uff9e\uff9f]/u;

const PIECES = [
  'a B ß 1 2 . , \' " : ; ? ! ( ) _ - · ’ … । ۔ \u0301 \u00ad \u200d \u200c \u093f \u094d क א ب ж Ω ა ㎏ 🇦 😀 👍🏽 Ⓜ ❤️ ಕ ക്ഷ 𝒜 𐐀 ᠠ ⵣ ꦏ ደ'.split(
    ' ',
  ),
  [' ', '\n', '\r', '\t', '\u00a0', '\u2028', 'the ', 'Dr. '],
].flat();
const texts = array(oneof({ weight: 4, arbitrary: constantFrom(...PIECES) }, string({ unit: 'binary', maxLength: 2 })), {
  maxLength: 24,
});

test('so are those of random texts in many scripts', () => {
  const values = sample(texts, { numRuns: inject('engineKind') === 'quickjs' ? 1_200 : 800, seed: 4 }).map((pieces) => pieces.join(''));
  const calls = GRANULARITIES.map((granularity): Call => {
    return {
      locale: 'en',
      options: { granularity },
      values: granularity === 'word' ? values.filter((text) => !BY_DICTIONARY.test(text)) : values,
    };
  });
  expect(calls[1]?.values.length).toBeGreaterThan(500);
  expect(differences(engine, BODY, calls)).toEqual([]);
});

test('words that Node takes from a dictionary are split by the rules alone', () => {
  const code = `return input.map((text) => [...new Intl.Segmenter('en', { granularity: 'word' }).segment(text)].map((s) => s.segment + (s.isWordLike ? '+' : '')).join('|'))`;
  const { result } = runProgram(engine, code, { input: ['東京タワーへ。', 'สวัสดีครับ ขอบคุณ', '한국어 단어', 'カ_a'] });
  expect(result).toEqual(['東+|京+|タワー+|へ+|。', 'สวัสดีครับ+| |ขอบคุณ+', '한국어+| |단어+', 'カ_a+']);
});

test('containing finds the segment of an index, in whatever order it is asked', () => {
  const body = `const segments = new Intl.Segmenter(locale, options).segment(values[0]);
    return [40, 0, 3, 7, 1, -1, 1e9, 5.9, '2', undefined, NaN, -0.5, Infinity, -Infinity].map((index) => segments.containing(index) ?? 'none').concat(segments.containing(), [...segments].length)`;
  const calls = GRANULARITIES.map((granularity): Call => ({ locale: 'en', options: { granularity }, values: [TEXTS[1]] }));
  expect(differences(engine, body, calls)).toEqual([]);
});

test('locales and options are read as in Node', () => {
  const body = `return [new Intl.Segmenter(locale, ...values).resolvedOptions(), Intl.Segmenter.supportedLocalesOf([locale, 'en-US', 'en-u-kn'], ...values)]`;
  const bags = [
    undefined,
    {},
    { granularity: 'word' },
    { granularity: 'line' },
    { localeMatcher: 'lookup' },
    { localeMatcher: 'x' },
    null,
    1,
    'word',
  ];
  const calls = ['en', 'en-US', 'en-u-kn-true', '_'].flatMap((locale) =>
    bags.map((bag): Call => ({ locale, options: {}, values: bag === undefined ? [] : [bag] })),
  );
  expect(differences(engine, body, calls)).toEqual([]);
});

test('segments and their iterators have the members and attributes of Node', () => {
  const body = `const of = (owner) => Reflect.ownKeys(owner).map((key) => { const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(owner, key);
      return [String(key), typeof value, value.name ?? value, value.length, writable, enumerable, configurable] }).sort((a, b) => a[0] < b[0] ? -1 : 1);
    const segmenter = new Intl.Segmenter('en'); const segments = segmenter.segment('ab'); const iterator = segments[Symbol.iterator]();
    const proto = Object.getPrototypeOf; const thrown = (f) => { try { return f() } catch (e) { return e.name } };
    return [of(proto(segments)), of(proto(iterator)), of(segments), of(iterator), proto(proto(iterator)) === Iterator.prototype, proto(proto(segments)) === Object.prototype,
      Object.prototype.toString.call(segmenter), String(iterator), iterator[Symbol.iterator]() === iterator, iterator.next(), iterator.next(), iterator.next(), iterator.next(), iterator.map((x) => x).toArray(),
      Object.keys([...new Intl.Segmenter('en', { granularity: 'word' }).segment('a')][0]), thrown(() => Intl.Segmenter()), thrown(() => segmenter.segment(Symbol('x'))), [...segmenter.segment()].length,
      thrown(() => proto(segments).containing.call({}, 0)), thrown(() => proto(iterator).next.call({})), thrown(() => Intl.Segmenter.prototype.segment.call({}, ''))]`;
  expect(differences(engine, body, [{ locale: 'en', options: {}, values: [] }])).toEqual([]);
});

test('time grows with the text and not with its square, also where the rules look ahead', () => {
  const parts = ['Some words, and 3.5 more. ', "a'\u0301\u200d", '. 1 ', '🇩🇪', 'क्'];
  const code = `const took = [];
    for (const part of input) for (const granularity of ['grapheme', 'word', 'sentence']) {
      const text = part.repeat(Math.ceil(30_000 / part.length));
      let length = 0;
      for (const { segment } of new Intl.Segmenter('en', { granularity }).segment(text)) length += segment.length;
      if (length !== text.length) took.push(part + granularity);
    }
    return took`;
  const from = performance.now();
  expect(runProgram(engine, code, { input: parts }).result).toEqual([]);
  expect(performance.now() - from).toBeLessThan(10_000);
});
