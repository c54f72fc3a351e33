import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** For folders that only their owner may use. */
export const OWNER_ONLY = 0o700;

/**
 * Makes a folder and those above it that are missing. Like `mkdir` with `recursive`, which in Node 24 never ends where a folder
 * exists but takes no entries, such as in procfs.
 * @throws the error of the file system
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  if (await isMade(path, mode)) return;
  await makeFolder(dirname(path), mode);
  if (!(await isMade(path, mode))) throw Object.assign(new Error(`${path} cannot be made`), { code: 'ENOENT' });
}

/** False when the folder above is missing. */
async function isMade(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return true;
    if (code === 'ENOENT' && dirname(path) !== path) return false;
    throw error;
  }
}
