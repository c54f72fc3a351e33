import type { CatalogServer, CatalogTool } from '../upstream/catalog.ts';
import type { WrapperTool } from '../wrappers/wrapper-set.ts';
import type { DiscoverySource, SkillEntry } from './entry.ts';
import { bare } from './words.ts';

/** Characters of a stranger's text that can be found. */
const TEXT_CHARS = 2_000;
const INSTRUCTIONS_CHARS = 300;
const MAX_PARAMETERS = 100;

/** One function or skill as the index sees it: texts by field, and what they are of. */
export interface SearchDocument {
  /** Its place: that of a function is the same as in the wrapper set. */
  readonly id: number;
  readonly of: WrapperTool | SkillEntry;
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly parameters: string;
  readonly server: string;
  readonly categories: string;
}

export function isSkill(of: WrapperTool | SkillEntry): of is SkillEntry {
  return 'kind' in of;
}

/** Everything that can be found, functions first, in an order that is the same for the same source. */
export function* documentsOf({ wrappers, catalog, skills }: DiscoverySource): Generator<SearchDocument> {
  const servers = new Map(
    catalog.servers.map((server) => [server.name, { server, tools: new Map(server.tools.map((tool) => [tool.name, tool])) }]),
  );
  let id = 0;
  for (const tool of wrappers.tools) {
    const known = servers.get(tool.server);
    yield toolDocument(id++, tool, known?.server, known?.tools.get(tool.tool));
  }
  for (const skill of skills) yield skillDocument(id++, skill);
}

function toolDocument(id: number, of: WrapperTool, server: CatalogServer | undefined, tool: CatalogTool | undefined): SearchDocument {
  const { title = '', description = of.summary, annotations = {} } = tool ?? {};
  return {
    id,
    of,
    name: bare(of.functionName) === bare(of.tool) ? of.functionName : `${of.functionName} ${of.tool}`,
    title: `${title} ${annotations.title ?? ''}`.slice(0, TEXT_CHARS),
    text: description.slice(0, TEXT_CHARS),
    parameters: parameterNames(tool?.inputSchema).join(' ').slice(0, TEXT_CHARS),
    server: `${of.folder} ${of.server}`,
    categories: [
      (server?.title ?? '').slice(0, INSTRUCTIONS_CHARS),
      (server?.instructions ?? '').slice(0, INSTRUCTIONS_CHARS),
      annotations.readOnlyHint === true ? 'read-only' : '',
      annotations.destructiveHint === true ? 'destructive' : '',
      annotations.openWorldHint === true ? 'open-world' : '',
    ].join(' '),
  };
}

function skillDocument(id: number, of: SkillEntry): SearchDocument {
  return {
    id,
    of,
    name: `${of.name} ${of.exports.join(' ')}`.slice(0, TEXT_CHARS),
    title: '',
    text: of.description.slice(0, TEXT_CHARS),
    parameters: '',
    server: 'skills',
    categories: 'skill saved module',
  };
}

/** Of the schema's properties, and of the properties of those that are objects. */
function parameterNames(schema: unknown, depth = 2): string[] {
  const properties = isRecord(schema) && isRecord(schema['properties']) ? schema['properties'] : {};
  const names = Object.keys(properties).slice(0, MAX_PARAMETERS);
  const below = depth > 1 ? names.flatMap((name) => parameterNames(properties[name], depth - 1)) : [];
  return [...names, ...below].slice(0, MAX_PARAMETERS);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
