/** Schemas past these bounds are not compiled: the upstream judges the arguments itself. */
const MAX_SCHEMA_BYTES = 256 * 1024;
const MAX_DEPTH = 64;
const MAX_SUBSCHEMAS = 5_000;

/** The keyword of ours that every subschema gets. Its value is the work that evaluating the subschema once takes. */
export const WORK_KEYWORD = 'ampouleWork';

/** Keywords whose value is plain data. All others (formats, annotations, identifiers, extensions of Ajv) are left out. */
const DATA_KEYWORDS = new Set([
  'type',
  'enum',
  'const',
  'required',
  'nullable',
  'dependentRequired',
  'uniqueItems',
  '$schema',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'minContains',
  'maxContains',
  'minProperties',
  'maxProperties',
  '$ref',
  '$anchor',
  '$dynamicRef',
  '$dynamicAnchor',
]);
const SCHEMA_KEYWORDS = new Set([
  'items',
  'additionalItems',
  'contains',
  'propertyNames',
  'additionalProperties',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
  'allOf',
  'anyOf',
  'oneOf',
  'prefixItems',
]);
const MAP_KEYWORDS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']);

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A copy of a stranger's schema that is safe to compile: known keywords only, no references out of the schema, and a count
 * of the work in every subschema, because references and unions can make a small schema take exponential time.
 * @throws Error when it is too large, too deep, or refers to other documents
 */
export function prepareSchema(schema: JsonObject): JsonObject {
  if (Buffer.byteLength(JSON.stringify(schema)) > MAX_SCHEMA_BYTES) throw new Error(`it is over ${MAX_SCHEMA_BYTES} bytes`);
  const count = { left: MAX_SUBSCHEMAS };
  const copySchema = (value: unknown, depth: number): unknown => {
    if (depth > MAX_DEPTH) throw new Error(`it is more than ${MAX_DEPTH} levels deep`);
    if (Array.isArray(value)) return value.map((one) => copySchema(one, depth + 1));
    if (!isObject(value)) return value;
    if (--count.left < 0) throw new Error(`it has more than ${MAX_SUBSCHEMAS} subschemas`);
    // fromEntries defines, where an assignment of "__proto__" would set the prototype.
    const entries = Object.entries(value).flatMap(([keyword, given]) => copyKeyword(keyword, given, (one) => copySchema(one, depth + 1)));
    return { ...Object.fromEntries(entries), [WORK_KEYWORD]: workOf(value) };
  };
  const copy = copySchema(schema, 0);
  return isObject(copy) ? copy : {};
}

function copyKeyword(keyword: string, value: unknown, copySchema: (schema: unknown) => unknown): [string, unknown][] {
  if (SCHEMA_KEYWORDS.has(keyword)) return [[keyword, copySchema(value)]];
  if (MAP_KEYWORDS.has(keyword) && isObject(value)) return [[keyword, mapValues(value, copySchema)]];
  if (!DATA_KEYWORDS.has(keyword)) return [];
  const isReference = keyword === '$ref' || keyword === '$dynamicRef';
  if (isReference && (typeof value !== 'string' || !value.startsWith('#'))) throw new Error('it refers to another document');
  return [[keyword, value]];
}

function mapValues(map: JsonObject, copySchema: (schema: unknown) => unknown): JsonObject {
  // Under "dependencies" a value may also be a list of names, which is no list of schemas but comes out of the copy unchanged.
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, copySchema(value)]));
}

function workOf(schema: JsonObject): number {
  const sizes = [schema['enum'], schema['required']].map((list) => (Array.isArray(list) ? list.length : 0));
  const properties = schema['properties'];
  return 1 + sizes.reduce((sum, size) => sum + size, 0) + (isObject(properties) ? Object.keys(properties).length : 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
