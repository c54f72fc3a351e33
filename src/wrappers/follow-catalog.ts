import type { Catalog } from '../upstream/catalog.ts';
import { generateWrappers, type LearnedSchemas, type WrapperCache } from './generate.ts';
import { writeWrappers } from './write.ts';
import type { WrapperSet } from './wrapper-set.ts';

/** Where a catalog comes from, and comes again from when it changes. */
export interface CatalogSource {
  catalog(): Catalog;
  onChange(listener: (catalog: Catalog) => void): () => void;
}

/** The wrappers of a catalog that changes. */
export interface CatalogWrappers {
  /** Those of the newest catalog that they are finished for. */
  current(): WrapperSet;
  /** Tells of every new set. Returns what stops it. */
  onChange(listener: (wrappers: WrapperSet) => void): () => void;
}

/** What was learned of results, and when there is news. */
export interface LearnedSource {
  readonly learnedSchema: LearnedSchemas;
  onChange(listener: () => void): () => void;
}

export interface FollowLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Generates the wrappers of the present catalog, writes them to `directory`, and does so again after every change of it or of what was
 * learned, one at a time.
 */
export async function followCatalog(
  source: CatalogSource,
  directory: string,
  log: FollowLog,
  learned?: LearnedSource,
): Promise<CatalogWrappers> {
  const cache: WrapperCache = new Map();
  const listeners = new Set<(wrappers: WrapperSet) => void>();
  const never = new AbortController().signal;
  const generate = async (catalog: Catalog): Promise<WrapperSet> => {
    const set = await generateWrappers(
      catalog,
      { cache, learned: learned && ((server, tool) => learned.learnedSchema(server, tool)) },
      never,
    );
    const report = await writeWrappers(set, directory);
    log.info({ tools: set.tools.length, written: report.written.length, removed: report.removed.length, directory }, 'Wrappers generated');
    return set;
  };
  let current = await generate(source.catalog());
  let last = Promise.resolve();
  const refresh = async (catalog: Catalog): Promise<void> => {
    // Meanwhile there may be a newer catalog: then this one need not be generated.
    if (catalog !== source.catalog()) return;
    const set = await generate(catalog);
    if (set.hash === current.hash) return;
    current = set;
    for (const listener of listeners) listener(set);
  };
  const follow = (catalog: Catalog): void => {
    last = last.then(() => refresh(catalog)).catch((error: unknown) => log.warn({ err: error }, 'Wrappers could not be generated'));
  };
  source.onChange(follow);
  learned?.onChange(() => follow(source.catalog()));
  return {
    current: () => current,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
