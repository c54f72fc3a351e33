import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { builtHash, COMPONENT_FILE, fingerprint, MANIFEST_FILE, type EngineManifest } from '../../src/engine/engine-files.ts';
import { findEngine } from '../../src/engine/find-engine.ts';

let cache: string;
beforeEach(() => void (cache = mkdtempSync(join(tmpdir(), 'ampoule-engines-'))));
afterEach(() => rmSync(cache, { recursive: true }));

/** The manifest of an engine whose files are these texts, in a folder of its own. @returns what it is found by */
async function build(name: string, files: Readonly<Record<string, string>>, built = files): Promise<string> {
  const directory = join(cache, 'engine', name);
  await mkdir(directory, { recursive: true });
  const known = JSON.parse(await readFile(join(inject('engine').directory, MANIFEST_FILE), 'utf8')) as EngineManifest;
  const manifest = { ...known, files: Object.fromEntries(Object.entries(built).map(([file, text]) => [file, fingerprint(text)])) };
  await writeFile(join(directory, MANIFEST_FILE), JSON.stringify(manifest));
  for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text);
  return builtHash(manifest);
}

test('an engine is found by what was built, among others of the same sources', async () => {
  expect(await findEngine(cache, 'ab'.repeat(32))).toBeUndefined();
  const [first, second] = [await build('first', { [COMPONENT_FILE]: 'one' }), await build('second', { [COMPONENT_FILE]: 'two' })];
  expect(await findEngine(cache, first)).toMatchObject({ hash: first, directory: join(cache, 'engine', 'first') });
  expect(await findEngine(cache, second)).toMatchObject({ hash: second, directory: join(cache, 'engine', 'second') });
  expect(await findEngine(cache, 'ab'.repeat(32))).toBeUndefined();
});

test('one that is not as it was built is as good as gone, and a good one beside it is found', async () => {
  const files = { [COMPONENT_FILE]: 'one', 'core.wasm': 'two' };
  const hash = await build('a', { ...files, 'core.wasm': 'another' }, files);
  expect(await findEngine(cache, hash)).toBeUndefined();
  await rm(join(cache, 'engine', 'a', 'core.wasm'));
  expect(await findEngine(cache, hash)).toBeUndefined();
  await writeFile(join(cache, 'engine', 'a', MANIFEST_FILE), '{');
  await writeFile(join(cache, 'engine', 'no-folder'), '');
  expect(await findEngine(cache, hash)).toBeUndefined();
  await build('b', files);
  expect((await findEngine(cache, hash))?.directory).toBe(join(cache, 'engine', 'b'));
});
