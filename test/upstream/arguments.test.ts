import { expect, test } from 'vitest';
import { createArgumentValidator } from '../../src/upstream/arguments.ts';
import type { ArgumentVerdict } from '../../src/upstream/arguments.ts';
import { RecordedLog } from './harness.ts';

const ISSUES = {
  type: 'object',
  properties: {
    repo: { type: 'string', pattern: '^[a-z]+/[a-z]+$' },
    state: { type: 'string', enum: ['open', 'closed'] },
    labels: { type: 'array', items: { type: 'string' }, uniqueItems: true },
    limit: { type: 'integer', minimum: 1, maximum: 100 },
    nested: { type: 'object', properties: { deep: { type: 'object', properties: { 'x-y': { const: 1 } } } } },
  },
  required: ['repo'],
  additionalProperties: false,
};

function check(schema: object, args: unknown, log = new RecordedLog()): ArgumentVerdict {
  return createArgumentValidator(log)({ name: 'list_issues', inputSchema: { ...schema } }, args);
}

function messageOf(schema: object, args: unknown): string {
  const verdict = check(schema, args);
  return verdict.ok ? 'ok' : verdict.message;
}

test('arguments that match pass', () => {
  expect(check(ISSUES, { repo: 'a/b', state: 'open', labels: ['x', 'y'], limit: 100 })).toEqual({ ok: true });
  expect(check({ type: 'object' }, {})).toEqual({ ok: true });
});

for (const [args, message] of [
  [{ repo: 'a/b', state: 'opne' }, 'arguments.state must be one of "open", "closed" (got "opne", did you mean "open"?)'],
  [{}, 'arguments.repo is missing'],
  [
    { rebo: 'a/b' },
    'arguments.repo is missing (there is "rebo" instead); arguments.rebo is not a property that it takes (did you mean "repo"?)',
  ],
  [{ repo: 'a/b', 'odd key': 1 }, 'arguments["odd key"] is not a property that it takes'],
  [{ repo: 5 }, 'arguments.repo must be string (got 5)'],
  [{ repo: 'A' }, 'arguments.repo must match pattern "^[a-z]+/[a-z]+$" (got "A")'],
  [{ repo: 'a/b', limit: 0 }, 'arguments.limit must be >= 1 (got 0)'],
  [{ repo: 'a/b', limit: 101 }, 'arguments.limit must be <= 100 (got 101)'],
  [
    { repo: 'a/b', labels: ['x', {}, 'x'] },
    'arguments.labels[1] must be string (got an object); arguments.labels must not have the same item twice',
  ],
  [{ repo: 'a/b', nested: { deep: { 'x-y': 2 } } }, 'arguments.nested.deep["x-y"] must be 1 (got 2)'],
  [[1], 'arguments must be an object'],
  [null, 'arguments must be an object'],
] as const) {
  test(`says "${message}"`, () => {
    expect(messageOf(ISSUES, args).split('; ').sort()).toEqual(message.split('; ').sort());
  });
}

test('the hint lists what the tool takes', () => {
  const verdict = check(ISSUES, {});
  expect(verdict).toMatchObject({
    hint: 'list_issues takes: repo (string, required), state ("open", "closed"), labels (array), limit (integer), nested (object).',
  });
});

test('at most five findings are told', () => {
  const properties = Object.fromEntries('abcdefgh'.split('').map((name) => [name, { type: 'string' }]));
  const args = Object.fromEntries('abcdefgh'.split('').map((name) => [name, 1]));
  expect(messageOf({ type: 'object', properties }, args)).toMatch(/^(arguments\.\w must be string \(got 1\)(; )?){5} \(and 3 more\)$/);
});

test('both drafts of JSON Schema work, named or not', () => {
  const old = { $schema: 'http://json-schema.org/draft-07/schema#', properties: { a: { items: [{ type: 'string' }] } } };
  const { $schema: _, ...unnamed } = old;
  const current = { $schema: 'https://json-schema.org/draft/2020-12/schema', properties: { a: { prefixItems: [{ type: 'string' }] } } };
  for (const schema of [old, unnamed, current]) {
    expect(messageOf(schema, { a: [1] })).toBe('arguments.a[0] must be string (got 1)');
    expect(messageOf(schema, { a: ['x'] })).toBe('ok');
  }
});

