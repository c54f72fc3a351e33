import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import { spawnOnSmallDisk } from '../store/small-disk.ts';
import { Ampoule, MAIN, temporary, writeConfig } from './harness.ts';

export interface SmallDiskServerOptions {
  /** Shell that runs in the cache folder, with the command of the server in `$@`, and `$NODE`, `$MAIN` and `$CONFIG` for one of its own. */
  readonly before?: string | undefined;
  /** Gets the server before it is ready. */
  readonly onStart: (ampoule: Ampoule) => void;
}

/** Starts a server whose cache folder is on a disk of its own, which no other process sees but through {@link onItsDisk}. @param size such as "8m" */
export async function startWithSmallDisk(
  size: string,
  written: object,
  { before = 'true', onStart }: SmallDiskServerOptions,
): Promise<Ampoule> {
  const folder = await temporary();
  const config = await writeConfig(folder.path, written);
  const cache = join(folder.path, 'cache');
  await mkdir(cache, { recursive: true });
  const command = [process.execPath, MAIN, 'serve', '--config', config, '--http', '127.0.0.1:0'];
  const child = spawnOnSmallDisk(cache, size, command, {
    before: `ln -s "$ENGINE" "$0/engine" && ${before}`,
    env: { ENGINE: join(inject('cacheDirectory'), 'engine'), NODE: process.execPath, MAIN, CONFIG: config },
  });
  const ampoule = new Ampoule(child, folder.path, folder);
  onStart(ampoule);
  await ampoule.ready();
  return ampoule;
}

/** A file in the cache folder of such a server, as this process can reach it. */
export function onItsDisk({ pid, directory }: Ampoule, file: string): string {
  return `/proc/${pid}/root${join(directory, 'cache', file)}`;
}

/** Makes a file that fills the disk to the last byte. */
export function fill(file: string): void {
  writeFileSync(file, '');
  for (const bytes of [1_000_000, 10_000, 1_000, 100, 10, 1]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(bytes));
    } catch {
      // Smaller pieces may still fit.
    }
  }
}
