import { join } from 'node:path';

/** `XDG_CACHE_HOME/ampoule` or `~/.cache/ampoule`, else a folder in the package's. */
export function cacheRoot(environment: Readonly<Record<string, string>>, packageDirectory: string): string {
  const { XDG_CACHE_HOME: cache, HOME: home } = environment;
  if (cache) return join(cache, 'ampoule');
  return home ? join(home, '.cache', 'ampoule') : join(packageDirectory, '.cache');
}
