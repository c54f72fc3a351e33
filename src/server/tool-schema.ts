import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { z } from 'zod';

const advertised = new WeakMap<z.ZodType, StandardSchemaWithJSON>();

/** A zod schema for the SDK. Its JSON Schema is made once, not with each of the servers that live for one request only. */
export function advertise(schema: z.ZodType): StandardSchemaWithJSON {
  const known = advertised.get(schema);
  if (known) return known;
  const made = withJson(listed(z.toJSONSchema(schema, { io: 'input' })), (value) => schema['~standard'].validate(value));
  advertised.set(schema, made);
  return made;
}

/** Listed with the JSON Schema of `schema`, but not enforced by the SDK, whose own refusals have no code and no structured content. */
export function advertiseUnchecked(schema: z.ZodType): StandardSchemaWithJSON {
  return withJson(listed(z.toJSONSchema(schema, { io: 'input' }), SPARED), (value) => ({ value }));
}

/** What arguments are held to in any case, with an error that says so: every client would carry it for nothing. */
const SPARED = new Set(['minimum', 'maximum', 'minLength', 'propertyNames', 'default']);

/** What a client has to carry of a schema: without the dialect, which is MCP's own, and without bounds that every number has. */
function listed(
  { $schema: _dialect, ...schema }: Record<string, unknown>,
  spared: ReadonlySet<string> = new Set(),
): Record<string, unknown> {
  const drop = (key: string, value: unknown): unknown => {
    const isBound = (key === 'maximum' || key === 'minimum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
    const isClosed = key === 'additionalProperties' && value === false && spared.size > 0;
    return isBound || isClosed || spared.has(key) ? undefined : value;
  };
  return JSON.parse(JSON.stringify(schema, drop)) as Record<string, unknown>;
}

type Validate = StandardSchemaWithJSON['~standard']['validate'];

function withJson(json: Record<string, unknown>, validate: Validate): StandardSchemaWithJSON {
  return { '~standard': { version: 1, vendor: 'ampoule', validate, jsonSchema: { input: () => json, output: () => json } } };
}
