import { mkdir, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { inject } from 'vitest';

/**
 * Gives servers that are started from their sources what the tests before have built and compiled. The guest runtime is kept apart: one
 * of the sources and one of the built package would replace each other all the time.
 * @param folder their cache folder
 */
export async function linkSourceCaches(folder: string): Promise<void> {
  const cache = inject('cacheDirectory');
  const { directory: engine } = inject('engine');
  const [engines, compiled] = [join(cache, 'sources', 'engine'), join(cache, 'node')];
  for (const path of [folder, engines, compiled]) await mkdir(path, { recursive: true, mode: 0o700 });
  await symlink(engine, join(engines, basename(engine))).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await symlink(engines, join(folder, 'engine'));
  await symlink(compiled, join(folder, 'node'));
}
