import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KEPT_ID, readKeptForm } from '../../host-functions/kept-result.ts';

/** A kept result as the store counts it. */
export interface Entry {
  /** Path of the content; its form is beside it. */
  readonly file: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export const TEMPORARY_SUFFIX = '.tmp';
/** What is younger may be the half-written file of another process. */
const RUBBISH_AFTER_MS = 600_000;
const FORM_SUFFIX = '.json';

/** All results in the folders of all principals, oldest first. Those whose time is over are among them. */
export async function listEntries(directory: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const folder of await foldersOf(directory)) {
    for (const name of await readdir(folder)) {
      if (!name.endsWith(FORM_SUFFIX)) continue;
      const id = name.slice(0, -FORM_SUFFIX.length);
      // From the beginning of time, so that one whose time is over is found too.
      const form = readKeptForm(folder, id, -1);
      if (form) entries.push({ file: join(folder, id), bytes: form.bytes, expiresAt: form.expiresAt });
    }
  }
  return entries.toSorted((a, b) => a.expiresAt - b.expiresAt);
}

/** Removes a result; its form first, so that nobody finds a form without a result for long. */
export async function removeEntry({ file }: Pick<Entry, 'file'>): Promise<void> {
  await rm(`${file}${FORM_SUFFIX}`, { force: true });
  await rm(file, { force: true });
}

/** Removes what a process left that ended in the middle of its work, and folders that are empty. */
export async function removeRubbish(directory: string, ttlMs: number, now: number): Promise<void> {
  for (const folder of await foldersOf(directory)) {
    const names = new Set(await readdir(folder));
    for (const name of names) {
      const isTemporary = name.endsWith(TEMPORARY_SUFFIX);
      const isAlone = KEPT_ID.test(name) && !names.has(`${name}${FORM_SUFFIX}`);
      if (!isTemporary && !isAlone) continue;
      const { mtimeMs } = await stat(join(folder, name)).catch(() => ({ mtimeMs: now }));
      if (now - mtimeMs > Math.min(RUBBISH_AFTER_MS, ttlMs)) await rm(join(folder, name), { force: true });
    }
    await rmdir(folder).catch(() => undefined);
  }
}

async function foldersOf(directory: string): Promise<string[]> {
  const found = await readdir(directory, { withFileTypes: true });
  return found.filter((entry) => entry.isDirectory() && KEPT_ID.test(entry.name)).map(({ name }) => join(directory, name));
}
