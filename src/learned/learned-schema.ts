import type { Shape } from './shape.ts';

/** A JSON Schema, as far as this project looks at one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * A learned shape as JSON Schema; undefined when it says nothing of use. Objects stay open: a property that was not seen yet may come.
 * The same shape gives the same text.
 */
export function toLearnedSchema(shape: Shape): JsonSchema | undefined {
  const schema = toSchema(shape);
  return Object.keys(schema).length === 0 ? undefined : schema;
}

function toSchema(shape: Shape): JsonSchema {
  if (shape.anything) return {};
  const { primitives = [], items, properties, values } = shape;
  const parts = items ?? properties ?? values;
  // Where there was nothing but null, what else there can be is yet to be seen.
  if (parts === undefined && primitives.every((name) => name === 'null')) return {};
  const forms: JsonSchema[] = [];
  if (primitives.length > 0) forms.push({ type: primitives.length === 1 ? primitives[0] : primitives });
  if (items) forms.push({ type: 'array', items: toSchema(items) });
  if (values) forms.push({ type: 'object', additionalProperties: toSchema(values) });
  if (properties) forms.push(toObjectSchema(properties));
  const [first] = forms;
  return forms.length > 1 ? { anyOf: forms } : (first ?? {});
}

function toObjectSchema(properties: NonNullable<Shape['properties']>): JsonSchema {
  const required = properties.filter(({ optional }) => optional !== true).map(({ name }) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(properties.map(({ name, shape }) => [name, toSchema(shape)])),
    ...(required.length > 0 && { required }),
    additionalProperties: true,
  };
}
