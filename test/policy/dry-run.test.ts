import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sampleValue } from '../../src/policy/sample-value.ts';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { codeOf, desk, tool } from './policies.ts';

const OUTPUT = {
  type: 'object',
  properties: { id: { type: 'integer', minimum: 5 }, tags: { type: 'array', items: { type: 'string' } } },
  required: ['id'],
};
const SERVERS = {
  tickets: [
    tool('list', { annotations: { readOnlyHint: true } }),
    tool('create', { outputSchema: OUTPUT }),
    tool('close', { inputSchema: { type: 'object', required: ['id'] } }),
    tool('delete', { annotations: { destructiveHint: true } }),
  ],
  crm: [tool('find', { annotations: { readOnlyHint: true } })],
};

describe('a dry run', () => {
  test('calls what says that it changes nothing, and lists everything else', async () => {
    const { begin, sent } = desk({}, SERVERS, () => ['a']);
    const run = begin({ dryRun: true });
    expect(await run.call('tickets.list')).toEqual({ ok: true, value: '["a"]' });
    expect(await run.call('tickets.create', { title: 'x' })).toEqual({ ok: true, value: '{"id":5,"tags":["text"]}' });
    expect(await run.call('tickets.close', { id: 1 })).toEqual({ ok: true, value: 'null' });
    expect(await run.call('tickets.delete', { id: 2 })).toEqual({ ok: true, value: 'null' });
    expect(sent.map((call) => call.tool)).toEqual(['list']);
    expect(run.policies.dryCalls.listed).toEqual([
      { server: 'tickets', tool: 'create', arguments: { title: 'x' }, answer: 'schema' },
      { server: 'tickets', tool: 'close', arguments: { id: 1 }, answer: 'none' },
      { server: 'tickets', tool: 'delete', arguments: { id: 2 }, answer: 'none' },
    ]);
  });

  test('answers by what was learned where nothing is declared', async () => {
    const { begin } = desk({}, SERVERS);
    const run = begin({ dryRun: true, learned: { type: 'object', properties: { ok: { type: 'boolean' } } } });
    expect(await run.call('tickets.close', { id: 1 })).toEqual({ ok: true, value: '{"ok":true}' });
    expect(await run.call('tickets.create')).toMatchObject({ ok: true, value: expect.stringContaining('"id":5') as string });
    expect(run.policies.dryCalls.listed.map(({ answer }) => answer)).toEqual(['recorded', 'schema']);
  });

  test('keeps policies, budgets, schemas and data-flow rules', async () => {
    const rules = {
      servers: { tickets: { tools: { create: { maxCalls: 1 }, delete: { policy: 'deny' }, list: { policy: 'ask' } } } },
      dataFlow: [{ from: ['crm.*'], to: ['tickets.*'] }],
    };
    const { begin, sent } = desk(rules, SERVERS, () => 'a secret of a customer');
    const run = begin({ dryRun: true });
    await run.call('crm.find');
    expect(codeOf(await run.call('tickets.create', { text: 'a secret of a customer' }))).toBe('ERR_CALL_DATA_FLOW');
    expect(codeOf(await run.call('tickets.create', {}))).toBe('ok');
    expect(codeOf(await run.call('tickets.create', {}))).toBe('ERR_CALL_BUDGET');
    expect(codeOf(await run.call('tickets.delete', {}))).toBe('ERR_CALL_DENIED');
    expect(codeOf(await run.call('tickets.close', {}))).toBe('ERR_CALL_ARGUMENTS');
    // Nobody is asked, and a tool that would ask is not called.
    expect(await run.call('tickets.list')).toEqual({ ok: true, value: 'null' });
    expect(sent.map((call) => call.tool)).toEqual(['find']);
  });

  test('lists no personal data', async () => {
    const { begin } = desk({ personalData: { servers: ['crm'] } }, SERVERS, () => 'jo@example.org');
    const run = begin({ dryRun: true });
    await run.call('crm.find');
    await run.call('tickets.create', { to: 'jo@example.org' });
    expect(JSON.stringify(run.policies.dryCalls.listed)).toMatch(/‹email_/);
    expect(JSON.stringify(run.policies.dryCalls.listed)).not.toContain('jo@');
  });

  test('lists so many calls and so much of their arguments, and says how many more there are', async () => {
    const { begin } = desk({}, SERVERS);
    const run = begin({ dryRun: true });
    await run.call('tickets.create', { text: 'x'.repeat(100_000) });
    for (let n = 0; n < 210; n++) await run.call('tickets.create', { text: 'y'.repeat(5_000) });
    const { listed } = run.policies.dryCalls;
    expect(listed).toHaveLength(200);
    expect(JSON.stringify(listed).length).toBeLessThan(200_000);
    expect(listed[0]?.arguments).toMatch(/^\(100011 characters of JSON\) \{"text":"xxx/);
    expect(run.policies.warnings).toEqual([{ code: 'WARN_DRY_RUN', message: '11 more calls were not made and are not listed.' }]);
  });
});

describe('a value made from a schema', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  test.each<[string, object]>([
    ['an object', OUTPUT],
    [
      'bounds',
      {
        type: 'object',
        required: ['a', 'b', 'c'],
        properties: {
          a: { type: 'string', minLength: 30, maxLength: 40 },
          b: { type: 'number', exclusiveMinimum: 3, multipleOf: 2 },
          c: { type: 'integer', maximum: -4 },
        },
      },
    ],
    ['lists', { type: 'array', minItems: 2, maxItems: 5, items: { enum: ['x', 'y'] } }],
    ['tuples', { type: 'array', prefixItems: [{ const: 1 }, { type: 'null' }], items: false }],
    ['choices', { anyOf: [{ type: 'null' }, { type: 'object', required: ['k'], properties: { k: { const: 'v' } } }] }],
    [
      'intersections',
      {
        allOf: [{ type: 'object', required: ['a'], properties: { a: { type: 'string' } } }, { $ref: '#/$defs/B' }],
        $defs: { B: { required: ['b'], properties: { b: { type: 'boolean' } } } },
      },
    ],
    [
      'references to itself',
      {
        $defs: { Node: { type: 'object', required: ['v'], properties: { v: { type: 'integer' }, next: { $ref: '#/$defs/Node' } } } },
        $ref: '#/$defs/Node',
      },
    ],
    ['several types', { type: ['null', 'string'] }],
    ['no type', { properties: { a: {} } }],
  ])('is allowed by it: %s', (_name, schema) => {
    const value = sampleValue(schema);
    expect({ value, isValid: ajv.validate(schema, value) }).toEqual({ value, isValid: true });
    expect(sampleValue(structuredClone(schema))).toEqual(value);
  });

  test('is small whatever the schema is', () => {
    const deep: Record<string, unknown> = { type: 'object', properties: {}, required: [] };
    for (let n = 0; n < 300; n++) (deep['properties'] as Record<string, unknown>)[`p${n}`] = { $ref: '#' };
    const list = { type: 'array', minItems: 1e9, items: { type: 'string', minLength: 1e9 } };
    for (const schema of [deep, list, { $ref: '#' }, { allOf: [{ $ref: '#' }] }, { anyOf: [{ $ref: '#' }] }, configJsonSchema()]) {
      expect(JSON.stringify(sampleValue(schema)).length).toBeLessThan(100_000);
    }
  });

  test('comes back from any JSON at all', () => {
    const keys = fc.constantFrom(
      'type',
      'properties',
      'items',
      'allOf',
      'oneOf',
      '$ref',
      'required',
      'minimum',
      'minItems',
      'prefixItems',
      'format',
      'multipleOf',
    );
    const schema = fc.letrec((tie) => ({
      schema: fc.oneof(
        { maxDepth: 5 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.constantFrom('object', 'array', '#', 'string', 'integer'),
        fc.dictionary(keys, tie('schema')),
        fc.array(tie('schema'), { maxLength: 3 }),
      ),
    })).schema;
    fc.assert(
      fc.property(schema, (any) => {
        const value = sampleValue(any);
        expect(JSON.stringify(value ?? null).length).toBeLessThan(100_000);
      }),
      { numRuns: 500 },
    );
  });
});

test('a schema with thousands of parts, properties or required names takes no time to speak of', () => {
  const names = Array.from({ length: 20_000 }, (_, n) => `p${n}`);
  const itself = Object.fromEntries(names.map((name) => [name, { $ref: '#' }]));
  const parts = names.slice(0, 5_000).map((name) => ({ type: 'object', properties: { [name]: { type: 'string' } }, required: [name] }));
  const began = performance.now();
  expect(Object.keys(sampleValue({ allOf: parts }) as object)).toHaveLength(50);
  expect(Object.keys(sampleValue({ type: 'object', properties: itself }) as object)).toHaveLength(50);
  expect(Object.keys(sampleValue({ type: 'object', properties: itself, required: names }) as object)).toHaveLength(50);
  expect(performance.now() - began).toBeLessThan(1_000);
});
