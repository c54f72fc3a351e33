import * as fc from 'fast-check';

const WORDS = [
  '*/',
  '/*',
  '//',
  '`',
  '${x}',
  '"',
  "'",
  '\\',
  '\n',
  '\r',
  '\u2028',
  '\u202e',
  '\0',
  '</script>',
  '// @ts-nocheck',
  '@deprecated',
  '{',
  '}',
  ';',
  'a-b',
  'a b',
  '0',
  '-1',
  '1e3',
  'ünï',
  '日本',
  '🍀',
  '\ud800',
  '__proto__',
  'constructor',
  'toString',
  'prototype',
  'class',
  'default',
  'await',
  'enum',
  'Promise',
  'Record',
  'unknown',
  'never',
  'callTool',
  'Input',
  'Output',
  'property0',
  '',
  '[k: string]',
  '?',
  'a?',
  'readonly a',
];
/** A name or a description by a stranger. */
export const strangeText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.constantFrom(...WORDS),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 3 }).map((parts) => parts.join('')),
);
const json = fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' });
const POINTERS = [
  '#',
  '#/',
  '#/$defs/a',
  '#/$defs/b',
  '#/$defs/a/properties/a',
  '#/definitions/a',
  '#/properties/a',
  '#/items',
  '#/anyOf/0',
  '#/allOf/1',
  '#/prefixItems/0',
  '#a',
  '#/%24defs/a',
  '#/$defs/~0~1',
  '#/$defs/constructor',
  '#/__proto__',
  '#/$defs/a#',
  'x.json',
  'http://127.0.0.1:1/x',
  'urn:x:y',
  'b#/$defs/a',
  '',
];
const DIALECTS = [
  'http://json-schema.org/draft-04/schema#',
  'http://json-schema.org/draft-07/schema#',
  'https://json-schema.org/draft/2019-09/schema',
  'https://json-schema.org/draft/2020-12/schema',
  'x',
];
const TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object', 'any', 'file', ''];

const { schema } = fc.letrec<{ schema: unknown; object: unknown }>((tie) => {
  const list = fc.array(tie('schema'), { maxLength: 3 });
  const key = fc.oneof(fc.constantFrom('a', 'b', 'c'), strangeText);
  const map = fc.dictionary(key, tie('schema'), { maxKeys: 3 });
  const mostly = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> => fc.oneof({ weight: 14, arbitrary }, json);
  const hugeEnum = fc
    .integer({ min: 20, max: 400 })
    .map((count) => Array.from({ length: count }, (_, at) => (at % 7 === 0 ? at : `value ${at}`)));
  const parts = {
    type: mostly(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...TYPES) }, fc.array(fc.constantFrom(...TYPES), { maxLength: 4 }))),
    properties: mostly(map),
    required: mostly(fc.array(key, { maxLength: 4 })),
    additionalProperties: mostly(fc.oneof(fc.boolean(), tie('schema'))),
    unevaluatedProperties: fc.oneof(fc.boolean(), tie('schema')),
    patternProperties: mostly(fc.dictionary(fc.constantFrom('^x-', '.*', '^[a-z]+$', '(', '^a$'), tie('schema'), { maxKeys: 2 })),
    propertyNames: tie('schema'),
    items: mostly(fc.oneof(tie('schema'), list)),
    prefixItems: mostly(list),
    additionalItems: tie('schema'),
    contains: tie('schema'),
    minItems: mostly(fc.nat(40)),
    maxItems: mostly(fc.nat(40)),
    enum: mostly(fc.oneof({ weight: 4, arbitrary: fc.array(fc.oneof(json, strangeText), { maxLength: 6 }) }, hugeEnum)),
    const: fc.oneof(json, fc.constantFrom(null, true, 0, -0, 1e300, '', [], {}, { a: [1] })),
    anyOf: mostly(list),
    oneOf: mostly(list),
    allOf: mostly(list),
    not: tie('schema'),
    if: tie('schema'),
    ['then' as const]: tie('schema'),
    else: tie('schema'),
    dependentSchemas: map,
    dependentRequired: fc.dictionary(key, fc.array(key, { maxLength: 2 }), { maxKeys: 2 }),
    dependencies: map,
    $ref: mostly(fc.constantFrom(...POINTERS)),
    $dynamicRef: fc.constantFrom('#a', '#'),
    $anchor: fc.constantFrom('a', 'b'),
    $dynamicAnchor: fc.constantFrom('a', 'b'),
    $id: fc.oneof(fc.constantFrom('b', 'urn:x:y', 'x.json'), strangeText),
    $schema: fc.constantFrom(...DIALECTS),
    $defs: mostly(map),
    definitions: map,
    $vocabulary: json,
    nullable: mostly(fc.boolean()),
    format: strangeText,
    pattern: strangeText,
    minimum: json,
    title: mostly(strangeText),
    description: mostly(strangeText),
    $comment: strangeText,
    examples: json,
    default: json,
    deprecated: mostly(fc.boolean()),
    readOnly: fc.boolean(),
    discriminator: json,
    tsType: strangeText,
    tsEnumNames: fc.array(strangeText, { maxLength: 3 }),
    extends: json,
  };
  const names = Object.keys(parts) as (keyof typeof parts)[];
  return {
    // A few keys at a time: with all of them one hides the other.
    object: fc
      .subarray(names, { minLength: 1, maxLength: 6 })
      .chain((chosen) => fc.record(Object.fromEntries(chosen.map((name) => [name, parts[name]])))),
    schema: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      fc.constantFrom<unknown>(true, false, {}),
      json,
      tie('object'),
      tie('object'),
      tie('object'),
      tie('object'),
    ),
  };
});

/** A JSON Schema by a stranger, right or wrong, of any dialect. */
export const strangeSchema = fc
  .tuple(schema, schema)
  .map(([own, other]) => (isRecord(own) ? { $defs: { a: other, b: { $ref: '#/$defs/a' }, constructor: true }, ...own } : own));

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
