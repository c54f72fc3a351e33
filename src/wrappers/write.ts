import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { SandboxError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { removeStale } from './remove-stale.ts';
import type { WrapperSet } from './wrapper-set.ts';

/** What {@link writeWrappers} did, as paths under the directory with forward slashes, sorted. */
export interface WriteReport {
  readonly written: string[];
  readonly removed: string[];
  readonly unchanged: number;
}

/** Files that are written at the same time. */
const BATCH = 16;

/**
 * Brings a directory in line with a set: each file is replaced as a whole and only when it differs, the manifest last; generated
 * files that are no longer in the set go, files of others stay. Two processes may write the same directory at once.
 * @throws SandboxError ERR_WRAPPERS_WRITE
 */
export async function writeWrappers(set: WrapperSet, directory: string): Promise<WriteReport> {
  try {
    const written: string[] = [];
    const files = [...set.files].filter(([name]) => name !== 'manifest.json');
    for (let at = 0; at < files.length; at += BATCH) {
      const batch = files.slice(at, at + BATCH);
      const changed = await Promise.all(batch.map(([name, text]) => writeIfChanged(path.join(directory, name), text)));
      batch.forEach(([name], index) => changed[index] === true && written.push(name));
    }
    const manifest = set.files.get('manifest.json');
    if (manifest !== undefined && (await writeIfChanged(path.join(directory, 'manifest.json'), manifest))) written.push('manifest.json');
    const removed = await removeStale(set, directory);
    return { written: written.sort(), removed, unchanged: set.files.size - written.length };
  } catch (thrown) {
    throw writeError(thrown, directory);
  }
}

async function writeIfChanged(file: string, text: string): Promise<boolean> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) === text) return false;
  for (let left = 4; ; left--) {
    try {
      await replaceFile(file, text);
      return true;
    } catch (thrown) {
      // Another process may have removed the folder, empty at that moment, between our two steps.
      if (errorCode(thrown) !== 'ENOENT' || left === 0) throw thrown;
    }
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  await makeFolder(path.dirname(file));
  const temporary = path.join(path.dirname(file), `.ampoule-${randomUUID()}.tmp`);
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, file);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw thrown;
  }
}

function writeError(thrown: unknown, directory: string): SandboxError {
  const why = errorCode(thrown) ?? (thrown instanceof Error ? thrown.message : String(thrown));
  return new SandboxError(
    'ERR_WRAPPERS_WRITE',
    `The wrappers could not be written to the folder of "generatedDir", ${JSON.stringify(directory)}: ${why}`,
    {
      hint: 'Set "generatedDir" to a folder that this process may write, or free space and permissions there.',
      cause: thrown,
    },
  );
}

function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}
