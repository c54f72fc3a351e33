import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addSessionCommands } from '../../src/cli/session-commands.ts';
import { openSessionRegister, type SessionRegister } from '../../src/session/session-register.ts';
import { createSessionStore, type SessionStore } from '../../src/session/session-store.ts';
import { temporary, writeConfig } from '../e2e/harness.ts';
import { inProcess } from './in-process.ts';
import { cli, type CliResult } from './run-cli.ts';

const folder = await temporary();
let config = '';
/** As a server that runs has it. */
let store: SessionStore;
let register: SessionRegister;
beforeAll(async () => {
  config = await writeConfig(folder.path, { mcpServers: {}, limits: { sessionTtlMs: 3_600_000 } });
  const file = join(folder.path, 'cache', 'sessions.db');
  store = createSessionStore({ file, maxSessions: 100, sessionTtlMs: 3_600_000, maxStateBytes: 1_000_000 });
  register = openSessionRegister({ file, sessionTtlMs: 3_600_000 });
});
afterAll(async () => {
  register.close();
  store.close();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => void register.end('all'));

async function sessions(...args: string[]): Promise<CliResult> {
  return inProcess(addSessionCommands, folder.path, config, ['sessions', ...args]);
}

async function minted(principal: string, state: object): Promise<string> {
  const session = store.mint(principal);
  await store.commit(session, JSON.stringify(state));
  return session.handle;
}

async function listed(...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout } = await sessions('list', '--json', ...args);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>[];
}

describe('ampoule sessions list', () => {
  test('shows every session, without its handle and its state', async () => {
    const handle = await minted('ann', { secret: 'hunter2', n: 1 });
    const { code, stdout, stderr } = await sessions('list');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^ID +PRINCIPAL +CREATED +LAST USED +EXPIRES +BYTES +KEYS\n[\da-f]{16} +ann +[-\dT:]+Z +[-\dT:]+Z +[-\dT:]+Z +26 +2\n1 session\.\n$/,
    );
    expect(stdout).not.toContain(handle.slice(4, 12));
    expect(stdout).not.toContain('hunter2');
  });

  test('prints JSON, of one principal where asked', async () => {
    await minted('ann', {});
    await minted('ben', { a: 'é' });
    expect(await listed()).toHaveLength(2);
    const [entry, ...more] = await listed('--principal', 'ben');
    expect(more).toEqual([]);
    expect(entry).toMatchObject({ id: expect.stringMatching(/^[\da-f]{16}$/), principal: 'ben', bytes: 10, keys: 1 });
    const [created, lastUsed, expires] = ['created', 'lastUsed', 'expires'].map((name) => Date.parse(String(entry?.[name])));
    expect(lastUsed).toBeGreaterThanOrEqual(created ?? Number.NaN);
    expect(expires).toBe((lastUsed ?? 0) + 3_600_000);
  });

  test('says so when there are none, and makes no store where there was none', async () => {
    expect(await sessions('list')).toEqual({ code: 0, stdout: 'No sessions.\n', stderr: '' });
    await using other = await temporary();
    const fresh = await writeConfig(other.path, { mcpServers: {} });
    expect(await sessions('list', '--json', '--config', fresh)).toMatchObject({ code: 0, stdout: '[]\n' });
    expect(await sessions('end', '--all', '--config', fresh)).toMatchObject({ code: 0, stdout: '0 sessions ended.\n' });
    expect(existsSync(join(other.path, 'cache', 'sessions.db'))).toBe(false);
  });
});

