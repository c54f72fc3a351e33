import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writersOf } from '../src/folder-access.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'ampoule-access-of-'))));
afterAll(() => rm(folder, { recursive: true }));

test.runIf(process.getuid !== undefined).each([
  [0o700, undefined],
  [0o755, undefined],
  [0o770, 'its permissions are 770'],
  [0o777, 'its permissions are 777'],
])('a folder with permissions %o is others to write to: %s', async (mode, why) => {
  await chmod(folder, mode);
  expect(await writersOf(folder)).toBe(why);
});

test('a folder that is not there is nobody to write to', async () => {
  expect(await writersOf(join(folder, 'none'))).toBeUndefined();
});
