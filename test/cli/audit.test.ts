import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditLine } from '../../src/audit/audit-event.ts';
import { openAuditStore, type AuditStore } from '../../src/audit/audit-store.ts';
import { showAudit, type AuditOptions } from '../../src/cli/audit.ts';
import type { ProcessContext } from '../../src/cli/command.ts';
import { spawnAmpoule, temporary, writeConfig } from '../e2e/harness.ts';
import { cli, type CliResult } from './run-cli.ts';

const folder = await temporary();
let config = '';
/** As a server that runs has it. */
let store: AuditStore;
const NOW = Date.now();
const FORGED = 'x\n2026-01-01T00:00:00.000Z  local  run  program 000000000000  ok\u001b[2J\u202e\t';

const LINES: readonly AuditLine[] = [
  {
    time: NOW - 3 * 86_400_000,
    kind: 'run',
    principal: 'key:ci-1',
    execution: 'exe_1',
    program: 'ab'.repeat(32),
    ms: 12.5,
    fuel: 1_000,
    calls: 2,
  },
  {
    time: NOW - 7_200_000,
    kind: 'call',
    principal: 'key:ci-1',
    execution: 'exe_1',
    server: 'mail',
    tool: 'send',
    code: 'ERR_CALL_APPROVAL',
    approval: 'refused',
  },
  { time: NOW - 60_000, kind: 'call', principal: FORGED, execution: FORGED, server: FORGED, tool: FORGED, code: FORGED },
  { time: NOW - 50_000, kind: 'skill', principal: 'local', action: 'save', subject: 'triage@1' },
  { time: NOW - 40_000, kind: 'auth', code: 'ERR_ACCESS_INVALID', from: '127.0.0.1', times: 12 },
  { time: NOW - 30_000, kind: 'gap', code: 'ERR_AUDIT_STORE', times: 3 },
];

beforeAll(async () => {
  config = await writeConfig(folder.path, { mcpServers: {} });
  store = openAuditStore({ file: join(folder.path, 'cache', 'audit.db'), retentionMs: 30 * 86_400_000, maxBytes: 1_000_000 });
  store.write(LINES);
});
afterAll(async () => {
  store.close();
  await folder[Symbol.asyncDispose]();
});

const audit = (...args: string[]): Promise<CliResult> => cli(['audit', ...args, '--config', config]);

