import type { Catalog, CatalogServer, CatalogTool } from '../../src/upstream/catalog.ts';

/** A tool with a schema that may break the type on purpose. */
export function tool(name: string, inputSchema: unknown = { type: 'object' }, rest: Partial<CatalogTool> = {}): CatalogTool {
  return { name, inputSchema: inputSchema as CatalogTool['inputSchema'], ...rest };
}

export function server(name: string, tools: readonly CatalogTool[], state: CatalogServer['state'] = 'ready'): CatalogServer {
  return { name, state, tools };
}

export function catalog(...servers: readonly CatalogServer[]): Catalog {
  return { servers };
}

/** A signal that never fires. */
export const QUIET = new AbortController().signal;
