import { Ajv } from 'ajv';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LEARNED_BOUNDS } from '../../src/learned/bounds.ts';
import { toLearnedSchema } from '../../src/learned/learned-schema.ts';
import { ANYTHING, cutShape, mergeAll, mergeShapes, NOTHING, type Shape } from '../../src/learned/shape.ts';
import { shapeOf, shapeOfText } from '../../src/learned/shape-of.ts';
import { generateWrappers } from '../../src/wrappers/generate.ts';
import { catalog, QUIET, server, tool } from '../wrappers/catalogs.ts';
import { typeErrors } from '../wrappers/check-typescript.ts';

const SEED = Date.now() % 2 ** 31;

const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('id', 'title', 'items', 'user', 'constructor', 'toString', 'a', 'b', 'c', 'd', '@type', 'x-y') },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', '2026-01-01', 'someone@example.com', 'k12345', '', '*/', '\u2028') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom(null, true, 1, 1.5, 'text'),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 6 }),
    // Many keys: what is an object and what a map depends on their number.
    fc
      .integer({ min: 1, max: 120 })
      .map((count) => Object.fromEntries([...Array(count).keys()].map((at) => [wordOf(at), at % 3 ? at : 'x']))),
  ),
}));
const shape = json.map((value) => shapeOf(value) ?? ANYTHING);

function wordOf(number: number): string {
  return `field${String.fromCharCode(97 + (number % 26))}${String.fromCharCode(97 + Math.floor(number / 26))}`;
}

function text(value: Shape): string {
  return JSON.stringify(value);
}

test(`merging is commutative, associative and idempotent (seed ${SEED})`, () => {
  fc.assert(
    fc.property(shape, shape, shape, (a, b, c) => {
      expect(text(mergeShapes(a, b))).toBe(text(mergeShapes(b, a)));
      expect(text(mergeShapes(mergeShapes(a, b), c))).toBe(text(mergeShapes(a, mergeShapes(b, c))));
      expect(text(mergeShapes(a, a))).toBe(text(a));
      expect(text(mergeShapes(mergeShapes(a, b), b))).toBe(text(mergeShapes(a, b)));
      expect(text(mergeShapes(a, NOTHING))).toBe(text(a));
      expect(text(mergeShapes(a, ANYTHING))).toBe(text(ANYTHING));
    }),
    { seed: SEED, numRuns: 400 },
  );
});