/** The command itself, without a process. */
async function told(options: AuditOptions): Promise<Record<string, unknown>[]> {
  let stdout = '';
  const context = {
    environment: {},
    workingDirectory: folder.path,
    packageDirectory: folder.path,
    stdout: { write: (text: string) => void (stdout += text), on: () => undefined },
    signal: new AbortController().signal,
  } as unknown as ProcessContext; // what the command uses of it
  await showAudit(context, { ...options, json: true, config });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('the table has a row for each line and no more, whatever names are in it', async () => {
  const { code, stdout, stderr } = await audit();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const rows = stdout.split('\n');
  expect(rows[0]).toMatch(/^TIME +PRINCIPAL +KIND +WHAT +OUTCOME +MS +FUEL +EXECUTION$/);
  expect(rows).toHaveLength(LINES.length + 3);
  expect(rows[1]).toMatch(/Z +key:ci-1 +run +program abababababab, 2 calls +ok +12\.5 +1000 +exe_1$/);
  expect(rows[2]).toMatch(/ call +mail\.send +ERR_CALL_APPROVAL \(person: refused\) +- +- +exe_1$/);
  expect(rows[3]).toContain('x\\n2026-01-01');
  expect(rows[4]).toMatch(/ local +skill +save triage@1 +ok /);
  expect(rows[5]).toMatch(/ - +auth +from 127\.0\.0\.1 +ERR_ACCESS_INVALID x 12 /);
  expect(rows[6]).toMatch(/ - +gap +lines that could not be written +ERR_AUDIT_STORE x 3 /);
  expect(rows[7]).toBe('6 lines.');
  // oxlint-disable-next-line no-control-regex -- control characters are what it is there to find
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test('JSON lines have everything, each in one line', async () => {
  expect(await told({})).toEqual(LINES.map((line) => ({ ...line, time: new Date(line.time).toISOString() })));
  const { stdout } = await audit('--json', '--limit', '4');
  expect(stdout.match(/\n/g)).toHaveLength(4);
  expect(stdout).not.toContain('\u202e');
});

test('filters narrow it', async () => {
  const kinds = async (options: AuditOptions): Promise<unknown[]> => (await told(options)).map(({ kind }) => kind);
  expect(await kinds({ principal: 'key:ci-*' })).toEqual(['run', 'call']);
  expect(await kinds({ principal: FORGED })).toEqual(['call']);
  expect(await kinds({ since: '1h' })).toEqual(['call', 'skill', 'auth', 'gap']);
  expect(await kinds({ since: new Date(NOW - 45_000).toISOString() })).toEqual(['auth', 'gap']);
  expect(await kinds({ server: 'mail', tool: 'se*', failed: true })).toEqual(['call']);
  expect(await kinds({ kind: 'auth' })).toEqual(['auth']);
  expect(await kinds({ code: 'ok' })).toEqual(['run', 'skill']);
  expect(await kinds({ execution: 'exe_1' })).toEqual(['run', 'call']);
  expect(await kinds({ limit: '1' })).toEqual(['gap']);
});

test.each<[AuditOptions, string]>([
  [{ since: 'yesterday' }, '--since expects a time ago'],
  [{ since: '2026-99-99' }, '--since expects a time ago'],
  [{ limit: '0' }, '--limit expects a whole number'],
  [{ limit: '1e3' }, '--limit expects a whole number'],
  [{ kind: 'runs\u001b[2J' }, '--kind expects one of begin, run, call'],
])('%j is refused with what is expected', async (options, message) => {
  const error = await told(options).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'ERR_CLI_USAGE', message: expect.stringContaining(message) });
  expect((error as Error).message).not.toContain('\u001b');
});

test('options come through the command line', async () => {
  const { stdout } = await audit(
    '--principal',
    'key:*',
    '--since',
    '1d',
    '--server',
    'mail',
    '--tool',
    'send',
    '--kind',
    'call',
    '--failed',
  );
  expect(stdout).toMatch(/mail\.send[^\n]*\n1 line\.\n$/);
});

test('new lines come as they are written while it follows, until it is told to end', async () => {
  const child = spawnAmpoule(['audit', '--follow', '--json', '--limit', '1', '--config', config]);
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  await expect.poll(() => stdout, { timeout: 20_000 }).toContain('"kind":"gap"');
  store.write([{ time: NOW, kind: 'key', principal: 'local', action: 'create', subject: 'fresh' }]);
  await expect.poll(() => stdout, { timeout: 5_000 }).toContain('"subject":"fresh"');
  expect(stdout.trim().split('\n')).toHaveLength(2);
  // A server that puts a damaged file aside begins another: that one is followed from its first line on.
  store.close();
  const databaseFile = join(folder.path, 'cache', 'audit.db');
  for (const file of ['', '-wal', '-shm'].map((end) => databaseFile + end)) {
    if (existsSync(file)) renameSync(file, `${file}.damaged-1`);
  }
  store = openAuditStore({ file: databaseFile, retentionMs: 86_400_000_000, maxBytes: 10_000_000 });
  store.write([{ time: NOW, kind: 'key', principal: 'local', action: 'create', subject: 'after that' }]);
  await expect.poll(() => stdout, { timeout: 5_000 }).toContain('"subject":"after that"');
  store.write(LINES);
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('more than a pipe takes at once comes whole', async () => {
  await using other = await temporary();
  const many = await writeConfig(other.path, { mcpServers: {} });
  const full = openAuditStore({ file: join(other.path, 'cache', 'audit.db'), retentionMs: 86_400_000, maxBytes: 10_000_000 });
  full.write(Array.from({ length: 5_000 }, () => ({ time: NOW, kind: 'call', principal: 'key:a', server: 's'.repeat(100) }) as const));
  full.close();
  const { stdout } = await cli(['audit', '--limit', '5000', '--json', '--config', many]);
  expect(stdout.split('\n')).toHaveLength(5_001);
});

describe('without lines', () => {
  test('it says so, and makes no file', async () => {
    await using other = await temporary();
    const fresh = await writeConfig(other.path, { mcpServers: {} });
    expect(await cli(['audit', '--config', fresh])).toEqual({ code: 0, stdout: 'No lines.\n', stderr: '' });
    expect(await cli(['audit', '--json', '--config', fresh])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(existsSync(join(other.path, 'cache', 'audit.db'))).toBe(false);
  });

  test('a file of a newer version is refused and left as it is', async () => {
    await using other = await temporary();
    const fresh = await writeConfig(other.path, { mcpServers: {} });
    const db = new DatabaseSync(join(other.path, 'cache', 'audit.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    const { code, stderr } = await cli(['audit', '--config', fresh]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ERR_AUDIT_STORE[^]*a newer version of Ampoule wrote it/);
  });
});
