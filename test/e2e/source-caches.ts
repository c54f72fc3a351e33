import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { makeFolder, OWNER_ONLY } from '../../src/make-folder.ts';

/**
 * Gives servers that are started from their sources what the tests before have built and compiled.
 * @param folder their cache folder
 */
export async function linkSourceCaches(folder: string): Promise<void> {
  await makeFolder(folder, OWNER_ONLY);
  for (const name of ['engine', 'node']) {
    await makeFolder(join(inject('cacheDirectory'), name), OWNER_ONLY);
    await symlink(join(inject('cacheDirectory'), name), join(folder, name));
  }
}
