import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The folder of a build that is under way begins so. */
export const BUILD_PREFIX = '.build-';
/** No build takes nearly that long: the process that began it is gone. */
const ABANDONED_AFTER_MS = 3_600_000;

/** Removes what killed builds left in `directory`. Nothing that fails here matters. */
export async function removeAbandonedBuilds(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((entry) => entry.startsWith(BUILD_PREFIX))) {
    const path = join(directory, name);
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
