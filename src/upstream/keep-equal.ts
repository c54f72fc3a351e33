import { isDeepStrictEqual } from 'node:util';
import type { CatalogTool } from './catalog.ts';

/** The new tools, with the old objects where nothing changed, so that what is compiled for a tool can be kept with it. */
export function keepEqual(old: ReadonlyMap<string, CatalogTool>, next: ReadonlyMap<string, CatalogTool>): ReadonlyMap<string, CatalogTool> {
  return new Map(
    [...next].map(([name, tool]) => {
      const before = old.get(name);
      return [name, before !== undefined && isDeepStrictEqual(before, tool) ? before : tool];
    }),
  );
}
