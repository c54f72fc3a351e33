import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { PROCESS_BOUND_MS, temporary } from './harness.ts';
import { linkSourceCaches } from './source-caches.ts';

/** What an example prints, run as a newcomer runs it: it has to end well. */
async function shown(name: string): Promise<string> {
  await using folder = await temporary();
  await linkSourceCaches(join(folder.path, 'ampoule'));
  const example = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url));
  const env = { PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: folder.path };
  const { stdout } = await promisify(execFile)(process.execPath, [example], { cwd: folder.path, env, timeout: PROCESS_BOUND_MS });
  return stripVTControlCharacters(stdout);
}

test('the example of search finds a tool, reads its types, and uses it', async () => {
  const text = await shown('search');
  expect(text).toMatch(/← import \{ createEntities \} from "servers\/memory";/);
  expect(text).toMatch(/export interface CreateEntitiesInput[^]*export function createEntities\(input: CreateEntitiesInput\)/);
  expect(text).toMatch(/"uri":"ampoule:\/\/servers\/memory\/createEntities\.ts"[^]*"result": 1/);
});

test('the example of sessions keeps, merges, conflicts, and is ended by its operator', async () => {
  const text = await shown('session');
  expect(text).toMatch(/WARN_STATE_NOT_KEPT[^]*"session": "ses_[^]*ERR_SESSION_CONFLICT[^]*ERR_SESSION_UNKNOWN/);
  expect(text).toMatch(/\$ ampoule sessions list --json/);
});

test('the example of skills saves, approves, finds, imports and removes one', async () => {
  const text = await shown('skill');
  expect(text).toMatch(
    /failed: ERR_CHECK_TYPES[^]*waiting[^]*version 1: approved[^]*"result": "ampoule\.json"[^]*"module": "skills\/largest-files"[^]*removed with 1 version/u,
  );
});

test('the example of images and large results shows what arrived', async () => {
  const text = await shown('image');
  expect(text).toMatch(/The client got a image\/png of \d+ bytes, which begins with PNG/);
  expect(text).toContain('WARN_CONTENT_INVALID');
  expect(text).toMatch(/These are items 77777 to 77778 of 100000[^]*Next page: ampoule:\/\/results\/[0-9a-f]{32}\?offset=77779&limit=2/);
});

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

test('the example of durable executions asks, survives the death of its server, completes, and is replayed', async () => {
  const text = await shown('durable');
  expect(text).toMatch(
    /"status": "waiting"[^]*"tool": "write_file"[^]*: approved, files\.write_file\.[^]*"status": "completed"[^]*"written": "written"/u,
  );
  expect(text).toMatch(/totals\.json holds: \[\["Ada",180\],\["Grace",80\]\]/);
  expect(text).toMatch(/begun again {2}once[^]*call 2 asks a person[^]*begun again[^]*approved by operator[^]*ended +completed/u);
  expect(text).toMatch(/Same: completed, 2 calls, 0 log lines, [\d,]+ fuel\./);
});
