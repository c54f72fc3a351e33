import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { z } from 'zod';

const advertised = new WeakMap<z.ZodType, StandardSchemaWithJSON>();

/** A zod schema for the SDK. Its JSON Schema is made once, not with each of the servers that live for one request only. */
export function advertise(schema: z.ZodType): StandardSchemaWithJSON {
  const known = advertised.get(schema);
  if (known) return known;
  const made = withJson(z.toJSONSchema(schema, { io: 'output' }), (value) => schema['~standard'].validate(value));
  advertised.set(schema, made);
  return made;
}

/** Listed with the JSON Schema of `schema`, but not enforced by the SDK, whose own refusals have no code and no structured content. */
export function advertiseUnchecked(schema: z.ZodType): StandardSchemaWithJSON {
  return withJson(z.toJSONSchema(schema, { io: 'input' }), (value) => ({ value }));
}

type Validate = StandardSchemaWithJSON['~standard']['validate'];

function withJson(json: Record<string, unknown>, validate: Validate): StandardSchemaWithJSON {
  return { '~standard': { version: 1, vendor: 'ampoule', validate, jsonSchema: { input: () => json, output: () => json } } };
}
