import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { PROCESS_BOUND_MS, temporary } from './harness.ts';
import { linkSourceCaches } from './source-caches.ts';

test('the demo starts a server, runs a program of two upstream servers twice, and shows what came of it', async () => {
  await using folder = await temporary();
  await linkSourceCaches(join(folder.path, 'ampoule'));
  const demo = fileURLToPath(new URL('../../examples/demo.ts', import.meta.url));
  const env = { PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: folder.path };
  const { stdout } = await promisify(execFile)(process.execPath, [demo], { cwd: folder.path, env, timeout: PROCESS_BOUND_MS });
  const shown = stripVTControlCharacters(stdout);
  expect(shown).toContain('execute_code');
  expect(shown).toMatch(/First run.*completed[^]*cache: miss[^]*Second run.*completed[^]*cache: hit/);
  expect(shown).toMatch(/everything\.get-structured-content/);
  expect(shown).toMatch(/memory\.create_entities/);
});
