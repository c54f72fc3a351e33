import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What of our code makes the guest's text: files, and a folder with all below it. */
const FILES = ['guest.ts', 'esbuild.ts'];
const FOLDER = 'language';

/** A fingerprint of the code that makes the guest's text out of its sources. In the built package it is the one that was taken when it was made. */
export async function guestSources(): Promise<string> {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const below = await readdir(join(here, FOLDER), { recursive: true, withFileTypes: true });
  const paths = below.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const all = [...FILES.map((name) => join(here, name)), ...paths.sort()];
  const digest = createHash('sha256');
  for (const text of await Promise.all(all.map((path) => readFile(path)))) digest.update(`${text.length}\n`).update(text);
  return digest.digest('hex');
}
