import { stat } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { makeFolder, OWNER_ONLY } from '../make-folder.ts';
import { cacheRoot } from './cache-folder.ts';

/** Write permission for the group or for everybody. */
const OTHERS_WRITE = 0o022;

/**
 * Lets Node keep what V8 makes of our own modules: half of the start is reading and compiling them. What is in the folder is executed in
 * the process with the secrets, so it is not used when anybody else may write there. Without it the start is slower and nothing else.
 */
export async function useCompileCache(environment: Readonly<Record<string, string>>, packageDirectory: string): Promise<void> {
  const folder = join(cacheRoot(environment, packageDirectory), 'node');
  try {
    await makeFolder(folder, OWNER_ONLY);
    const { uid, mode } = await stat(folder);
    const isOurs = process.getuid === undefined || uid === process.getuid();
    if (isOurs && (mode & OTHERS_WRITE) === 0) enableCompileCache(folder);
  } catch {
    // A folder that cannot be had.
  }
}
