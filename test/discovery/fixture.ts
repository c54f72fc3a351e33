import { createDiscovery, type Discovery } from '../../src/discovery/discovery.ts';
import type { DiscoverySource, SearchAnswer, SearchRequest, SkillEntry } from '../../src/discovery/entry.ts';
import type { Catalog, CatalogTool } from '../../src/upstream/catalog.ts';
import { generateWrappers } from '../../src/wrappers/generate.ts';

/** A tool with string parameters of the given names. */
export function tool(name: string, description = '', parameters: readonly string[] = [], more: Partial<CatalogTool> = {}): CatalogTool {
  const properties = Object.fromEntries(parameters.map((parameter) => [parameter, { type: 'string' }]));
  return { name, description, inputSchema: { type: 'object', properties, required: [...parameters] }, ...more };
}

/** A catalog of ready servers with its wrappers. */
export async function sourceOf(
  servers: Readonly<Record<string, readonly CatalogTool[]>>,
): Promise<Pick<DiscoverySource, 'wrappers' | 'catalog'>> {
  const catalog: Catalog = { servers: Object.entries(servers).map(([name, tools]) => ({ name, state: 'ready', tools })) };
  return { catalog, wrappers: await generateWrappers(catalog, {}, new AbortController().signal) };
}

export const OFFICE = {
  github: [
    tool('list_issues', 'Lists the issues of a repository, newest first.', ['repo', 'state']),
    tool('create_issue', 'Opens an issue.', ['repo', 'title']),
    tool('mergePullRequest', 'Merges a pull request when its checks have passed.', ['repo', 'number']),
    tool('get-file', 'Reads a file at a commit.', ['repo', 'path', 'ref']),
  ],
  mail: [
    tool('search', 'Searches messages by sender, subject and text.', ['query'], { annotations: { readOnlyHint: true } }),
    tool('send_message', 'Sends a message.', ['recipient', 'body'], { annotations: { title: 'Send an e-mail' } }),
    tool('delete_message', 'Deletes a message for good.', ['id'], { annotations: { destructiveHint: true } }),
  ],
  crm: [tool('find_customer', 'Finds customers by name or e-mail address.', ['text']), tool('list_deals', 'Lists deals.', ['status'])],
};

export const TRIAGE: SkillEntry = {
  kind: 'skill',
  name: 'triage',
  description: 'Sorts new issues by urgency.',
  exports: ['triage(repo: string): Promise<string[]>'],
  importLine: 'import { triage } from "skills/triage";',
  code: 'export async function triage(repo: string) { return []; }',
};

export async function discoveryOf(
  servers: Parameters<typeof sourceOf>[0],
  skills?: (principal: string) => readonly SkillEntry[],
): Promise<Discovery> {
  const source = await sourceOf(servers);
  return createDiscovery({ source: () => source, skills });
}

export function ask(discovery: Discovery, request: Partial<SearchRequest>, principal = 'local'): Promise<SearchAnswer> {
  return discovery.search({ query: '', detail: 'names', limit: 10, ...request }, principal);
}

/** Names of the hits, the best first. */
export async function names(discovery: Discovery, query: string, more: Partial<SearchRequest> = {}): Promise<string[]> {
  return (await ask(discovery, { query, ...more })).hits.map(({ name }) => name);
}
