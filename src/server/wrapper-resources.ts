import { type McpServer, type Resource, ResourceNotFoundError, ResourceTemplate } from '@modelcontextprotocol/server';
import { nearestNames } from '../nearest-name.ts';
import type { WrapperSet, WrapperTool } from '../wrappers/wrapper-set.ts';
import type { SandboxPort } from './sandbox-port.ts';

const TEMPLATE = 'ampoule://servers/{server}/{tool}.ts';
const MIME_TYPE = 'text/typescript';
/** The `{tool}` that is a server's list of functions. */
const INDEX = 'index';

/** The wrappers as resources: a file for each function, and an index for each server. The listing is {@link wrapperListing}. */
export function registerWrapperResources(server: McpServer, port: SandboxPort): void {
  const { wrappers } = port.description();
  const template = new ResourceTemplate(TEMPLATE, {
    list: undefined,
    complete: {
      server: (value) => foldersOf(wrappers).filter((folder) => folder.startsWith(value)),
      tool: (value, context) => functionsOf(wrappers, context?.arguments?.['server']).filter((name) => name.startsWith(value)),
    },
  });
  const config = { title: 'Typed wrappers', description: 'TypeScript of a function; {tool} "index" lists a server.', mimeType: MIME_TYPE };
  server.registerResource('wrappers', template, config, (uri) => {
    const path = uri.href.slice('ampoule://servers/'.length);
    const text = port.description().wrappers.files.get(path);
    if (text === undefined) throw notFound(uri.href, path, port.description().wrappers);
    return { contents: [{ uri: uri.href, mimeType: MIME_TYPE, text }] };
  });
}

/** Every wrapper as it is listed: first the servers, then their functions. The same array for the same set. */
export function wrapperListing(wrappers: WrapperSet): readonly Resource[] {
  const known = listings.get(wrappers);
  if (known) return known;
  const counts = new Map<string, number>();
  for (const { folder } of wrappers.tools) counts.set(folder, (counts.get(folder) ?? 0) + 1);
  const listing = [...[...counts].map(([folder, count]) => indexResource(folder, count)), ...wrappers.tools.map(toolResource)];
  listings.set(wrappers, listing);
  return listing;
}

const listings = new WeakMap<WrapperSet, readonly Resource[]>();

function indexResource(folder: string, count: number): Resource {
  const description = count === 1 ? '1 function' : `${count} functions`;
  return { uri: uriOf(folder, INDEX), name: `servers/${folder}`, description, mimeType: MIME_TYPE };
}

function toolResource({ folder, functionName, summary }: WrapperTool): Resource {
  const name = `${folder}.${functionName}`;
  return { uri: uriOf(folder, functionName), name, ...(summary !== '' && { description: summary }), mimeType: MIME_TYPE };
}

function uriOf(folder: string, name: string): string {
  return `ampoule://servers/${folder}/${name}.ts`;
}

function foldersOf({ tools }: WrapperSet): string[] {
  return [...new Set(tools.map(({ folder }) => folder))];
}

function functionsOf({ tools }: WrapperSet, folder: string | undefined): string[] {
  const names = tools.filter((tool) => folder === undefined || tool.folder === folder).map(({ functionName }) => functionName);
  return [INDEX, ...new Set(names)];
}

function notFound(uri: string, path: string, { files }: WrapperSet): ResourceNotFoundError {
  const [near] = nearestNames(
    path,
    [...files.keys()].filter((name) => name.endsWith('.ts')),
  );
  const hint = near === undefined ? '' : ` Did you mean ampoule://servers/${near}?`;
  return new ResourceNotFoundError(uri, `There is no wrapper ${uri.slice(0, 200)}.${hint}`);
}
