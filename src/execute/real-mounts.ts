import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

type Mounts = Readonly<Record<string, string>>;

/**
 * The mounts by their real paths. A worker may read these alone, and so not the links that lead there: what such a link leads to
 * counts from the executor's start on.
 * @param mounts virtual name to absolute folder. A folder may not be there yet.
 */
export async function realMounts(mounts: Mounts): Promise<Mounts> {
  const real = Object.entries(mounts).map(async ([name, folder]) => [name, await realFolder(folder)] as const);
  return Object.fromEntries(await Promise.all(real));
}

async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch {
    const above = dirname(folder);
    return above === folder ? folder : join(await realFolder(above), basename(folder));
  }
}
