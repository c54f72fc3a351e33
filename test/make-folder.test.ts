import { existsSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { makeFolder, OWNER_ONLY } from '../src/make-folder.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'make-folder-'));
  folders.push(folder);
  return folder;
}

test('a folder and those above it are made, also by many at once, and one that is there stays', async () => {
  const path = join(await temporary(), 'a', 'b', 'c');
  await Promise.all(Array.from({ length: 20 }, () => makeFolder(path, OWNER_ONLY)));
  await makeFolder(path);
  expect(statSync(path).mode & 0o777).toBe(OWNER_ONLY);
});

test('a folder below a file is an error', async () => {
  const file = join(await temporary(), 'file');
  writeFileSync(file, '');
  await expect(makeFolder(join(file, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.runIf(existsSync('/proc'))('a folder where none can be made is an error and no endless wait', async () => {
  await expect(makeFolder('/proc/ampoule/below')).rejects.toMatchObject({ code: 'ENOENT' });
});
