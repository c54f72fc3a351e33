import { expect, test } from 'vitest';
import type { CatalogTool } from '../../src/upstream/catalog.ts';
import { createOutputValidator } from '../../src/upstream/output-validator.ts';
import { tool } from '../wrappers/catalogs.ts';
import { connect, fixture, never, RecordedLog, server, until } from './harness.ts';

const declares = (schema: unknown): CatalogTool => tool('t', undefined, { outputSchema: schema as never });
const NUMBER = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'], additionalProperties: false };
const SECRET = 'SECRET';

function breaks(schema: unknown, value: unknown, log = new RecordedLog()): readonly string[] {
  return createOutputValidator(log)(declares(schema), JSON.stringify(value));
}

test.each<[string, unknown, unknown, string[]]>([
  ['a result that keeps it', NUMBER, { n: 1 }, []],
  ['another type', NUMBER, { n: SECRET }, ['result.n is a string, declared as number']],
  ['null', NUMBER, { n: null }, ['result.n is null, declared as number']],
  ['nothing where something has to be', NUMBER, {}, ['result.n is missing']],
  ['more than is declared', NUMBER, { n: 1, m: SECRET }, ['result.m is not declared']],
  ['a key that is data', NUMBER, { n: 1, 'SECRET@example.com': 1 }, ['result[*] is not declared']],
  ['another kind of result', NUMBER, SECRET, ['result is a string, declared as object']],
  ['an array', NUMBER, [SECRET], ['result is an array, declared as object']],
  ['several types', { type: ['string', 'null'] }, 1, ['result is a number, declared as string or null']],
  ['another value than those of an enum', { enum: ['a', 'b'] }, SECRET, ['result is none of the declared values']],
  ['another value than a constant', { const: 'a' }, SECRET, ['result is none of the declared values']],
  ['what a pattern does not allow', { pattern: '^a+$' }, SECRET, ['result must match pattern "^a+$"']],
  ['too little', { minimum: 3 }, 1, ['result must be >= 3']],
  [
    'the same in every row',
    { items: NUMBER },
    Array.from({ length: 1_000 }, () => ({ n: SECRET })),
    ['result[].n is a string, declared as number'],
  ],
  [
    'keys of a map',
    { additionalProperties: NUMBER },
    { 'SECRET@example.com': { n: 'x' } },
    ['result[*].n is a string, declared as number'],
  ],
  [
    'none of two forms',
    { anyOf: [{ type: 'string' }, NUMBER] },
    { n: SECRET },
    ['result is an object, declared as string', 'result.n is a string, declared as number'],
  ],
])('%s', (_, schema, value, expected) => {
  const found = breaks(schema, value);
  expect(found).toEqual(expected);
  expect(found.join()).not.toContain(SECRET);
});

test('of many different breaks a few are told', () => {
  const names = 'abcdefgh'.split('');
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'number' }]));
  expect(breaks({ type: 'object', properties }, Object.fromEntries(names.map((name) => [name, 'x'])))).toHaveLength(5);
});

test('the break of a large result is told in bounded time', () => {
  const rows = Array.from({ length: 100_000 }, (_, at) => ({ n: at === 99_999 ? 'x' : at }));
  const began = performance.now();
  expect(breaks({ items: NUMBER }, rows)).toEqual(['result[].n is a string, declared as number']);
  expect(performance.now() - began).toBeLessThan(2_000);
});

test.each<[string, unknown]>([
  ['refers to another document', { $ref: 'http://127.0.0.1:1/schema.json' }],
  ['refers to a file', { $ref: 'file:///etc/passwd' }],
  ['refers to nothing', { $ref: '#/$defs/none' }],
  ['is none', { type: 'no such type' }],
  ['is huge', { anyOf: Array.from({ length: 6_000 }, () => ({ type: 'number' })) }],
  ['is deep', JSON.parse(`${'{"not":'.repeat(100)}{}${'}'.repeat(100)}`)],
])('a schema that %s is logged once and not enforced', (_, schema) => {
  const log = new RecordedLog();
  const validate = createOutputValidator(log);
  const declared = declares(schema);
  for (let times = 0; times < 3; times++) expect(validate(declared, '"x"')).toEqual([]);
  expect(log.lines).toEqual([expect.stringMatching(/^warn answers of the tool "t" are not checked: its output schema cannot be used: /)]);
});

test.each<[string, unknown, unknown]>([
  ['a catastrophic pattern', { pattern: '^(a+)+$' }, `${'a'.repeat(50_000)}!`],
  [
    'references that branch without end',
    { $ref: '#/$defs/a', $defs: { a: { items: { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] } } } },
    nested(60),
  ],
  ['a reference to itself', { $ref: '#' }, 1],
])('%s takes bounded time', (_, schema, value) => {
  const began = performance.now();
  breaks(schema, value);
  expect(performance.now() - began).toBeLessThan(2_000);
});

function nested(levels: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

test('a server of the 2026 protocol that breaks its schemas is delivered as it answered', async () => {
  const upstreams = connect({ liar: fixture('modern-liar') });
  await until(() => server(upstreams, 'liar').state === 'ready');
  const call = (name: string): Promise<unknown> => upstreams.call({ server: 'liar', tool: name, arguments: {} }, never());
  expect(await call('lies')).toEqual({ ok: true, value: '{"n":"not a number"}' });
  expect(await call('silent')).toEqual({ ok: true, value: '"no structured content"' });
});
