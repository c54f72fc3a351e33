import { BOUNDS } from './bounds.ts';
import { isRecord } from './schema-references.ts';
import { combine, UNKNOWN } from './type-model.ts';
import type { PropertyNode, ReadBelow, TypeNode } from './type-model.ts';

/** An object schema as a node. What `required` names and `properties` lacks becomes a property of unknown type. */
export function readObject(schema: Readonly<Record<string, unknown>>, read: ReadBelow): TypeNode {
  const listed = schema['required'];
  const required = new Set(Array.isArray(listed) ? listed.filter((name) => typeof name === 'string') : []);
  const properties: PropertyNode[] = [];
  const declared = isRecord(schema['properties']) ? schema['properties'] : {};
  for (const [name, below] of Object.entries(declared)) {
    // `required: true` at the property is how the third draft says it.
    const isRequired = required.delete(name) || (isRecord(below) && below['required'] === true);
    if (name.length <= BOUNDS.literalLength) properties.push({ name, required: isRequired, type: typeOf(name, isRequired, read(below)) });
  }
  for (const name of required) {
    if (name.length <= BOUNDS.literalLength) properties.push({ name, required: true, type: read(true) });
  }
  const rest = readRest(schema, read, properties.length === 0 && !isRecord(schema['properties']));
  return rest === undefined ? { kind: 'object', properties } : { kind: 'object', properties, rest };
}

/** TypeScript holds that every object has these, so that `{}` would not meet an optional one with a type of its own. */
const INHERITED = new Set(Object.getOwnPropertyNames(Object.prototype));

function typeOf(name: string, isRequired: boolean, type: TypeNode): TypeNode {
  return INHERITED.has(name) && !isRequired ? { ...UNKNOWN, doc: type.doc ?? '' } : type;
}

/** The type of further properties; undefined where the schema names none, although it may not forbid them. */
function readRest(schema: Readonly<Record<string, unknown>>, read: ReadBelow, free: boolean): TypeNode | undefined {
  const { additionalProperties: additional, patternProperties: patterns } = schema;
  if (additional === true) return UNKNOWN;
  const types = isRecord(patterns) ? Object.values(patterns).map(read) : [];
  if (isRecord(additional)) types.push(read(additional));
  if (types.length > 0) return combine('union', types);
  return free && additional !== false ? UNKNOWN : undefined;
}