test(`the learned schema accepts everything that it was learned from (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(json, { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 8 }), (values, levels) => {
      const merged = mergeAll(values.map((value) => shapeOf(value) ?? ANYTHING));
      for (const learned of [merged, cutShape(merged, levels)]) {
        const schema = toLearnedSchema(learned);
        if (schema === undefined) continue;
        const validate = new Ajv({ strict: false, ownProperties: true }).compile(schema);
        for (const value of values) expect([validate(value), validate.errors]).toEqual([true, null]);
      }
    }),
    { seed: SEED, numRuns: 100 },
  );
});

test(`the wrappers of any learned shapes pass tsc --strict, and are the same for the same knowledge (seed ${SEED})`, async () => {
  const samples = fc.sample(fc.array(json, { minLength: 1, maxLength: 3 }), { seed: SEED, numRuns: 40 });
  const schemas = new Map(
    samples.map((values, at) => [`t${at}`, toLearnedSchema(mergeAll(values.map((value) => shapeOf(value) ?? ANYTHING)))]),
  );
  const listed = catalog(
    server(
      'learned',
      [...schemas.keys()].map((name) => tool(name)),
    ),
  );
  const set = await generateWrappers(listed, { learned: (_, name) => schemas.get(name) }, QUIET);
  expect(await typeErrors(set.files)).toBe('');
  const turned = new Map(
    samples.map((values, at) => [`t${at}`, toLearnedSchema(mergeAll(values.toReversed().map((value) => shapeOf(value) ?? ANYTHING)))]),
  );
  expect((await generateWrappers(listed, { learned: (_, name) => turned.get(name) }, QUIET)).hash).toBe(set.hash);
});

test('properties are optional that were not always there, and kinds are joined', () => {
  const merged = mergeAll([{ a: 1, b: 'x' }, { a: null }, { a: 1, b: [true] }].map((value) => shapeOf(value) ?? ANYTHING));
  expect(toLearnedSchema(merged)).toEqual({
    type: 'object',
    properties: { a: { type: ['number', 'null'] }, b: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'boolean' } }] } },
    required: ['a'],
    additionalProperties: true,
  });
});

test.each([
  ['nothing but null', null],
  ['anything', undefined],
])('%s is no knowledge', (_, value) => {
  expect(toLearnedSchema(value === undefined ? ANYTHING : (shapeOf(value) ?? ANYTHING))).toBeUndefined();
});

test('a text is a string, and nothing of it is kept', () => {
  expect(shapeOfText('"SECRET words"')).toEqual({ primitives: ['string'] });
});

const MAP = { type: 'object', additionalProperties: { type: 'number' } };
const many = (count: number, keyOf: (at: number) => string): object =>
  Object.fromEntries([...Array(count).keys()].map((at) => [keyOf(at), at]));

test.each([
  ['dates', { '2026-01-01': 1 }],
  ['addresses of mail', { 'someone@example.com': 1, total: 2 }],
  ['identifiers', { 'a3bb189e-8bf9-3888-9912-ace4e6543002': 1 }],
  ['numbers', { '12': 1 }],
  ['names with numbers', { user10245: 1 }],
  ['hashes', { d41d8cd98f00b204e9800998ecf8427e: 1 }],
  ['tokens', { ghp_abcDEF123xyz: 1 }],
  ['tokens without digits', { aGhTkLpQzXcVbNm: 1 }],
  ['paths', { 'src/main.ts': 1 }],
  ['hosts', { 'example.com': 1 }],
  ['names with spaces', { 'Jane Doe': 1 }],
  ['names in other letters', { Žofie: 1 }],
  ['very long words', { abcdefghijklmnopqrstuvwxyzabc: 1 }],
  ['nothing', { '': 1 }],
  ['a way to the prototype', JSON.parse('{"__proto__": 1}')],
  ['many words with numbers behind them', many(20, wordOf)],
])('keys that are %s make a map', (_, value) => {
  expect(toLearnedSchema(shapeOf(value) ?? ANYTHING)).toEqual(MAP);
});

test('three objects that look the same are entries of a map, whatever their keys', () => {
  const person = { age: 1, mail: 'x' };
  const schema = toLearnedSchema(shapeOf({ alice: person, bob: person, carol: { age: 3 } }) ?? ANYTHING);
  expect(schema).toMatchObject({ type: 'object', additionalProperties: { type: 'object', required: ['age'] } });
  expect(JSON.stringify(schema)).not.toContain('alice');
  const lists = toLearnedSchema(shapeOf({ alice: [person], bob: [person], carol: [person] }) ?? ANYTHING);
  expect(JSON.stringify(lists)).not.toContain('alice');
});

test.each([
  'id',
  'createdAt',
  'created_at',
  'html_url',
  'total-count',
  '$ref',
  '@type',
  '_links',
  'HTTPStatus',
  'sha256',
  'base64',
  'line1',
  'oauth2',
  'i18n',
])('the key %s is a name', (name) => {
  expect(toLearnedSchema(shapeOf({ [name]: 'x' }) ?? ANYTHING)).toMatchObject({ properties: { [name]: { type: 'string' } } });
});

test('an object has so many properties, and one more makes it a map', () => {
  const mixed = (count: number): Shape =>
    shapeOf(Object.fromEntries([...Array(count).keys()].map((at) => [wordOf(at), at % 2 ? at : 'x']))) ?? NOTHING;
  expect(mixed(LEARNED_BOUNDS.properties).properties).toHaveLength(LEARNED_BOUNDS.properties);
  expect(mixed(LEARNED_BOUNDS.properties + 1)).toEqual({ values: { primitives: ['string', 'number'] } });
});

test('different keys over calls make a map in the end', () => {
  const over = (calls: number): Shape => mergeAll([...Array(calls).keys()].map((at) => shapeOf({ [wordOf(at)]: 1 }) ?? NOTHING));
  expect(over(LEARNED_BOUNDS.optionalProperties).properties).toHaveLength(LEARNED_BOUNDS.optionalProperties);
  expect(over(LEARNED_BOUNDS.optionalProperties + 1)).toEqual({ values: { primitives: ['number'] } });
});

test('what is too deep may be anything', () => {
  const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)]);
  expect(text(shapeOf(nest(LEARNED_BOUNDS.depth)) ?? NOTHING)).not.toContain('anything');
  expect(text(shapeOf(nest(LEARNED_BOUNDS.depth + 1)) ?? NOTHING)).toContain('anything');
});

test('an answer with too many values, or too much text, is not looked at', () => {
  expect(shapeOf(Array(LEARNED_BOUNDS.answerValues - 1).fill(0))).toEqual({ items: { primitives: ['number'] } });
  expect(shapeOf(Array(LEARNED_BOUNDS.answerValues).fill(0))).toBeUndefined();
  const ofLength = (length: number): string => `"${'x'.repeat(length - 2)}"`;
  expect(shapeOfText(ofLength(LEARNED_BOUNDS.answerText))).toBeDefined();
  expect(shapeOfText(ofLength(LEARNED_BOUNDS.answerText + 1))).toBeUndefined();
});
