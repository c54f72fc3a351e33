import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cachedGuest } from '../../src/bundle/guest-cache.ts';
import { bundleGuest } from '../../src/bundle/guest.ts';

const ENGLISH = { locales: ['en'], timeZones: ['Europe/Berlin'] };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'guest-cache-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the guest is bundled once, and read after that', async () => {
  const fresh = await cachedGuest('quickjs', ENGLISH, folder);
  expect(fresh).toBe(await bundleGuest('quickjs', ENGLISH));
  const start = performance.now();
  expect(await cachedGuest('quickjs', ENGLISH, folder)).toBe(fresh);
  expect(performance.now() - start).toBeLessThan(1_000);
  expect(await readdir(folder)).toEqual(['guest-quickjs.js']);
});

test('a damaged file, and one of other locales, is written again', async () => {
  const fresh = await cachedGuest('quickjs', ENGLISH, folder);
  const file = join(folder, 'guest-quickjs.js');
  await writeFile(file, `${await readFile(file, 'utf8')};hostile()`);
  expect(await cachedGuest('quickjs', ENGLISH, folder)).toBe(fresh);
  const other = await cachedGuest('quickjs', { ...ENGLISH, locales: ['de'] }, folder);
  expect(other).not.toBe(fresh);
});

test('a folder that cannot be written costs nothing but time', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(cachedGuest('quickjs', ENGLISH, join(file, 'engine'))).resolves.toContain('Europe/Berlin');
});
