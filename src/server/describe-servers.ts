import type { Catalog } from '../upstream/catalog.ts';
import type { WrapperSet, WrapperTool } from '../wrappers/wrapper-set.ts';
import { estimateTokens, weighTokens } from './estimate-tokens.ts';
import { serverTopics } from './server-topics.ts';

const SIGNATURE_CHARS = 400;
const SUMMARY_CHARS = 120;
const SHORT_SUMMARY = 60;
const MAX_ABSENT = 20;
/**
 * With more functions than this a program needs a search in any case, so names are worth less than what every client pays for them:
 * they get only this part of the budget.
 */
const MANY_FUNCTIONS = 100;
const SHARE_OF_MANY = 0.25;

/** How much is said about a server: signatures, those without results, names, or how many functions there are and what they are about. */
const DETAILS = ['signatures', 'arguments', 'names', 'count'] as const;
type Detail = (typeof DETAILS)[number];

interface ServerEntry {
  readonly heading: string;
  readonly tools: readonly WrapperTool[];
  readonly title: string | undefined;
  detail: Detail;
  text: string;
  tokens: number;
}

/** The servers and their functions; the longest entries are shortened first until the list fits into `budget` tokens. */
export function describeServers(tools: readonly WrapperTool[], catalog: Catalog, budget: number): string {
  const entries = entriesOf(tools, catalog);
  const absent = absentServers(tools, catalog);
  if (entries.length === 0) return ['No MCP server is connected at the moment: only computing works.', ...absent].join('\n');
  const heading = `Import from (search_tools finds functions; its detail "full", or readFile("servers/<server>/<function>.ts") in a run, has their types):`;
  const room = budget - estimateTokens([heading, ...absent].join('\n')) - 1;
  shorten(entries, tools.length > MANY_FUNCTIONS ? Math.min(room, budget * SHARE_OF_MANY) : room);
  return [heading, ...fitting(entries, room), ...absent].join('\n');
}

/** The folders of all servers with how many functions each has, by name. */
export function serverCounts({ tools }: WrapperSet): { readonly folder: string; readonly count: number }[] {
  return [...byFolder(tools)].map(([folder, own]) => ({ folder, count: own.length }));
}

/** Servers that the operator has configured and that have not been there yet: they may come. */
function absentServers(tools: readonly WrapperTool[], { servers }: Catalog): string[] {
  const listed = new Set(tools.map(({ server }) => server));
  const absent = servers.filter(({ name, state }) => !listed.has(name) && (state === 'connecting' || state === 'retrying'));
  const names = absent.slice(0, MAX_ABSENT).map(({ name }) => name);
  const waiting = servers.filter(({ name, state }) => !listed.has(name) && state === 'login').slice(0, MAX_ABSENT);
  return [
    ...(names.length === 0 ? [] : [`Not connected yet: ${names.join(', ')}.`]),
    ...waiting.map(({ name }) => `Not connected until the operator runs "ampoule login ${name}": ${name}.`),
  ];
}

function entriesOf(tools: readonly WrapperTool[], catalog: Catalog): ServerEntry[] {
  const servers = new Map(catalog.servers.map((server) => [server.name, server]));
  return [...byFolder(tools)].map(([folder, own]) => {
    const server = servers.get(own[0]?.server ?? '');
    const state = server && server.state !== 'ready' ? ' (not connected at the moment)' : '';
    const entry: ServerEntry = {
      heading: `servers/${folder}${state}`,
      tools: own,
      title: server?.title,
      detail: 'signatures',
      text: '',
      tokens: 0,
    };
    return entry;
  });
}

function byFolder(tools: readonly WrapperTool[]): Map<string, WrapperTool[]> {
  const folders = new Map<string, WrapperTool[]>();
  for (const tool of tools) {
    const own = folders.get(tool.folder);
    if (own) own.push(tool);
    else folders.set(tool.folder, [tool]);
  }
  return new Map([...folders].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function shorten(entries: readonly ServerEntry[], room: number): void {
  for (const entry of entries) setDetail(entry, 'signatures', room);
  let used = entries.reduce((sum, { tokens }) => sum + tokens, 0);
  while (used > room) {
    const longest = entries.reduce<ServerEntry | undefined>(longer, undefined);
    if (!longest) return;
    used -= longest.tokens;
    setDetail(longest, lessThan(longest.detail) ?? 'count', room);
    used += longest.tokens;
  }
}

/** What does not fit by itself will be shortened in any case: it is neither written nor counted to its end. */
function setDetail(entry: ServerEntry, detail: Detail, room: number): void {
  entry.detail = detail;
  const lines: string[] = [];
  let tokens = 0;
  for (const line of render(entry)) {
    tokens += weighTokens(line) + 1;
    lines.push(line);
    if (tokens > room && detail !== 'count') break;
  }
  entry.text = lines.join('\n');
  entry.tokens = tokens;
}

function* render({ heading, tools, title, detail }: ServerEntry): Generator<string> {
  switch (detail) {
    case 'signatures':
    case 'arguments':
      yield heading;
      for (const tool of tools) yield functionLine(tool, detail === 'signatures');
      return;
    case 'names':
      yield `${heading}: ${tools.map(({ functionName }) => functionName).join(', ')}`;
      return;
    case 'count': {
      const topics = serverTopics(tools, title);
      yield `${heading}: ${tools.length === 1 ? '1 function' : `${tools.length} functions`}${topics === '' ? '' : ` (${topics})`}`;
    }
  }
}

/** That functions are async and take one argument is said once for all of them. */
function functionLine({ functionName, signature, summary }: WrapperTool, hasResult: boolean): string {
  const [call = '', result = ''] = signature.replace(/\(input\??: /, '(').split(/\): Promise<(.*)>$/, 2);
  const short = hasResult && result !== '' && result !== 'unknown' ? `${call}): ${result}` : `${call})`;
  const shape = short.length > SIGNATURE_CHARS ? `${functionName}({ … })` : oneLine(short, SIGNATURE_CHARS);
  return summary === '' ? `- ${shape}` : `- ${shape} // ${oneLine(summary, hasResult ? SUMMARY_CHARS : SHORT_SUMMARY)}`;
}

/** Descriptions come from strangers: one line, no control characters, bounded. */
function oneLine(text: string, maxChars: number): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .toWellFormed();
  return line.length > maxChars ? `${line.slice(0, maxChars - 1).toWellFormed()}…` : line;
}

function lessThan(detail: Detail): Detail | undefined {
  return DETAILS[DETAILS.indexOf(detail) + 1];
}

/** Of those that can be shortened. */
function longer(longest: ServerEntry | undefined, entry: ServerEntry): ServerEntry | undefined {
  if (lessThan(entry.detail) === undefined) return longest;
  return !longest || entry.tokens > longest.tokens ? entry : longest;
}

/** Even the shortest entries can be too many: then the last ones are only counted. */
function fitting(entries: readonly ServerEntry[], budget: number): string[] {
  const all = entries.map(({ text }) => text);
  if (entries.reduce((sum, { tokens }) => sum + tokens, 0) <= budget) return all;
  const rest = (count: number): string => `… and ${count} more servers`;
  let room = budget - estimateTokens(rest(entries.length)) - 1;
  const fits = entries.findIndex(({ tokens }) => (room -= tokens) < 0);
  return [...all.slice(0, fits), rest(entries.length - fits)];
}
