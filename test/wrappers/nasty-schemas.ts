/** Schemas that a hostile, careless or merely thorough server may list. Every one must become valid TypeScript. */
export const NASTY_SCHEMAS: Readonly<Record<string, unknown>> = {
  empty: {},
  noProperties: { type: 'object', properties: {} },
  closedEmpty: { type: 'object', additionalProperties: false },
  plain: {
    type: 'object',
    properties: { repo: { type: 'string', description: 'Owner and name' }, page: { type: 'integer', default: 1 } },
    required: ['repo'],
  },
  typeIsANumber: { type: 12 },
  typeIsUnknown: { type: 'object', properties: { a: { type: 'wibble' }, b: { type: ['string', 'wobble', 7, null] } } },
  propertiesNull: { type: 'object', properties: null, required: null },
  propertiesArray: { type: 'object', properties: [1, 2], required: 'a' },
  propertyIsJunk: { type: 'object', properties: { a: null, b: 5, c: 'x', d: [], e: true, f: false } },
  requiredUndeclared: { type: 'object', properties: { a: { type: 'string' } }, required: ['a', 'b', 'b', 7, '__proto__'] },
  requiredTrue: { type: 'object', properties: { a: { type: 'string', required: true } } },
  stringRoot: { type: 'string' },
  arrayRoot: { type: 'array', items: { type: 'number' } },
  nullRoot: null,
  booleanTrue: true,
  booleanFalse: false,
  recursive: {
    type: 'object',
    properties: { tree: { $ref: '#/$defs/node' } },
    $defs: {
      node: {
        type: 'object',
        properties: { value: {}, children: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['value'],
      },
    },
  },
  recursiveRoot: { type: 'object', properties: { child: { $ref: '#' }, list: { type: 'array', items: { $ref: '#' } } } },
  definitions: { type: 'object', properties: { a: { $ref: '#/definitions/A' } }, definitions: { A: { enum: ['x', 'y'] } } },
  bothKinds: {
    type: 'object',
    properties: { a: { $ref: '#/definitions/A' }, b: { $ref: '#/$defs/A' } },
    definitions: { A: { type: 'string' } },
    $defs: { A: { type: 'number' } },
  },
  refSiblings: {
    type: 'object',
    properties: { a: { $ref: '#/$defs/A', description: 'mine', nullable: true } },
    $defs: { A: { type: 'object', properties: { x: {} } } },
  },
  rootRef: { $ref: '#/$defs/Args', $defs: { Args: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] } } },
  danglingRef: { type: 'object', properties: { a: { $ref: '#/$defs/nowhere' }, b: { $ref: 7 }, c: { $ref: '#/$defs/%E0%A4%A' } } },
  refCycle: {
    type: 'object',
    properties: { a: { $ref: '#/$defs/A' } },
    $defs: { A: { $ref: '#/$defs/B' }, B: { $ref: '#/$defs/C' }, C: { $ref: '#/$defs/A' } },
  },
  selfRef: { $ref: '#' },
  aliasCycle: {
    type: 'object',
    properties: { a: { $ref: '#/$defs/A' } },
    $defs: {
      A: { anyOf: [{ $ref: '#/$defs/B' }, { type: 'string' }] },
      B: { allOf: [{ $ref: '#/$defs/A' }, { type: 'object', properties: {} }] },
    },
  },
  jsonValue: {
    type: 'object',
    properties: { v: { $ref: '#/$defs/J' } },
    $defs: {
      J: {
        anyOf: [
          { type: ['string', 'null', 'boolean'] },
          { type: 'array', items: { $ref: '#/$defs/J' } },
          { type: 'object', additionalProperties: { $ref: '#/$defs/J' } },
        ],
      },
    },
  },
  anchors: {
    type: 'object',
    properties: { a: { $ref: '#here' }, b: { $ref: 'thing.json' }, c: { $ref: 'https://x.test/s#/properties/a' } },
    $id: 'https://x.test/s',
    $defs: { q: { $anchor: 'here', type: 'string' }, r: { $id: 'thing.json', type: 'number' } },
  },
  externalRefs: {
    type: 'object',
    properties: {
      a: { $ref: 'http://127.0.0.1:9/s.json' },
      b: { $ref: 'file:///etc/passwd' },
      c: { $ref: '/etc/passwd' },
      d: { $ref: './package.json#/name' },
      e: { enum: [{ $ref: 'http://127.0.0.1:9/x' }] },
    },
  },
  oneOf: {
    type: 'object',
    oneOf: [
      { properties: { kind: { const: 'a' }, x: { type: 'number' } }, required: ['kind', 'x'] },
      { properties: { kind: { const: 'b' } }, required: ['kind'] },
    ],
  },
  oneOfRequired: {
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'string' } },
    anyOf: [{ required: ['a'] }, { required: ['b'] }],
  },
  allOf: {
    allOf: [
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
      { type: 'object', properties: { b: { type: 'number' } } },
    ],
  },
  allOfOfNothing: { type: 'object', allOf: [], anyOf: [], oneOf: null },
  ifThenElse: JSON.parse(
    '{"type":"object","properties":{"a":{}},"if":{"properties":{"a":{"const":1}}},"then":{"required":["a"]},"else":false,"not":{"required":["z"]}}',
  ),
  enums: {
    type: 'object',
    properties: {
      a: { enum: ['x', null, 1, true, -0, Infinity, 1e21] },
      b: { enum: [] },
      c: { enum: [{ x: 1 }, [1]] },
      d: { const: null },
      e: { const: { a: 1 } },
      f: { type: 'string', enum: Array.from({ length: 900 }, (_, at) => `v${at}`) },
    },
  },
  nullable: {
    type: 'object',
    properties: { a: { type: 'string', nullable: true }, b: { type: ['string', 'null'] }, c: { enum: ['x'], nullable: true } },
  },
  tuples: {
    type: 'object',
    properties: {
      a: { type: 'array', items: [{ type: 'string' }, { type: 'number' }] },
      b: { type: 'array', prefixItems: [{ type: 'string' }], items: false },
      c: { prefixItems: [], items: { type: 'string' } },
      d: { items: [], additionalItems: false },
    },
  },
  bounds: {
    type: 'object',
    properties: {
      a: { type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 3 },
      b: { type: 'array', minItems: 5, maxItems: -4 },
    },
  },
  patterns: {
    type: 'object',
    properties: { a: { type: 'number' } },
    patternProperties: { '^x-*/': { type: 'string' }, '[': { type: 'boolean' } },
  },
  additional: {
    type: 'object',
    properties: { a: { type: 'number' }, b: { $ref: '#/$defs/B' } },
    required: ['a'],
    additionalProperties: { type: 'string' },
    $defs: { B: { type: 'object', properties: {}, additionalProperties: true } },
  },
  hostileNames: {
    type: 'object',
    properties: Object.fromEntries(
      [
        '__proto__x',
        'constructor',
        'hasOwnProperty',
        'toString',
        '',
        ' ',
        '"',
        "'",
        '`',
        '${x}',
        '\\',
        '\n',
        '\u2028',
        '*/',
        '//',
        '</script>',
        'a-b',
        '1',
        'property0',
        '[k: string]',
        '$ref',
        'enum',
        '\u202e',
        '\ud800',
        'é',
        'type',
        'description',
        'new',
        'default',
      ].map((name) => [name, { type: 'string', description: name }]),
    ),
  },
  proto: JSON.parse(
    '{"type":"object","properties":{"__proto__":{"type":"string"},"a":{"$ref":"#/__proto__"},"b":{"$ref":"#/constructor"}},"required":["__proto__"]}',
  ),
  hostileTexts: {
    title: '*/ export const pwned = 1; /*',
    description: '*/ pwned(); /** `${x}` \u2028 </script> // @ts-nocheck\n/// <reference path="/etc/passwd" />\n@deprecated @license x',
    $id: 'class extends Promise { }',
    type: 'object',
    tsType: 'any; export const pwned = 2; type X = string',
    tsEnumNames: ['a', 'b; pwned()'],
    deprecated: 'yes',
    properties: {
      a: { type: 'string', tsType: '{}; pwned(); type Y = 1', title: 'Promise', description: '**/**/*/ pwned()' },
      b: {
        enum: ['*/', '"; pwned(); "', "'", '`${pwned()}`', '\u2028', '</script>', '// @ts-nocheck', '\\', '{', '}', ' {'],
        tsEnumNames: ['x'],
      },
      c: {
        $id: 'Record',
        type: 'object',
        title: 'HostileTextsInput',
        properties: { d: { $id: 'HostileTextsInput', type: 'object', properties: {} } },
      },
    },
    extends: { $ref: 'http://127.0.0.1:9/' },
  },
  hostileDefinitions: {
    type: 'object',
    properties: {
      a: { $ref: '#/$defs/Promise' },
      b: { $ref: '#/$defs/Record' },
      c: { $ref: '#/$defs/x; pwned()' },
      d: { $ref: '#/$defs/a~1b' },
      e: { $ref: '#/$defs/a-b' },
      f: { $ref: '#/$defs/' },
      g: { $ref: '#/$defs/callTool' },
    },
    $defs: {
      Promise: { type: 'object', properties: {} },
      Record: { type: 'string' },
      'x; pwned()': { type: 'number' },
      'a/b': { type: 'null' },
      'a-b': { type: 'boolean' },
      '': { type: 'string' },
      callTool: { type: 'array' },
    },
  },
  manyProperties: {
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`p${at}`, { type: 'string' }])),
  },
  bigText: {
    type: 'object',
    description: 'x */ '.repeat(200_000),
    properties: { a: { description: 'y'.repeat(1_000_000) }, ['z'.repeat(50_000)]: {} },
  },
  manyDocs: {
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: 400 }, (_, at) => [`p${at}`, { type: 'string', description: 'long '.repeat(100) }]),
    ),
  },
  deep: nested(500),
  veryDeep: nested(20_000),
  deepUnion: Array.from({ length: 8 }).reduce((inner: object) => ({ type: 'object', anyOf: [inner, inner], properties: { a: inner } }), {
    type: 'object',
  }),
  doublingRefs: {
    type: 'object',
    properties: { a: { $ref: '#/$defs/d0' } },
    $defs: Object.fromEntries(
      Array.from({ length: 60 }, (_, at) => [`d${at}`, { allOf: [{ $ref: `#/$defs/d${at + 1}` }, { $ref: `#/$defs/d${at + 1}` }] }]).concat(
        [['d60', { anyOf: [{ type: 'string' }, { type: 'number' }] }]] as never,
      ),
    ),
  },
  unionProduct: {
    type: 'object',
    properties: {
      a: {
        allOf: [0, 1, 2].map((set) => ({
          anyOf: Array.from({ length: 90 }, (_, at) => ({
            type: 'object',
            properties: { [`k${set}`]: { const: at } },
            required: [`k${set}`],
          })),
        })),
      },
    },
  },
  allKeywords: {
    type: ['object', 'array', 'string'],
    properties: { a: {} },
    items: { type: 'string' },
    enum: ['a'],
    anyOf: [{}],
    allOf: [true, false],
    $comment: '*/',
  },
};

function nested(depth: number): object {
  let schema: object = { type: 'string' };
  for (let at = 0; at < depth; at++) {
    schema = at % 2 === 0 ? { type: 'object', properties: { a: schema } } : { type: 'array', items: schema };
  }
  return { type: 'object', properties: { a: schema } };
}
