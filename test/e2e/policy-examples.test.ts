import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { expect, inject, test } from 'vitest';
import { PROCESS_BOUND_MS, temporary } from './harness.ts';

async function shown(name: string): Promise<string> {
  await using folder = await temporary();
  await mkdir(join(folder.path, 'ampoule'));
  await symlink(join(inject('cacheDirectory'), 'engine'), join(folder.path, 'ampoule', 'engine'));
  const example = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
  const env = { PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: folder.path };
  const { stdout } = await promisify(execFile)(process.execPath, [example], { cwd: folder.path, env, timeout: PROCESS_BOUND_MS });
  return stripVTControlCharacters(stdout);
}

test('the example of policies denies, counts, asks, holds back and hides', async () => {
  const text = await shown('policy');
  expect(text).toMatch(/"denied": "ERR_CALL_DENIED"[^]*"sent",[^]*"sent",[^]*"ERR_CALL_BUDGET",[^]*"ERR_CALL_BUDGET"/);
  expect(text).toMatch(
    /wants to call the tool files\.write_file[^]*→ yes[^]*→ no[^]*"written",[^]*"ERR_CALL_APPROVAL"[^]*one\.txt holds: written/,
  );
  expect(text).toMatch(/The rule \\"files stay here\\" keeps data from web\.echo/);
  expect(text).toMatch(/"address": "‹email_[0-9a-f]+›"[^]*"length": 15[^]*Echo: to ‹email_/);
});

test('the example of a dry run lists three calls, changes nothing, and then does', async () => {
  const text = await shown('dry-run');
  expect(text).toMatch(/"tool": "create_directory"[^]*"tool": "write_file"[^]*"tool": "create_entities"/);
  expect(text).toMatch(/still has no reports: true[^]*Successfully wrote[^]*Now it has: true/);
});
