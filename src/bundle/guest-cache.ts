import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/schema.ts';
import { bundleGuest } from './guest.ts';
import { guestSources } from './guest-sources.ts';

type EngineKind = Config['engine'];

/** Everything of ours that the guest's text is made of. */
const GUEST = new URL('../../host-functions/guest', import.meta.url);
/** The packages that end up in it. Their versions stand for them. */
const PACKAGES =
  'esbuild cldr-core cldr-dates-full @exodus/bytes whatwg-url punycode @formatjs/bigdecimal @formatjs/intl-displaynames ' +
  '@formatjs/intl-getcanonicallocales @formatjs/intl-listformat @formatjs/intl-locale @formatjs/intl-numberformat @formatjs/intl-pluralrules ' +
  '@formatjs/intl-relativetimeformat unicode-segmenter';

/**
 * {@link bundleGuest}, or what it gave the last time: bundling takes a third of a start. Kept in one file for each engine, with the
 * fingerprints of what it was made of and of itself. A file that is missing, old or damaged is written again.
 *
 * @param folder where the file is; made when it is missing.
 */
export async function cachedGuest(kind: EngineKind, language: Config['language'], folder: string): Promise<string> {
  const key = await sourcesKey(kind, language);
  const file = join(folder, `guest-${kind}.js`);
  const known = await readFile(file, 'utf8').catch(() => '');
  const [head, text] = split(known);
  if (head === `${key} ${digest(text)}`) return text;
  const fresh = await bundleGuest(kind, language);
  await keep(folder, file, `${key} ${digest(fresh)}\n${fresh}`);
  return fresh;
}

function split(known: string): [head: string, text: string] {
  const end = known.indexOf('\n');
  return [known.slice(0, Math.max(end, 0)), known.slice(end + 1)];
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function keep(folder: string, file: string, text: string): Promise<void> {
  const fresh = `${file}.${process.pid}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(fresh, text, { mode: 0o600 });
    await rename(fresh, file);
  } catch {
    // Only the next start is slower for it.
    await rm(fresh, { force: true }).catch(() => undefined);
  }
}

async function sourcesKey(kind: EngineKind, language: Config['language']): Promise<string> {
  const [versions, maker, files] = await Promise.all([
    Promise.all(PACKAGES.split(' ').map(versionOf)),
    guestSources(),
    contentsBelow(fileURLToPath(GUEST)),
  ]);
  return digest(JSON.stringify([kind, language, versions, maker, files]));
}

async function versionOf(name: string): Promise<string> {
  const path = findPackageJSON(name, import.meta.url);
  const manifest = path === undefined ? {} : (JSON.parse(await readFile(path, 'utf8')) as { version?: string });
  return `${name}@${manifest.version ?? ''}`;
}

async function contentsBelow(folder: string): Promise<[name: string, digest: string][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.sort().map(async (path): Promise<[string, string]> => [path.slice(folder.length), await contentOf(path)]));
}

async function contentOf(file: string): Promise<string> {
  return digest(await readFile(file, 'utf8'));
}
