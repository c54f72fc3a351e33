import * as fc from 'fast-check';
import { expect } from 'vitest';
import { createDiscovery } from '../../src/discovery/discovery.ts';
import { outlineOf, type ToolOutline } from '../../src/drift/outline.ts';
import { compareOutlines } from '../../src/drift/compare.ts';
import { toLearnedSchema } from '../../src/learned/learned-schema.ts';
import { isSameShape, mergeShapes, type Shape } from '../../src/learned/shape.ts';
import { shapeOf } from '../../src/learned/shape-of.ts';
import { sampleValue } from '../../src/policy/sample-value.ts';
import { createArgumentValidator } from '../../src/upstream/arguments.ts';
import { countElements } from '../../src/upstream/element-count.ts';
import { createOutputValidator } from '../../src/upstream/output-validator.ts';
import { toolAnswer } from '../../src/upstream/tool-value.ts';
import { generateWrappers } from '../../src/wrappers/generate.ts';
import { catalog, QUIET, server, tool } from '../wrappers/catalogs.ts';
import { property } from './property.ts';
import { strangeSchema, strangeText } from './strange-schemas.ts';

/** Longer than any honest work, on a busy machine too. */
const LONG_MS = 5_000;
const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' });
const strangeObject = strangeSchema.filter(
  (schema): schema is Record<string, unknown> => typeof schema === 'object' && schema !== null && !Array.isArray(schema),
);
const slowText = fc.constantFrom('a'.repeat(3_000), `${'a'.repeat(200)}!`, '((((((((((', 'x@'.repeat(500));

/** Making them takes longer than all else; what they keep is kept by schema object. */
const validateArguments = createArgumentValidator();
const validateOutput = createOutputValidator();

function inTime<T>(work: () => T): T {
  const from = performance.now();
  const value = work();
  expect(performance.now() - from).toBeLessThan(LONG_MS);
  return value;
}

property(
  'any values are held against any schemas, in bounded time and without an error',
  60,
  fc.tuple(
    strangeObject,
    fc.array(
      fc.oneof(
        json,
        slowText.map((a) => ({ a, b: [a] })),
        fc.dictionary(strangeText, json),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  ),
  ([schema, values]) => {
    for (const value of values) {
      const verdict = inTime(() => validateArguments(tool('t', schema), value));
      if (!verdict.ok) expect([typeof verdict.message, typeof verdict.hint]).toEqual(['string', 'string']);
      const breaks = inTime(() => validateOutput(tool('t', {}, { outputSchema: schema }), JSON.stringify(value)));
      expect(breaks.every((line) => line !== '' && line.length < 2_000)).toBe(true);
    }
  },
);

property('a sample of any schema is JSON of bounded size', 200, strangeSchema, (schema) => {
  const sample = inTime(() => sampleValue(schema));
  expect((JSON.stringify(sample) ?? 'null').length).toBeLessThan(4_000_000);
});

const tools = fc
  .tuple(strangeText, strangeObject, fc.option(strangeObject), strangeText)
  .map(([name, input, output, description]) => tool(name, input, { description, ...(output && { outputSchema: output }) }));

property('the outline of any tool is compared with any other, and with itself is the same', 150, fc.tuple(tools, tools), ([a, b]) => {
  const [before, again, after] = [a, { ...a }, b].map((one) => inTime(() => JSON.parse(outlineOf(one).text) as ToolOutline));
  if (!before || !again || !after) throw new Error('no outlines');
  expect(compareOutlines(before, again)).toEqual([]);
  for (const change of compareOutlines(before, after)) expect(change).toMatch(/\S/u);
});

property(
  'any tools are found by any words',
  25,
  fc.tuple(
    fc.array(tools, { minLength: 1, maxLength: 4 }),
    fc.oneof(strangeText, fc.constantFrom('list issues', '*', 'x'.repeat(5_000))).map((words) => `a ${words}`),
  ),
  async ([listed, query]) => {
    const source = catalog(server('s', listed));
    const wrappers = await generateWrappers(source, {}, QUIET);
    const discovery = createDiscovery({ source: () => ({ wrappers, catalog: source }) });
    const found = await inTime(() => discovery.search({ query, detail: 'summary', limit: 5 }, 'local'));
    expect(JSON.stringify(found).length).toBeGreaterThan(2);
  },
);

property(
  'what is learned of values holds for them, whatever their order',
  60,
  fc.array(fc.oneof(json, fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c'), json), { maxLength: 4 })), { minLength: 1, maxLength: 5 }),
  (values) => {
    const shapes = values.map(shapeOf).filter((shape): shape is Shape => shape !== undefined);
    const [merged, reversed] = [shapes, shapes.toReversed()].map((list) => list.reduce<Shape>((a, b) => mergeShapes(a, b), {}));
    expect(isSameShape(merged ?? {}, reversed ?? {})).toBe(true);
    for (const shape of shapes) expect(isSameShape(mergeShapes(merged ?? {}, shape), merged ?? {})).toBe(true);
    const schema = toLearnedSchema(merged ?? {});
    if (schema === undefined || shapes.length < values.length) return;
    for (const value of values) expect(validateOutput(tool('t', {}, { outputSchema: schema }), JSON.stringify(value))).toEqual([]);
  },
);

const block = fc.record(
  {
    type: fc.oneof(fc.constantFrom('text', 'image', 'audio', 'resource', 'resource_link'), json),
    text: fc.oneof(fc.json(), strangeText, json),
    data: json,
    mimeType: json,
    uri: json,
    resource: json,
    annotations: json,
  },
  { requiredKeys: ['type'] },
);
const result = fc.oneof(
  json,
  fc.record(
    {
      content: fc.oneof(fc.array(fc.oneof(block, json), { maxLength: 3 }), json),
      structuredContent: json,
      isError: fc.oneof(fc.boolean(), json),
      _meta: json,
    },
    { requiredKeys: [] },
  ),
);

property(
  'any result of a tool is an answer, a value or an error',
  300,
  fc.tuple(result, fc.oneof(fc.nat(200), fc.constant(1_000_000))),
  ([raw, maxBytes]) => {
    const answer = inTime(() => toolAnswer(raw, maxBytes));
    expect(typeof answer.ok).toBe('boolean');
    expect(JSON.stringify(answer).length).toBeGreaterThan(0);
  },
);

property('elements are counted alike, however the bytes are cut', 200, fc.tuple(json, fc.nat(200)), ([value, cut]) => {
  const bytes = Buffer.from(JSON.stringify(value));
  expect(countElements(bytes.subarray(0, cut)) + countElements(bytes.subarray(cut))).toBe(countElements(bytes));
});