describe('ampoule sessions show', () => {
  test('has the keys and their sizes, and the values only when asked', async () => {
    await minted('ann', { token: 'hunter2', '\u001b[2J': [1, 2] });
    const id = String((await listed())[0]?.['id']);
    const plain = await sessions('show', id);
    expect(plain.code).toBe(0);
    expect(plain.stdout).toMatch(/^id +[\da-f]{16}\nprincipal +ann\ncreated [^]*\nstate +\d+ bytes, 2 keys\n/);
    expect(plain.stdout).toMatch(/^ {2}"token" +9 bytes$/m);
    expect(plain.stdout).not.toContain('hunter2');
    // Nothing of a program moves the cursor.
    expect(plain.stdout).not.toContain('\u001b');
    expect((await sessions('show', id, '--values')).stdout).toMatch(/^ {2}"token" +9 bytes +"hunter2"$/m);
    const json = JSON.parse((await sessions('show', id, '--json')).stdout) as object;
    expect(json).toMatchObject({
      id,
      keys: 2,
      state: [
        { key: 'token', bytes: 9 },
        { key: '\u001b[2J', bytes: 5 },
      ],
    });
    expect(JSON.stringify(json)).not.toContain('hunter2');
    expect(JSON.parse((await sessions('show', id, '--json', '--values')).stdout)).toMatchObject({
      state: [{ value: 'hunter2' }, { value: [1, 2] }],
    });
  });

  test.each(['0000000000000000', "' OR 1=1 --"])('of %j, which there is not, ends with 1', async (id) => {
    await minted('ann', {});
    const { code, stdout, stderr } = await sessions('show', id);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('ERR_SESSION_UNKNOWN');
    expect(stderr).toContain('ampoule sessions list');
  });

  test('of a handle ends with 1: a handle is not an id', async () => {
    const handle = await minted('ann', {});
    expect(await sessions('show', handle)).toMatchObject({ code: 1, stderr: expect.stringContaining('A handle is not an id') });
  });
});

describe('ampoule sessions end', () => {
  test('ends one, and a server that runs refuses its handle at once', async () => {
    const handle = await minted('ann', { a: 1 });
    const id = String((await listed())[0]?.['id']);
    const other = await minted('ann', { b: 1 });
    expect(await sessions('end', id)).toEqual({ code: 0, stdout: '1 session ended.\n', stderr: '' });
    expect(() => store.open(handle, 'ann')).toThrow('does not exist');
    expect(store.open(other, 'ann').state).toBe('{"b":1}');
    expect(await sessions('end', id)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('ERR_SESSION_UNKNOWN') });
  });

  test('ends those of a principal, and all', async () => {
    for (const principal of ['ann', 'ann', 'ben', 'cat']) await minted(principal, {});
    expect((await sessions('end', '--principal', 'ann')).stdout).toBe('2 sessions ended.\n');
    expect((await sessions('end', '--principal', 'nobody')).stdout).toBe('0 sessions ended.\n');
    expect((await sessions('end', '--all')).stdout).toBe('2 sessions ended.\n');
  });

  test.each([
    ['nothing', []],
    ['an id and --all', ['x', '--all']],
    ['--all and --principal', ['--all', '--principal', 'ann']],
  ])('with %s says what it takes', async (_name, args) => {
    await minted('ann', {});
    const { code, stdout, stderr } = await sessions('end', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('ERR_CLI_USAGE');
    expect(stderr).toContain('--principal <name>');
    expect(await listed()).toHaveLength(1);
  });
});

test('ampoule sessions without a command, or with one that there is not, ends with 2', async () => {
  expect((await cli(['sessions'])).code).toBe(2);
  const { code, stderr } = await cli(['sessions', 'lst']);
  expect(code).toBe(2);
  expect(stderr).toContain('list');
  const help = (await cli(['sessions', '--help'])).stdout;
  for (const command of ['list', 'show', 'end']) expect(help).toContain(command);
});

test('a store of a newer version is refused by its name', async () => {
  await using other = await temporary();
  const newer = await writeConfig(other.path, { mcpServers: {} });
  const file = join(other.path, 'cache', 'sessions.db');
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
  const { code, stderr } = await cli(['sessions', 'list', '--config', newer]);
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_SESSION_STORE');
  expect(stderr).toContain(file);
  expect(stderr).toContain('set another "cacheDir"');
});
