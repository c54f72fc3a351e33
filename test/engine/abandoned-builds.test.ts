import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeAbandonedBuilds } from '../../src/engine/abandoned-builds.ts';

test('folders of builds that nobody can be at work on any more go, all others stay', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'abandoned-test-'));
  try {
    for (const name of ['.build-old', '.build-new', 'engine']) await mkdir(join(directory, name));
    const long = new Date(Date.now() - 2 * 3_600_000);
    await utimes(join(directory, '.build-old'), long, long);
    await utimes(join(directory, 'engine'), long, long);
    await removeAbandonedBuilds(directory);
    expect((await readdir(directory)).sort()).toEqual(['.build-new', 'engine']);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('a folder that is not there is no error', async () => {
  await expect(removeAbandonedBuilds('/nowhere/at/all')).resolves.toBeUndefined();
});
