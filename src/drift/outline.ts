import { createHash } from 'node:crypto';
import type { CatalogTool } from '../upstream/catalog.ts';
import { structureText } from './structure.ts';

const MAX_FIELDS = 60;
const MAX_NAME = 100;
const MAX_TYPE = 60;

type Schema = Readonly<Record<string, unknown>>;

/** One field of an object. `hash` is of all that its schema says, `type` of it in a word or two. */
export interface Field {
  readonly required: boolean;
  readonly type: string;
  readonly hash: string;
}

/** What a schema says of an object's fields, as far as a message can tell it, and a hash of all of it. */
export interface SchemaOutline {
  readonly hash: string;
  readonly type: string;
  readonly fields: Readonly<Record<string, Field>>;
}

/** The schemas of a tool, short enough to be remembered with a program. */
export interface ToolOutline {
  readonly input: SchemaOutline;
  /** Null when the tool declares nothing of its results. */
  readonly output: SchemaOutline | null;
}

/** An outline as text, and the hash of it: equal schemas have the same. */
export interface OutlineText {
  readonly hash: string;
  readonly text: string;
}

const known = new WeakMap<CatalogTool, OutlineText>();

/** The outline of a tool's schemas; kept as long as the catalog has the tool. */
export function outlineOf(tool: CatalogTool): OutlineText {
  const before = known.get(tool);
  if (before !== undefined) return before;
  const outline: ToolOutline = {
    input: outlineSchema(tool.inputSchema),
    output: tool.outputSchema === undefined ? null : outlineSchema(tool.outputSchema),
  };
  const text = JSON.stringify(outline);
  const made = { text, hash: shortHash(text) };
  known.set(tool, made);
  return made;
}

function outlineSchema(schema: Schema): SchemaOutline {
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const declared = Object.entries(isRecord(schema['properties']) ? schema['properties'] : {});
  const fields = declared.slice(0, MAX_FIELDS).map(([name, field]): [string, Field] => {
    return [name.slice(0, MAX_NAME), { required: required.has(name), type: typeOf(field), hash: shortHash(structureText(field)) }];
  });
  return { hash: shortHash(structureText(schema)), type: typeOf(schema), fields: Object.fromEntries(fields) };
}

function typeOf(schema: unknown): string {
  if (!isRecord(schema)) return 'anything';
  const { type, items } = schema;
  if (Array.isArray(schema['enum'])) return 'one of some values';
  if (type === 'array' && isRecord(items) && typeof items['type'] === 'string') return `array of ${items['type']}`.slice(0, MAX_TYPE);
  if (Array.isArray(type)) return type.join(' or ').slice(0, MAX_TYPE);
  return typeof type === 'string' ? type.slice(0, MAX_TYPE) : 'something else';
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}

function isRecord(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
