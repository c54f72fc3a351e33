import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtHash, MANIFEST_FILE, parseManifest, readEngineFiles, type EngineFiles } from './engine-files.ts';

/** The built engine of this hash ({@link EngineFiles.hash}), of whatever version: undefined when there is no good one. */
export async function findEngine(cacheDirectory: string, hash: string): Promise<EngineFiles | undefined> {
  const engines = join(cacheDirectory, 'engine');
  for (const name of await readdir(engines).catch(() => [])) {
    const directory = join(engines, name);
    const manifest = parseManifest(await readFile(join(directory, MANIFEST_FILE), 'utf8').catch(() => ''));
    if (manifest === undefined || builtHash(manifest) !== hash) continue;
    // All files of an engine are read, so of no other one.
    const found = await readEngineFiles(directory, manifest.hash).catch(() => undefined);
    if (found?.hash === hash) return found;
  }
  return undefined;
}
