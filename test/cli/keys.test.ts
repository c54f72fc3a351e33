import { existsSync, statSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isKey } from '../../src/access/key-format.ts';
import type { ProcessContext } from '../../src/cli/command.ts';
import { addKeyCommands } from '../../src/cli/key-commands.ts';
import { createKey, type CreateOptions } from '../../src/cli/keys.ts';
import { temporary, writeConfig } from '../e2e/harness.ts';
import { inProcess } from './in-process.ts';
import { cli, type CliResult } from './run-cli.ts';

const folder = await temporary();
let config = '';
beforeAll(async () => void (config = await writeConfig(folder.path, { mcpServers: {} })));
afterAll(() => folder[Symbol.asyncDispose]());

async function keys(...args: string[]): Promise<CliResult> {
  return inProcess(addKeyCommands, folder.path, config, ['keys', ...args]);
}

/** As much of a process as a command needs that ends early. */
const CONTEXT = { environment: {}, workingDirectory: folder.path, packageDirectory: folder.path, stderr: new PassThrough() };
const file = (): string => join(folder.path, 'cache', 'keys.db');

describe('ampoule keys', () => {
  test('shows none before there are some, and makes no file for that', async () => {
    expect(await keys('list')).toEqual({ code: 0, stdout: 'No keys.\n', stderr: '' });
    expect(existsSync(file())).toBe(false);
  });

  test('create prints the key alone to stdout, and says the rest beside it', async () => {
    const { code, stdout, stderr } = await cli([
      'keys',
      'create',
      'laptop',
      '--tools',
      'github.*',
      'files.read_*',
      '--expires',
      '90d',
      '--config',
      config,
    ]);
    expect(code).toBe(0);
    expect(isKey(stdout.trim())).toBe(true);
    expect(stderr).toMatch(/^key_[\da-f]{12}, principal key:laptop, tools github\.\* files\.read_\*, expires \d{4}-\d\d-\d\dT[\d:]+Z\.\n/);
    expect(stderr).toContain('No server of the config is meant by github.* files.read_*.');
    expect(stderr).toContain('"auth": { "keys": true }');
    expect(stderr).not.toContain(stdout.trim());
    expect(statSync(file()).mode & 0o077).toBe(0);
  });

  test('says so when a name is that of another key: both are one principal', async () => {
    await keys('create', 'twice');
    const { code, stderr } = await keys('create', 'twice');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('another key of this name') });
    expect(await keys('revoke', 'twice')).toMatchObject({ stdout: '2 keys revoked.\n' });
    expect((await keys('create', 'twice')).stderr).toContain('another key of this name');
    expect(await keys('revoke', 'twice')).toMatchObject({ stdout: '1 key revoked.\n' });
  });

  test('list shows every key, and no part of any', async () => {
    const { stdout: made } = await keys('create', 'ci');
    const { stdout } = await keys('list');
    expect(stdout).toMatch(/^ID +NAME +STATE +CREATED +EXPIRES +LAST USED +TOOLS\n/);
    expect(stdout).toMatch(/key_\w+ +ci +good +\S+Z +never +never +all\n/);
    expect(stdout).toMatch(/\n5 keys\.\n$/);
    expect(stdout).not.toContain(made.slice(4, 12));
    expect(JSON.parse((await keys('list', '--json')).stdout)).toMatchObject([
      { name: 'ci', principal: 'key:ci', state: 'good', tools: null, expires: null, lastUsed: null },
      { name: 'laptop', tools: ['github.*', 'files.read_*'] },
      { name: 'twice', state: 'revoked' },
      { name: 'twice', state: 'revoked' },
      { name: 'twice', state: 'revoked' },
    ]);
  });

  test('revoke takes names and ids, and says when there are none', async () => {
    expect(await keys('revoke', 'ci')).toMatchObject({ code: 0, stdout: '1 key revoked.\n' });
    const { stdout: found } = await keys('create', 'lost');
    expect(await keys('revoke', found.trim())).toMatchObject({ code: 0, stdout: '1 key revoked.\n' });
    const { stdout: audit } = await cli(['audit', '--kind', 'key', '--json', '--config', config]);
    expect(audit).toContain('"revoke"');
    expect(audit).toMatch(/"lost key_[\da-f]{12}"/);
    expect(audit).not.toContain(found.slice(0, 12));
    const wrong = await keys('revoke', 'nobody');
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('ERR_ACCESS_KEY');
    expect(wrong.stderr).toContain('"ampoule keys list" shows names and ids.');
  });

  test.each<[string, string, CreateOptions]>([
    ['a name', 'not a name', {}],
    ['a glob', 'x', { tools: ['github'] }],
    ['a time', 'x', { expires: 'tomorrow' }],
    ['a time that is over', 'x', { expires: '2001-01-01' }],
    ['a time of no length', 'x', { expires: '0d' }],
    ['a time without end', 'x', { expires: '99999y' }],
  ])('refuses %s that a key cannot have, with what would do', async (_what, name, options) => {
    const before = statSync(file()).mtimeMs;
    const stdout = new PassThrough();
    const context = { ...CONTEXT, stdout } as unknown as ProcessContext;
    await expect(createKey(context, name, { ...options, config })).rejects.toMatchObject({
      code: 'ERR_ACCESS_KEY',
      details: { hint: expect.stringMatching(/such as/i) },
    });
    expect({ printed: stdout.read() as unknown, changed: statSync(file()).mtimeMs }).toEqual({ printed: null, changed: before });
  });
});
