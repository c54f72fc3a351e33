import { open, readdir, rmdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { GENERATED_MARK } from './wrapper-file.ts';
import type { WrapperSet } from './wrapper-set.ts';

/** Age at which a temporary file has no writer any more. */
const ABANDONED_MS = 10 * 60_000;

/**
 * Removes what an earlier set left: regular `.ts` files one folder down that begin with our mark, abandoned temporary files, and
 * the folders that are empty after that. Everything else, links included, is somebody else's.
 */
export async function removeStale(set: WrapperSet, directory: string): Promise<string[]> {
  const removed: string[] = [];
  const current = filesByFolder(set);
  const entries = await readdir(directory, { withFileTypes: true });
  await removeAbandoned(directory, entries);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  for (const folder of folders) {
    const files = isStale(folder, folders, [...current.keys()]) ? [] : (current.get(folder) ?? filesOfSpelling(current, folder));
    const gone = await removeFrom(path.join(directory, folder), files);
    removed.push(...gone.map((file) => `${folder}/${file}`));
  }
  return removed.sort();
}

function filesByFolder(set: WrapperSet): ReadonlyMap<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const name of set.files.keys()) {
    const [folder = '', file] = name.split('/');
    if (file !== undefined) folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  return folders;
}

function filesOfSpelling(folders: ReadonlyMap<string, string[]>, name: string): string[] {
  return [...folders].find(([folder]) => folder.toLowerCase() === name.toLowerCase())?.[1] ?? [];
}

/** A name that differs from a current one by case only is that one, where the file system ignores case: then it stands alone. */
function isStale(name: string, siblings: readonly string[], current: readonly string[]): boolean {
  if (current.includes(name)) return false;
  const other = current.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  return other === undefined || siblings.includes(other);
}

async function removeFrom(folder: string, current: readonly string[]): Promise<string[]> {
  const removed: string[] = [];
  // Another process may be removing the same files.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  await removeAbandoned(folder, entries);
  const names = entries.map((entry) => entry.name);
  for (const entry of entries) {
    if (!entry.isFile() || !entry.name.endsWith('.ts') || !isStale(entry.name, names, current)) continue;
    if (!(await isGenerated(path.join(folder, entry.name)))) continue;
    await rm(path.join(folder, entry.name), { force: true });
    removed.push(entry.name);
  }
  // Fails, as it must, when anything is left in it.
  if (removed.length > 0) await rmdir(folder).catch(() => undefined);
  return removed;
}

async function removeAbandoned(folder: string, entries: readonly { readonly name: string; isFile(): boolean }[]): Promise<void> {
  for (const entry of entries) {
    if (!entry.isFile() || !/^\.ampoule-[0-9a-f-]{36}\.tmp$/.test(entry.name)) continue;
    const file = path.join(folder, entry.name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(file, { force: true });
  }
}

async function isGenerated(file: string): Promise<boolean> {
  await using handle = await open(file).catch(() => undefined);
  if (handle === undefined) return false;
  const start = Buffer.alloc(GENERATED_MARK.length);
  const { bytesRead } = await handle.read(start, 0, start.length, 0);
  return start.toString('utf8', 0, bytesRead) === GENERATED_MARK;
}
