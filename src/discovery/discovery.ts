import { createHash } from 'node:crypto';
import type { Grant } from '../access/principal.ts';
import { SandboxError } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { CatalogTool } from '../upstream/catalog.ts';
import type { WrapperTool } from '../wrappers/wrapper-set.ts';
import { type CursorScope, readCursor, writeCursor } from './cursor.ts';
import { isSkill, type SearchDocument } from './documents.ts';
import type { DiscoverySource, SearchAnswer, SearchHit, SearchRequest, SearchSuggestions, SkillEntry } from './entry.ts';
import { hitOf, hitChars } from './hit.ts';
import { buildToolIndex, type ToolIndex } from './tool-index.ts';

/** Characters of one answer: a page ends early rather than fill a model's context. */
const PAGE_CHARS = 20_000;
/** Indexes that are kept, for principals with different skills. */
const MAX_KEPT = 4;
const MAX_SERVERS = 20;
/** The `server` of saved modules. */
const SKILLS = 'skills';

export interface DiscoveryOptions {
  /** The wrappers and the catalog they were made from; the same objects as long as nothing changed. */
  readonly source: () => Pick<DiscoverySource, 'wrappers' | 'catalog'>;
  /** The modules that a principal may import: another list whenever they changed. Absent when there are none. */
  readonly skills?: ((principal: string) => readonly SkillEntry[]) | undefined;
  /** What the operator lets programs of a principal do with a tool. Absent: everything. */
  readonly decide?: ((server: string, tool: CatalogTool, principal: string) => 'allow' | 'ask' | 'deny') | undefined;
  /** Whether a grant has a tool. */
  readonly allows?: ((grant: Grant, server: string, tool: string) => boolean) | undefined;
}

/** What there is for somebody with a grant: what it does not have is not found, and not counted. */
type IsFor = (document: SearchDocument['of']) => boolean;

export interface Discovery {
  /** @throws SandboxError ERR_SERVER_INPUT for an empty query without a server, an unknown server, or a cursor that is not good */
  search(request: SearchRequest, principal: string, grant?: Grant): Promise<SearchAnswer>;
}

/** Full-text search over the wrappers and skills. The index is built at the first search after a change. */
export function createDiscovery({ source, skills = () => [], decide = () => 'allow', allows = () => true }: DiscoveryOptions): Discovery {
  const kept = new Map<string, Promise<ToolIndex>>();
  const indexOf = (content: string, now: DiscoverySource): Promise<ToolIndex> => {
    const index = kept.get(content) ?? buildToolIndex(now);
    index.catch(() => kept.delete(content));
    kept.delete(content);
    kept.set(content, index);
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return index;
  };
  return {
    search: async (request, principal, grant) => {
      const now: DiscoverySource = { ...source(), skills: skills(principal) };
      const isFor: IsFor = (of) => grant === undefined || isSkill(of) || allows(grant, of.server, of.tool);
      if (request.query.trim() === '' && request.server === undefined) throw emptyQuery(now, isFor);
      const server = request.server === undefined ? undefined : serverName(request.server, now);
      const scope = { query: request.query.trim(), server, content: contentOf(now) };
      const offset = request.cursor === undefined ? 0 : readCursor(request.cursor, scope);
      const decideHere: Search['decide'] = (of, tool) => decide(of, tool, principal);
      return answer({ request, now, scope, offset, decide: decideHere, isFor, index: await indexOf(scope.content, now) });
    },
  };
}

/** Names what can be found, and how it is ranked: types that were learned meanwhile change neither. */
function contentOf({ wrappers, skills }: DiscoverySource): string {
  return `${(wrappers.declared ?? wrappers).hash} ${keyOf(skills)}`;
}

const keys = new WeakMap<readonly SkillEntry[], string>();

/** What a list of skills holds, in short. A list is read once: there may be megabytes of code in it. */
function keyOf(skills: readonly SkillEntry[]): string {
  const key = keys.get(skills) ?? createHash('sha256').update(JSON.stringify(skills)).digest('base64url');
  keys.set(skills, key);
  return key;
}

interface Search {
  readonly isFor: IsFor;
  readonly decide: (server: string, tool: CatalogTool) => 'allow' | 'ask' | 'deny';
  readonly request: SearchRequest;
  readonly now: DiscoverySource;
  readonly scope: CursorScope;
  readonly offset: number;
  readonly index: ToolIndex;
}

