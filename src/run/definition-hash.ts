import { createHash } from 'node:crypto';
import type { CatalogTool } from '../upstream/catalog.ts';

/** Hexadecimal digits: enough to tell two definitions of one tool apart, and short enough to be read out. */
const DIGITS = 16;

/** Names what a server says of a tool: all that a person or a model can know of it. The order of its members is nothing. */
export function definitionHash({ name, title, description, inputSchema, outputSchema, annotations }: CatalogTool): string {
  const text = JSON.stringify({ name, title, description, inputSchema, outputSchema, annotations }, sorted);
  return createHash('sha256').update(text).digest('hex').slice(0, DIGITS);
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
