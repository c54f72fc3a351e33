import type { Catalog } from '../upstream/catalog.ts';
import type { WrapperTool } from '../wrappers/wrapper-set.ts';

/** Room for the list of servers, in characters. */
const BUDGET = 4_000;
const SIGNATURE_CHARS = 400;
const SUMMARY_CHARS = 120;

/** How much is said about a server: signatures, names of its functions, or only how many there are. */
type Detail = 0 | 1 | 2;

interface ServerEntry {
  readonly heading: string;
  readonly tools: readonly WrapperTool[];
  detail: Detail;
  text: string;
}

/** The servers and their functions; the longest entries are shortened first until the list fits. */
export function describeServers(tools: readonly WrapperTool[], catalog: Catalog): string {
  const entries = entriesOf(tools, catalog);
  const absent = absentServers(tools, catalog);
  if (entries.length === 0) return ['No MCP server is connected at the moment: only computing works.', ...absent].join('\n');
  let length = total(entries);
  while (length > BUDGET) {
    const longest = entries.filter(({ detail }) => detail < 2).reduce<ServerEntry | undefined>(longer, undefined);
    if (!longest) break;
    longest.detail = longest.detail === 0 ? 1 : 2;
    longest.text = render(longest);
    length = total(entries);
  }
  const shortened = entries.some(({ detail }) => detail > 0);
  const more = shortened
    ? 'Some are listed short. See all types by running code that returns readFile("servers/<server>/index.ts") or readFile("servers/<server>/<function>.ts").'
    : 'readFile("servers/<server>/<function>.ts") has the full types and documentation of a function.';
  return ['Servers:', ...fitting(entries), ...absent, more].join('\n');
}

/** Servers that the operator has configured and that have not been there yet: they may come. */
function absentServers(tools: readonly WrapperTool[], { servers }: Catalog): string[] {
  const listed = new Set(tools.map(({ server }) => server));
  const absent = servers.filter(({ name, state }) => !listed.has(name) && (state === 'connecting' || state === 'retrying'));
  return absent.length === 0
    ? []
    : [
        `Configured but not connected yet: ${absent
          .slice(0, 20)
          .map(({ name }) => name)
          .join(', ')}.`,
      ];
}

function entriesOf(tools: readonly WrapperTool[], catalog: Catalog): ServerEntry[] {
  const folders = new Map<string, WrapperTool[]>();
  for (const tool of tools) folders.set(tool.folder, [...(folders.get(tool.folder) ?? []), tool]);
  return [...folders]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder, own]) => {
      const server = catalog.servers.find(({ name }) => name === own[0]?.server);
      const state = server && server.state !== 'ready' ? ' (not connected at the moment)' : '';
      const entry: ServerEntry = { heading: `servers/${folder}${state}`, tools: own, detail: 0, text: '' };
      entry.text = render(entry);
      return entry;
    });
}

function render({ heading, tools, detail }: ServerEntry): string {
  const count = tools.length === 1 ? '1 function' : `${tools.length} functions`;
  switch (detail) {
    case 0:
      return [heading, ...tools.map(functionLine)].join('\n');
    case 1:
      return `${heading}: ${count}: ${tools.map(({ functionName }) => functionName).join(', ')}`;
    case 2:
      return `${heading}: ${count}`;
  }
}

function functionLine({ functionName, signature, summary }: WrapperTool): string {
  const shape = signature.length > SIGNATURE_CHARS ? `${functionName}(input: { … })` : oneLine(signature, SIGNATURE_CHARS);
  return summary === '' ? `- ${shape}` : `- ${shape} // ${oneLine(summary, SUMMARY_CHARS)}`;
}

/** Descriptions come from strangers: one line, no control characters, bounded. */
function oneLine(text: string, maxChars: number): string {
  const line = text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .toWellFormed();
  return line.length > maxChars ? `${line.slice(0, maxChars - 1).toWellFormed()}…` : line;
}

function longer(longest: ServerEntry | undefined, entry: ServerEntry): ServerEntry {
  return !longest || entry.text.length > longest.text.length ? entry : longest;
}

function total(entries: readonly ServerEntry[]): number {
  return entries.reduce((sum, { text }) => sum + text.length + 1, 0);
}

/** Even the shortest entries can be too many: then the last ones are only counted. */
function fitting(entries: readonly ServerEntry[]): string[] {
  const lines: string[] = [];
  let room = BUDGET;
  for (const { text } of entries) {
    room -= text.length + 1;
    if (room < 0) return [...lines, `… and ${entries.length - lines.length} more servers`];
    lines.push(text);
  }
  return lines;
}