function answer(search: Search): SearchAnswer {
  const { request, now, scope, offset, index, isFor } = search;
  const accepts = (document: SearchDocument): boolean =>
    (scope.server === undefined || serverOf(document) === scope.server) && isFor(document.of);
  const found = scope.query === '' ? index.list(accepts) : index.find(scope.query, accepts);
  if (found.length === 0) return { total: 0, hits: [], suggestions: suggest(search) };
  const hits: SearchHit[] = [];
  let room = PAGE_CHARS;
  for (const { id, of } of found.slice(offset, offset + request.limit)) {
    // The index can be older than what was learned: the same functions in the same order, but not yet with their types.
    const tool = isSkill(of) ? undefined : (now.wrappers.tools[id] ?? of);
    const hit = { ...hitOf(tool ?? of, request.detail, now.wrappers), ...(tool && policyNote(tool, search)) };
    room -= hitChars(hit);
    if (room < 0 && hits.length > 0) break;
    hits.push(hit);
  }
  const next = offset + hits.length;
  return { total: found.length, hits, ...(next < found.length && { nextCursor: writeCursor(next, scope) }) };
}

/** A model that knows before plans better than one that learns it from an error. */
function policyNote({ server, tool }: WrapperTool, { now, decide }: Search): Pick<SearchHit, 'note'> {
  const listed = now.catalog.servers.find(({ name }) => name === server)?.tools.find(({ name }) => name === tool);
  switch (listed === undefined ? 'allow' : decide(server, listed)) {
    case 'allow':
      return {};
    case 'ask':
      return { note: 'asks a person first' };
    case 'deny':
      return { note: 'denied by the operator' };
  }
}

function suggest({ now, scope, index, isFor }: Search): SearchSuggestions {
  const { query, server } = scope;
  const all = query === '' ? index.list((document) => serverOf(document) === server) : index.find(query, () => true);
  const mine = all.filter(({ of }) => isFor(of));
  const elsewhere = server === undefined || query === '' ? 0 : mine.length;
  const denied = all.length - mine.length;
  return { words: index.near(query), servers: serversOf(now, isFor), elsewhere, ...(denied > 0 && { denied }) };
}

/** Some of the servers, with the number of their functions that somebody may call. */
function serversOf({ wrappers, skills }: DiscoverySource, isFor: IsFor): SearchSuggestions['servers'] {
  const counts = new Map<string, number>();
  for (const tool of wrappers.tools) if (isFor(tool)) counts.set(tool.server, (counts.get(tool.server) ?? 0) + 1);
  if (skills.length > 0) counts.set(SKILLS, (counts.get(SKILLS) ?? 0) + skills.length);
  return [...counts].map(([server, tools]) => ({ server, tools })).slice(0, MAX_SERVERS);
}

function emptyQuery(source: DiscoverySource, isFor: IsFor): SandboxError {
  const servers = serversOf(source, isFor).map(({ server, tools }) => `${server} (${tools})`);
  const known = servers.length === 0 ? 'No server is connected.' : `Or name a "server" to list all of it: ${servers.join(', ')}.`;
  return new SandboxError('ERR_SERVER_INPUT', 'Argument "query" is empty.', {
    hint: `Say in a few words what the tool should do, such as "list open issues". ${known}`,
  });
}

function serverOf({ of }: SearchDocument): string {
  return isSkill(of) ? SKILLS : of.server;
}

/** The server that is meant by its name or its folder. A server that is configured and lists nothing is one too. */
function serverName(wanted: string, { wrappers, catalog, skills }: DiscoverySource): string {
  const byFolder = wrappers.tools.find(({ server, folder }) => server === wanted || folder === wanted);
  if (byFolder) return byFolder.server;
  const names = [...new Set([...wrappers.tools.map(({ server }) => server), ...catalog.servers.map(({ name }) => name)])];
  if (names.includes(wanted) || (wanted === SKILLS && skills.length > 0)) return wanted;
  const near = nearestName(wanted, names);
  const known = names.length === 0 ? 'No server is connected.' : `Known are ${names.slice(0, MAX_SERVERS).join(', ')}.`;
  const shown = JSON.stringify(wanted.slice(0, 60).toWellFormed());
  throw new SandboxError('ERR_SERVER_INPUT', `Argument "server" is ${shown}, and there is no such server.`, {
    hint: near === undefined ? known : `Did you mean "${near}"?`,
  });
}
