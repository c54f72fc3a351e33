import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeenValues } from '../../src/policy/seen-values.ts';

const NO_WORDS = new Set<string>();
const memory = () => ({ slots: 0, maxSlots: 1 << 26 });

function seen(value: unknown, options: { minLength?: number; pieceLength?: number; words?: Set<string> } = {}): SeenValues {
  const { minLength = 8, pieceLength = 24, words = NO_WORDS } = options;
  const values = new SeenValues({ minLength, pieceLength, memory: memory() });
  values.note(value, words);
  return values;
}

const MAIL = {
  id: 90_817_263,
  from: 'Jo Doe <jo.doe@example.org>',
  subject: 'Project Bluebird',
  status: 'unread',
  body: 'Dear Sam,\nthe offer for Project Bluebird stands at 4.2 million. Call me at +49 170 1234567 or 01701234567.\nIBAN: DE02120300000000202051.',
};

describe('what a source has answered is found', () => {
  test.each<[string, unknown, string]>([
    ['as the whole argument', { text: 'Project Bluebird' }, '$.text'],
    ['inside of a longer text, with nothing around it', { text: 'xProject Bluebirdy' }, '$.text'],
    ['in other letters', { text: 'PROJECT BLUEBIRD' }, '$.text'],
    ['at any depth', { a: [{ b: [[{ c: 'see Project Bluebird' }]] }] }, '$.a[0].b[0][0].c'],
    ['as the name of a member', { a: { 'Project Bluebird': 1 } }, 'a key of $.a'],
    ['a number as a number', { n: 90_817_263 }, '$.n'],
    ['a number in a text', { n: 'id=90817263;' }, '$.n'],
    ['an address in a text', { to: 'jo.doe@example.org' }, '$.to'],
    ['digits of a text as a number', { n: 1_701_234_567 }, '$.n'],
    ['an account number in a text', { q: 'pay DE02120300000000202051 now' }, '$.q'],
    ['a piece of a text inside of another text', { q: `he says: ${MAIL.body.slice(20, 50)}!` }, '$.q'],
    ['words of a text as the whole argument', { q: 'the offer for' }, '$.q'],
  ])('%s', (_how, args, path) => {
    expect(seen(MAIL).find(args, NO_WORDS)).toBe(path);
  });
});

describe('what has nothing to do with it passes', () => {
  test.each<[string, unknown]>([
    ['other text', { text: 'The weather in Paris is fine, and the trains run on time.' }],
    ['a value that is too short', { text: 'unread' }],
    ['a single word of a text', { order: 'million', by: 'stands' }],
    ['names of fields', { subject: 1, status: 2, body: 3, from: 4 }],
    ['other numbers', { n: 12_345_678, m: 3.14 }],
  ])('%s', (_what, args) => {
    expect(seen(MAIL).find(args, NO_WORDS)).toBeUndefined();
  });

  test('words that the schema of a tool has itself', () => {
    const words = new Set(['Project Bluebird']);
    expect(seen(MAIL, { words }).find({ q: 'Project Bluebird' }, words)).toBeUndefined();
    expect(seen(MAIL).find({ q: 'Project Bluebird' }, words)).toBeUndefined();
  });
});

test('lengths are followed from the shortest one on, and pieces from theirs', () => {
  const values = seen(['1234567', '12345678', 'abcdefghijklmnopqrstuvwxyzabcdefghi']);
  expect(values.holds('x1234567x')).toBe(false);
  expect(values.holds('x12345678x')).toBe(true);
  expect(values.holds('-bcdefghijklmnopqrstuvwxy-')).toBe(true); // 24
  expect(values.holds('-bcdefghijklmnop-')).toBe(false); // 15, under every window
});

test('keys that may be data are followed, keys that name fields are not', () => {
  const values = seen({ 'jo.doe@example.org': 1, descriptionOfIt: 2, 'a key with spaces': 3, k12345678: 4 });
  expect(['jo.doe@example.org', 'a key with spaces', 'k12345678'].map((key) => values.holds(key))).toEqual([true, true, true]);
  expect(values.holds('descriptionOfIt')).toBe(false);
});