test('references inside the schema work, also to themselves', () => {
  const schema = { $ref: '#/$defs/node', $defs: { node: { properties: { next: { $ref: '#/$defs/node' }, v: { type: 'number' } } } } };
  expect(messageOf(schema, { next: { next: { v: 'x' } } })).toBe('arguments.next.next.v must be number (got "x")');
});

test('names of Object.prototype are ordinary properties', () => {
  const schema = { type: 'object', properties: { constructor: { type: 'string' } }, required: ['constructor', 'toString'] };
  expect(messageOf(schema, {})).toBe('arguments.constructor is missing; arguments.toString is missing');
  expect(messageOf({ additionalProperties: false }, JSON.parse('{"__proto__":1}'))).toBe(
    'arguments.__proto__ is not a property that it takes',
  );
});

test('a pattern of catastrophic form takes no time, and one that cannot be linear is left to the upstream', () => {
  const pattern = (text: string): object => ({ properties: { a: { pattern: text } } });
  const startedAt = performance.now();
  expect(messageOf(pattern('^(a+)+$'), { a: `${'a'.repeat(5_000)}b` })).toContain('must match pattern');
  expect(messageOf(pattern('^(?=x)(a+)+$'), { a: `${'a'.repeat(100_000)}b` })).toBe('ok');
  expect(messageOf(pattern('^(.{900}x|y.{900})+$'), { a: 'xy'.repeat(500_000) })).toBe('ok');
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test('schemas that cannot be used are skipped, and that is logged once', () => {
  const deep = (levels: number): object => (levels === 0 ? {} : { properties: { a: deep(levels - 1) } });
  const cases: [object, RegExp][] = [
    [{ $ref: 'https://example.com/schema.json' }, /another document/],
    [{ properties: { a: { $ref: '#/nowhere' } } }, /can't resolve/],
    [{ type: 'strnig' }, /invalid/],
    [{ required: 'a' }, /invalid/],
    [{ description: 'x'.repeat(300 * 1024) }, /bytes/],
    [deep(70), /deep/],
    [{ allOf: Array.from({ length: 6_000 }, () => ({})) }, /subschemas/],
    [{ $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }, /stack/],
  ];
  for (const [schema, reason] of cases) {
    const log = new RecordedLog();
    const validate = createArgumentValidator(log);
    const tool = { name: 't', inputSchema: schema as Record<string, unknown> };
    expect(validate(tool, { a: 1 })).toEqual({ ok: true });
    expect(validate(tool, { a: 1 })).toEqual({ ok: true });
    expect(log.lines).toEqual([expect.stringMatching(reason)]);
  }
});

test('a schema that makes validating exponential is given up in time', () => {
  const bomb = Object.fromEntries(
    Array.from({ length: 40 }, (_, n) => [`d${n}`, { allOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] }]),
  );
  const startedAt = performance.now();
  expect(messageOf({ $ref: '#/$defs/d0', $defs: { ...bomb, d40: { type: 'object' } } }, {})).toBe('ok');
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test('large arguments that are all wrong are told about quickly', () => {
  const schema = { properties: { a: { type: 'array', uniqueItems: true, items: { type: 'string' } } } };
  const startedAt = performance.now();
  expect(messageOf(schema, { a: Array.from({ length: 150_000 }, (_, n) => n) })).toMatch(/^arguments\.a/);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});

test('two hundred tools with the same validator do not change each other', () => {
  const validate = createArgumentValidator(new RecordedLog());
  const tools = Array.from({ length: 200 }, (_, n) => ({ name: `t${n}`, inputSchema: { required: [`p${n}`], $id: 'same' } }));
  const verdicts = tools.map((tool, n) => validate(tool, { [`p${n}`]: 1 }).ok && !validate(tool, { [`p${n + 1}`]: 1 }).ok);
  expect(verdicts).toEqual(tools.map(() => true));
});
