import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { expect, inject, test } from 'vitest';
import { PROCESS_BOUND_MS, temporary } from './harness.ts';

test('the example of images and large results shows what arrived', async () => {
  await using folder = await temporary();
  await mkdir(join(folder.path, 'ampoule'));
  await symlink(join(inject('cacheDirectory'), 'engine'), join(folder.path, 'ampoule', 'engine'));
  const example = fileURLToPath(new URL('../../examples/image.ts', import.meta.url));
  const env = { PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: folder.path };
  const { stdout } = await promisify(execFile)(process.execPath, [example], { cwd: folder.path, env, timeout: PROCESS_BOUND_MS });
  const shown = stripVTControlCharacters(stdout);
  expect(shown).toMatch(/The client got a image\/png of \d+ bytes, which begins with PNG/);
  expect(shown).toContain('WARN_CONTENT_INVALID');
  expect(shown).toMatch(/These are items 77777 to 77778 of 100000[^]*Next page: ampoule:\/\/results\/[0-9a-f]{32}\?offset=77779&limit=2/);
});