/** Texts of several words and scripts, as long as is followed. */
const text = fc.string({ unit: 'grapheme', minLength: 8, maxLength: 60 }).filter((value) => value.trim().toLowerCase().length >= 8);
const around = fc.string({ unit: 'grapheme', maxLength: 30 });
/** Puts a text somewhere into a JSON value. */
const nested = (leaf: string): fc.Arbitrary<unknown> =>
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constant(leaf),
      fc.tuple(fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 2 }), tie('value')).map(([more, value]) => [...more, value]),
      fc.tuple(fc.string({ maxLength: 6 }), tie('value')).map(([key, value]) => ({ [`k${key}`]: value })),
      fc.constant({ [leaf]: 1 }),
    ),
  })).value;

test('no value of the length gets through unchanged, whatever it is and wherever it is put', () => {
  fc.assert(
    fc.property(
      text.chain((value) => fc.tuple(fc.constant(value), nested(value), around, around, fc.array(fc.jsonValue(), { maxLength: 3 }))),
      ([value, source, before, after, noise]) => {
        const values = seen([noise, { list: [source], at: [value] }]);
        expect(values.find({ deep: [[{ to: before + value + after }]] }, NO_WORDS)).toBeDefined();
        expect(values.find({ deep: { [before + value + after]: 1 } }, NO_WORDS)).toBeDefined();
      },
    ),
    { numRuns: 300 },
  );
});

test('no number of as many digits gets through, as a number or in a text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.integer({ min: 10_000_000 }),
        fc.maxSafeInteger().filter((n) => Math.abs(n) >= 1e7),
      ),
      fc.boolean(),
      (n, isText) => {
        const values = seen({ rows: [{ n: isText ? String(n) : n }] });
        expect(values.find({ a: [n] }, NO_WORDS)).toBeDefined();
        expect(values.find({ a: `no ${n}!` }, NO_WORDS)).toBeDefined();
      },
    ),
  );
});

test('no piece of the length gets through, wherever it is cut out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 60, maxLength: 200 }), fc.nat(30), around, (long, from, before) => {
      const piece = long.trim().slice(from, from + 40);
      fc.pre(piece.trim().length >= 30);
      expect(seen([long]).holds(before + piece)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

describe('hostile answers', () => {
  test('ten megabytes are followed in bounded time and memory', () => {
    const shared = memory();
    const values = new SeenValues({ minLength: 8, pieceLength: 24, memory: shared });
    const words = Array.from({ length: 4_000 }, (_, n) => (n * 7_919).toString(36));
    const body = Array.from({ length: 2_000_000 }, (_, n) => words[(n * n + 3 * n) % 4_000])
      .join(' ')
      .slice(0, 10_000_000);
    const began = performance.now();
    values.note({ body }, NO_WORDS);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(shared.slots * 8).toBeLessThan(128 * 1024 * 1024);
    expect(values.holds(`x${body.slice(9_000_000, 9_000_060)}x`)).toBe(true);
    values.release();
    values.note({ body }, NO_WORDS);
    expect(shared.slots).toBe(0);
  });

  test('a million levels of nesting take no stack', () => {
    let deep: unknown = 'a secret value';
    for (let n = 0; n < 1_000_000; n++) deep = n % 2 === 0 ? [deep] : { a: deep };
    const values = seen(deep);
    expect(values.holds('a secret value')).toBe(true);
    expect(values.find(deep, NO_WORDS)).toMatch(/^\$.{10,200}\.\.\.$/);
  });

  test('more values than can be kept make everything suspect, and so does more memory than there is', () => {
    const values = seen(Array.from({ length: 200_000 }, (_, n) => `value no ${n}`));
    expect(values.isFull).toBe(false);
    values.note('value no 200000', NO_WORDS);
    expect(values.isFull).toBe(true);
    const small = new SeenValues({ minLength: 8, pieceLength: 24, memory: { slots: 0, maxSlots: 2_048 } });
    small.note(Array.from({ length: 20_000 }, (_, n) => (n * 104_729).toString(36)).join(' '), NO_WORDS);
    expect(small.isFull).toBe(true);
  });

  test('a text made of one character, and one of every character', () => {
    const values = seen(['a'.repeat(1_000_000), Array.from({ length: 65_536 }, (_, n) => String.fromCharCode(n)).join('')]);
    expect(values.holds('b'.repeat(100))).toBe(false);
    expect(values.holds('a'.repeat(100))).toBe(true);
  });
});
