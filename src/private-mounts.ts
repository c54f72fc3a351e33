import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import type { Config } from './config/schema.ts';
import { SandboxError } from './errors.ts';
import { makeFolder, OWNER_ONLY } from './make-folder.ts';

/**
 * Refuses a mount that the cache folder is in, and such a folder for wrappers: programs could read the logins and their key, and the
 * sessions, results and skills of everybody. The real folders count, whatever links lead to them.
 * @throws SandboxError ERR_CONFIG_INVALID
 */
export async function refusePrivateMounts(
  { mounts, generatedDir }: Pick<Config, 'mounts' | 'generatedDir'>,
  cacheDirectory: string,
): Promise<void> {
  // What cannot be made or found is for those to say who need it.
  await makeFolder(cacheDirectory, OWNER_ONLY).catch(() => undefined);
  const cache = await realFolder(cacheDirectory);
  if (cache === undefined) return;
  const readable = [['generatedDir', generatedDir], ...Object.entries(mounts).map(([name, folder]) => [`mounts.${name}`, folder])] as const;
  for (const [key = '', folder = ''] of readable) {
    const real = await realFolder(folder);
    if (real === undefined || (cache !== real && !cache.startsWith(real.endsWith(sep) ? real : real + sep))) continue;
    throw new SandboxError('ERR_CONFIG_INVALID', `${key}: the cache folder is in that folder, so programs could read what is kept there.`, {
      hint: 'Name a folder further down, or set "cacheDir" to a folder outside of all that programs may read.',
    });
  }
}

function realFolder(path: string): Promise<string | undefined> {
  return realpath(path).catch(() => undefined);
}
