import type { Policies } from '../config/policy-schema.ts';
import { compileGlob } from '../glob.ts';
import { nearestName } from '../nearest-name.ts';
import type { Catalog, CatalogServer } from '../upstream/catalog.ts';
import { addressParts, isPlainName } from './address.ts';

const MAX_NAMES = 10;

/**
 * One sentence for each policy that names a tool which its server does not have, with the nearest name. Servers whose tools are not known yet, or
 * any more, say nothing about them.
 */
export function unknownTools(policies: Policies, { servers }: Catalog): string[] {
  const ready = servers.filter(({ state }) => state === 'ready');
  const ofServers = ready.flatMap((server) => {
    const keys = Object.keys(policies.servers[server.name]?.tools ?? {});
    return keys.filter((key) => !has(server, key)).map((key) => told(`policies.servers.${server.name}.tools`, key, [server]));
  });
  const ofRules = policies.dataFlow.flatMap(({ from, to }, index) => {
    const at = `policies.dataFlow[${index}]`;
    return [...from.map((text) => ({ text, at: `${at}.from` })), ...to.map((text) => ({ text, at: `${at}.to` }))];
  });
  return [...new Set([...ofServers, ...ofRules.flatMap(({ text, at }) => unknownAddress(text, at, servers))])];
}

/** The sentence for an address such as `mail.*` that means no tool. Says nothing while a server that it means is not ready. */
export function unknownAddress(text: string, at: string, servers: readonly CatalogServer[]): string[] {
  const meant = addressParts(text).flatMap(({ server, tool }) =>
    servers.filter((one) => compileGlob(server)(one.name)).map((one) => ({ one, tool })),
  );
  if (meant.some(({ one, tool }) => one.state !== 'ready' || has(one, tool))) return [];
  const [first] = meant;
  if (first === undefined) return [];
  return [told(at, first.tool, [...new Set(meant.map(({ one }) => one))], text)];
}

function has({ tools }: CatalogServer, key: string): boolean {
  const matches = compileGlob(key);
  return tools.some(({ name }) => name === key || matches(name));
}

function told(at: string, key: string, servers: readonly CatalogServer[], shown = key): string {
  const names = servers.flatMap(({ tools }) => tools.map(({ name }) => name));
  const near = isPlainName(key) ? nearestName(key, names) : undefined;
  const [server] = servers;
  const where = servers.length === 1 && server ? `the server "${server.name}" has` : 'the servers have';
  const what = isPlainName(key) ? `no tool "${key}"` : `no tool that matches "${key}"`;
  const listed = `It has: ${names.slice(0, MAX_NAMES).join(', ')}${names.length > MAX_NAMES ? ', ...' : ''}.`;
  return `${at} names ${JSON.stringify(shown)}, but ${where} ${what}. ${near === undefined ? listed : `Did you mean "${near}"?`}`;
}
