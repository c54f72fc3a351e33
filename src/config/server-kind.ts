import type { Finding } from './finding.ts';
import type { JsonPath } from './json-source.ts';
import { valueAt } from './json-source.ts';
import { nearestName } from '../nearest-name.ts';
import { SERVER_TYPES } from './server-schema.ts';
import { showValue } from './secrets.ts';

/** Which branch of the server schema an entry means; or a finding when it means none, and then its other findings are noise. */
export type ServerKind = { readonly kind: 'stdio' | 'http' } | { readonly kind: 'neither'; readonly finding: Finding };

/** An entry of `mcpServers`: `value` with its variables replaced, which nobody may see, and as it was written. */
export interface Entry {
  readonly value: unknown;
  readonly written: unknown;
}

/** Tells what kind of server an entry of `mcpServers` is, by `command` and `url`. */
export function serverKind(entry: Entry, path: JsonPath): ServerKind {
  const neither = (message: string, at: JsonPath = path, hint?: string): ServerKind => ({
    kind: 'neither',
    finding: { kind: 'invalid', path: at, message, ...(hint === undefined ? {} : { hint }) },
  });
  const { value, written } = entry;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return neither(`expected an object with a "command" or a "url", got ${showValue(written, path)}`);
  }
  const unknownType = Object.hasOwn(value, 'type') ? typeProblem(valueAt(value, ['type']), valueAt(written, ['type']), path) : undefined;
  if (unknownType !== undefined) return neither(unknownType, [...path, 'type']);
  const [command, url] = [Object.hasOwn(value, 'command'), Object.hasOwn(value, 'url')];
  if (command && url) return neither('expected either a "command" or a "url", got both', path, 'Make it two servers, or take one out.');
  if (command) return { kind: 'stdio' };
  if (url) return { kind: 'http' };
  return neither('expected a "command" (a server to start) or a "url" (a server to connect to), got neither');
}

function typeProblem(type: unknown, written: unknown, path: JsonPath): string | undefined {
  if (SERVER_TYPES.some((known) => known === type)) return undefined;
  const near = typeof written === 'string' ? nearestName(written, SERVER_TYPES) : undefined;
  const meant = near === undefined ? '' : `, did you mean "${near}"?`;
  return `unknown server type ${showValue(written, [...path, 'type'])}${meant === '' ? '.' : meant} Right types: "stdio", "http" (Streamable HTTP), "sse"`;
}
