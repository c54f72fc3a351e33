import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { CatalogTool } from '../../src/upstream/catalog.ts';
import { generateWrappers } from '../../src/wrappers/generate.ts';
import { catalog, QUIET, server, tool } from './catalogs.ts';
import { parseErrors, typeErrors } from './check-typescript.ts';

const SEED = Date.now() % 2 ** 31;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '*/',
    '/*',
    '`',
    '${x}',
    '"',
    "'",
    '\\',
    '\n',
    '\u2028',
    '\u202e',
    '</script>',
    '// @ts-nocheck',
    '@deprecated',
    '{',
    '}',
    '__proto__',
    'constructor',
    'toString',
    'a',
    'b',
    'property0',
  ),
);
const json = fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' });
const reference = fc.constantFrom(
  '#',
  '#/',
  '#/$defs/a',
  '#/$defs/b',
  '#/definitions/a',
  '#/properties/a',
  '#a',
  'http://127.0.0.1:1/x',
  'x.json',
  '#/$defs/a/properties/a',
);

const { schema } = fc.letrec<{ schema: unknown; object: unknown }>((tie) => {
  const list = fc.array(tie('schema'), { maxLength: 2 });
  const map = fc.dictionary(fc.oneof(fc.constantFrom('a', 'b'), text), tie('schema'), { maxKeys: 2 });
  const type = fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', 'array', 'object', 'any');
  return {
    object: fc.record(
      {
        type: fc.oneof({ weight: 8, arbitrary: type }, { weight: 2, arbitrary: fc.array(type, { maxLength: 3 }) }, json),
        properties: fc.oneof({ weight: 8, arbitrary: map }, json),
        required: fc.oneof({ weight: 8, arbitrary: fc.array(fc.oneof(fc.constantFrom('a', 'b'), text), { maxLength: 3 }) }, json),
        additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
        patternProperties: map,
        items: fc.oneof(tie('schema'), list),
        prefixItems: list,
        additionalItems: tie('schema'),
        minItems: json,
        maxItems: json,
        enum: fc.array(json, { maxLength: 4 }),
        const: json,
        anyOf: list,
        oneOf: list,
        allOf: list,
        not: tie('schema'),
        $ref: reference,
        $defs: map,
        definitions: map,
        nullable: fc.boolean(),
        title: text,
        description: text,
        default: json,
        $id: text,
        tsType: text,
        tsEnumNames: fc.array(text, { maxLength: 3 }),
        deprecated: json,
        extends: json,
      },
      { requiredKeys: [] },
    ),
    schema: fc.oneof({ maxDepth: 2, depthSize: 'xsmall' }, json, fc.boolean(), tie('object'), tie('object')),
  };
});

const tools = fc.array(
  fc
    .record({ name: text, inputSchema: schema, outputSchema: schema, title: text, description: text })
    .map(({ name, inputSchema, ...rest }) => tool(name, inputSchema, rest as Partial<CatalogTool>)),
  { minLength: 1, maxLength: 3 },
);

test(`any schemas under any names give modules that esbuild parses (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(text, tools, async (name, listed) => {
      const set = await generateWrappers(catalog(server(name, listed)), {}, QUIET);
      expect(await parseErrors(set.files)).toEqual([]);
      const reversed = await generateWrappers(catalog(server(name, listed.toReversed())), {}, QUIET);
      expect(reversed.hash).toBe(set.hash);
    }),
    { seed: SEED, numRuns: 60, interruptAfterTimeLimit: 15_000 },
  );
});

test(`any schemas under any names pass tsc --strict (seed ${SEED})`, async () => {
  const samples = fc.sample(tools, { seed: SEED, numRuns: Number(process.env['AMPOULE_TEST_SAMPLES'] ?? 40) });
  const set = await generateWrappers(catalog(...samples.map((listed, at) => server(`s${at}`, listed))), {}, QUIET);
  expect(await typeErrors(set.files)).toBe('');
});
