import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { temporary } from '../e2e/harness.ts';
import { cli } from './run-cli.ts';

const folder = await temporary();
afterAll(() => folder[Symbol.asyncDispose]());

describe.concurrent('help', () => {
  test('names every command', async () => {
    const { code, stdout, stderr } = await cli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of ['serve', 'run', 'generate', 'engine', 'build', 'sessions', 'skills']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
    }
  });

  test.each([
    ['run', ['<file>', '--config', '--input', '--json']],
    ['build', ['<file>', '--output', '--config']],
  ])('of %s names its arguments', async (command, names) => {
    const { code, stdout } = await cli([command, '--help']);
    expect(code).toBe(0);
    for (const name of names) expect(stdout).toContain(name);
  });

  test('the version is that of the package', async () => {
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe.concurrent('a wrong command line', () => {
  test.each([
    ['no command', [], /Usage|help/],
    ['an unknown command', ['sevre'], /unknown command 'sevre'[^]*serve/],
    ['an unknown option', ['run', '--jsno', 'x.ts'], /unknown option '--jsno'[^]*--json/],
    ['a missing argument', ['run'], /missing required argument 'file'/],
  ])('with %s ends with exit code 2 and says what is right', async (_name, args, told) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(told);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  test.each([['nonsense'], ['127.0.0.1:99999']])('--http %s is refused', async (address) => {
    const { code, stderr } = await cli(['serve', '--http', address], { cwd: folder.path, env: { XDG_CACHE_HOME: folder.path } });
    expect(code).toBe(2);
    expect(stderr).toContain('ERR_CLI_USAGE');
    expect(stderr).toContain(address);
    expect(stderr).toContain('127.0.0.1:8338');
  });
});

describe.concurrent('a config', () => {
  async function serveWith(text: string | undefined): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const file = join(folder.path, `${crypto.randomUUID()}.json`);
    if (text !== undefined) await writeFile(file, text);
    return cli(['serve', '--http', '127.0.0.1:0', '--config', file]);
  }

  test.each([
    ['that is missing', undefined, 'ERR_CONFIG_NOT_FOUND', /\.json/],
    ['that is no JSON', '{\n  "mcpServers": {,}\n}', 'ERR_CONFIG_SYNTAX', /:2:18\b[^]*\^/],
    ['with an unknown key', '{\n  "mcpServer": {}\n}', 'ERR_CONFIG_INVALID', /:2:3\b[^]*"mcpServers"/],
    [
      'with an unknown server type',
      '{ "mcpServers": { "a": { "type": "websocket", "url": "http://127.0.0.1:1/" } } }',
      'ERR_CONFIG_INVALID',
      /mcpServers\.a\.type[^]*"sse"/,
    ],
    [
      'with a variable that is not set',
      '{ "mcpServers": { "a": { "command": "${env:E2E_NOT_SET}" } } }',
      'ERR_CONFIG_VARIABLE',
      /E2E_NOT_SET/,
    ],
  ])('%s ends with exit code 1, its code and its place', async (_name, text, code, told) => {
    const result = await serveWith(text);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code: 1, stdout: '' });
    expect(result.stderr).toMatch(new RegExp(`^${code}$`, 'm'));
    expect(result.stderr).toMatch(told);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });
});
