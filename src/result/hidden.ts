import type { ContentBlock } from '@modelcontextprotocol/server';
import type { ChangeText } from './json-strings.ts';

/** A parsed value with all its texts changed, keys too. */
export function changeTexts(value: unknown, change: ChangeText): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => changeTexts(item, change));
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [change(key), changeTexts(member, change)]));
}

/** What a change would break, wherever it is in a block: base64, and words that the protocol defines. */
const KEPT_AS_IS: ReadonlySet<string> = new Set(['type', 'mimeType', 'data', 'blob']);

/** A content block with all its texts changed: its name and address, and the fields that only the program knows, too. */
export function changeBlock(block: ContentBlock, change: ChangeText): ContentBlock {
  const { resource, ...rest } = block as ContentBlock & { readonly resource?: unknown };
  const fields = changeFields(rest, change);
  return (resource === undefined ? fields : { ...fields, resource: changeFields(resource, change) }) as ContentBlock;
}

function changeFields(record: unknown, change: ChangeText): object {
  const entries = Object.entries(record as object);
  return Object.fromEntries(entries.map(([key, value]) => [key, KEPT_AS_IS.has(key) ? value : changeTexts(value, change)]));
}
