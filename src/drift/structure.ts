/** Keywords that describe and do not decide. */
const ANNOTATIONS = new Set('$comment $id $schema default deprecated description example examples id readOnly title writeOnly'.split(' '));
/** Keywords whose members are named by the author of the schema. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas', 'dependencies']);
/** Keywords whose value is data. */
const DATA = new Set(['const', 'enum']);
/** Keywords whose value is a list in which the order says nothing. */
const SETS = new Set(['enum', 'required', 'type']);

/** All that a schema decides, as text: the same for schemas that differ in descriptions and in the order of keys alone. */
export function structureText(schema: unknown): string {
  return JSON.stringify(structure(schema)) ?? 'null';
}

function structure(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(structure);
  if (typeof schema !== 'object' || schema === null) return schema;
  const keywords = Object.entries(schema).filter(([keyword]) => !ANNOTATIONS.has(keyword) && !keyword.startsWith('x-'));
  return sorted(keywords.map(([keyword, value]) => [keyword, keywordValue(keyword, value)]));
}

function keywordValue(keyword: string, value: unknown): unknown {
  if (SETS.has(keyword) && Array.isArray(value)) return value.map(dataText).sort();
  if (DATA.has(keyword)) return dataText(value);
  if (!MAPS.has(keyword) || typeof value !== 'object' || value === null) return structure(value);
  return sorted(Object.entries(value).map(([name, part]) => [name, structure(part)]));
}

function dataText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part) ? sorted(Object.entries(part)) : part,
  );
}

function sorted(entries: [string, unknown][]): unknown {
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
