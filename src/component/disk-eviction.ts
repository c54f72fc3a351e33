import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

export const ENTRY_SUFFIX = '.program';
export const TEMPORARY_SUFFIX = '.tmp';

/** A temporary file this old belongs to a process that was killed while it wrote. */
const STALE_MS = 3_600_000;
/** How full the cache is after an eviction, so that not every entry that is written needs one. */
const KEPT_FRACTION = 0.9;
/** How many files are looked at together. */
const BATCH = 64;

interface CacheFile {
  readonly path: string;
  readonly bytes: number;
  readonly usedMs: number;
}

/**
 * Brings a cache folder under its bound: removes stale temporary files, then, when the rest is over `maxBytes`, the entries that were
 * not used for longest. Files that vanish meanwhile were removed by another process, which is as good. Links are not followed.
 * @returns what is left, in bytes, and how many entries were removed.
 * @throws the file system's error when the folder itself cannot be read.
 */
export async function evict(directory: string, maxBytes: number): Promise<{ bytes: number; evicted: number }> {
  const files = await listFiles(directory);
  const stale = Date.now() - STALE_MS;
  let bytes = 0;
  const entries: CacheFile[] = [];
  for (const file of files) {
    const temporary = file.path.endsWith(TEMPORARY_SUFFIX);
    if (temporary && file.usedMs < stale && (await remove(file.path))) continue;
    bytes += file.bytes;
    if (!temporary) entries.push(file);
  }
  let evicted = 0;
  if (bytes <= maxBytes) return { bytes, evicted };
  for (const entry of entries.sort((a, b) => a.usedMs - b.usedMs)) {
    if (bytes <= maxBytes * KEPT_FRACTION) break;
    if (!(await remove(entry.path))) continue;
    bytes -= entry.bytes;
    evicted++;
  }
  return { bytes, evicted };
}

/** Whether the file is gone. */
async function remove(path: string): Promise<boolean> {
  return unlink(path).then(
    () => true,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
  );
}

/** The cache's own files, two levels deep; whatever else is in the folder is left alone. */
async function listFiles(directory: string): Promise<CacheFile[]> {
  const files: CacheFile[] = [];
  for (const shard of await readdir(directory, { withFileTypes: true })) {
    if (!shard.isDirectory() || !/^[0-9a-f]{2}$/.test(shard.name)) continue;
    const names = await readdir(join(directory, shard.name)).catch(() => []);
    const paths = names
      .filter((name) => name.endsWith(ENTRY_SUFFIX) || name.endsWith(TEMPORARY_SUFFIX))
      .map((name) => join(directory, shard.name, name));
    for (let i = 0; i < paths.length; i += BATCH) {
      const found = await Promise.all(paths.slice(i, i + BATCH).map(inspect));
      files.push(...found.filter((file) => file !== undefined));
    }
  }
  return files;
}

async function inspect(path: string): Promise<CacheFile | undefined> {
  const status = await lstat(path).catch(() => undefined);
  if (status === undefined || status.isDirectory()) return undefined;
  return { path, bytes: status.size, usedMs: status.mtimeMs };
}
