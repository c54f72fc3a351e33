import { hash } from 'blake3';

type Pending = { readonly text: string } | { readonly value: unknown };

/**
 * JSON text with sorted keys, or with the keys in their own order. Works on any depth: a schema that is nested a hundred
 * thousand times must not end in a stack overflow.
 */
export function canonicalJson(value: unknown, sorted = true): string {
  if (!sorted) {
    try {
      return JSON.stringify(value) ?? 'null';
    } catch (thrown) {
      // Too deep for the stack: on to the slow way, which gives the same text.
      if (!(thrown instanceof RangeError)) throw thrown;
    }
  }
  const out: string[] = [];
  const pending: Pending[] = [{ value }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if ('text' in next) out.push(next.text);
    else if (typeof next.value !== 'object' || next.value === null) out.push(JSON.stringify(next.value) ?? 'null');
    else for (const part of members(next.value, sorted).reverse()) pending.push(part);
  }
  return out.join('');
}

function members(value: object, sorted: boolean): Pending[] {
  const parts: Pending[] = [{ text: Array.isArray(value) ? '[' : '{' }];
  const entries: [string, unknown][] = Object.entries(value).filter(([, item]) => Array.isArray(value) || item !== undefined);
  if (sorted && !Array.isArray(value)) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  entries.forEach(([key, item], at) => {
    parts.push({ text: `${at === 0 ? '' : ','}${Array.isArray(value) ? '' : `${JSON.stringify(key)}:`}` }, { value: item });
  });
  parts.push({ text: Array.isArray(value) ? ']' : '}' });
  return parts;
}

/** Blake3 of a text, in hexadecimal. */
export function textHash(text: string): string {
  return hash(text).toString('hex');
}

/** Blake3 of a JSON value, in hexadecimal; the same for every order of keys. */
export function schemaHash(schema: unknown): string {
  return textHash(canonicalJson(schema));
}
