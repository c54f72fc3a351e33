import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, inject, test } from 'vitest';
import { logIn } from '../access/oauth-clients.ts';
import { startOidc } from '../access/oidc-fixture.ts';
import { MAIN, PROCESS_BOUND_MS, temporary, writeConfig } from './harness.ts';
import { until } from './processes.ts';

const HEADING = '### From zero to an authenticated server in five minutes';
const AUDIENCE = 'https://ampoule.example.com/mcp';

/** The section's commands and config files, in order. */
let commands: string[];
let configs: string[];
beforeAll(async () => {
  const readme = await readFile(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  const section = readme.slice(readme.indexOf(HEADING)).split(/^### /m)[1] ?? '';
  commands = [...section.matchAll(/^```sh\n([^]*?)^```$/gm)]
    .flatMap(([, block = '']) => block.replaceAll('\\\n', ' ').split('\n'))
    .filter((line) => line.trim() !== '');
  configs = [...section.matchAll(/^```json\n([^]*?)^```$/gm)].map(([, text = '']) => text);
});

/** A shell line of the README as it is, but for the folder of the checkout and the port. */
function shell(line: string, cwd: string, url = ''): ChildProcess {
  const command = line
    .replaceAll('npm run -s ampoule --', `exec '${process.execPath}' '${MAIN}'`)
    .replace(/ serve$/, ' serve --http 127.0.0.1:0')
    .replaceAll('http://127.0.0.1:8338', url.replace(/\/mcp$/, ''));
  const env = { PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: join(cwd, 'user-cache'), HOME: cwd };
  return spawn('sh', ['-c', command], { cwd, env, timeout: PROCESS_BOUND_MS, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] });
}

async function output(line: string, cwd: string, url?: string): Promise<string> {
  const child = shell(line, cwd, url);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stderr?.resume();
  const [code] = (await once(child, 'close')) as [number];
  expect({ line, code }).toEqual({ line, code: 0 });
  return text;
}

/** Runs the line that serves; the server ends with the scope. */
async function serve(line: string, cwd: string): Promise<{ url: string } & AsyncDisposable> {
  const child = shell(line, cwd);
  let [text, errors] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const ended = once(child, 'close');
  const url = (): string => /^ampoule ready (\S+)$/m.exec(text)?.[1] ?? '';
  await until('the server is ready', () => url() !== '' || child.exitCode !== null, 60_000);
  if (url() === '') throw new Error(`The server did not start: ${errors}`);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url: url(), [Symbol.asyncDispose]: stop };
}

/** What makes the start quick here: the engine of the tests, what Node has compiled, and no second worker. */
async function mergeTestConfig(folder: string): Promise<void> {
  const written = JSON.parse(await readFile(join(folder, 'ampoule.json'), 'utf8')) as object;
  await writeConfig(folder, { ...written, log: { level: 'warn', format: 'json' } });
  await mkdir(join(folder, 'user-cache', 'ampoule'), { recursive: true });
  await symlink(join(inject('cacheDirectory'), 'node'), join(folder, 'user-cache', 'ampoule', 'node'));
}

test('the way with keys: three commands, a call by hand, and a key that is made, listed and revoked', async () => {
  await using folder = await temporary();
  const [config = '', create = '', start = '', call = '', narrow = '', list = '', revoke = ''] = commands;
  await output(config, folder.path);
  await mergeTestConfig(folder.path);
  await output(create, folder.path);
  const keyFile = join(folder.path, 'laptop.key');
  expect(await readFile(keyFile, 'utf8')).toMatch(/^amp_[\w-]{36}\n$/);
  expect((await stat(keyFile)).mode & 0o077).toBe(0);
  await using server = await serve(start.trim(), folder.path);
  expect(await output(call, folder.path, server.url)).toContain('42');
  expect(await output(narrow, folder.path)).toMatch(/^amp_[\w-]{36}\n$/);
  expect(await output(list, folder.path)).toMatch(/key_\w+ +ci +good .* github\.\* files\.read_\*/);
  expect(await output(revoke, folder.path)).toBe('1 key revoked.\n');
  expect(await output(list, folder.path)).toMatch(/ci +revoked/);
  expect(inject('engineKind')).toBe('quickjs');
});

test('the way with an issuer: the config, what clients are told, and one that logs in by it', async () => {
  await using folder = await temporary();
  const client = { client_id: 'known', redirect_uris: ['http://127.0.0.1:7/callback'] };
  await using oidc = await startOidc({ audience: AUDIENCE, scopes: ['tools', 'reading'], client });
  expect(configs.length).toBe(1);
  await writeFile(join(folder.path, 'ampoule.json'), configs[0]!.replace('https://login.example.com', oidc.issuer));
  await mergeTestConfig(folder.path);
  const [start = '', challenge = '', metadata = '', ...more] = commands.slice(7);
  expect(more).toEqual([]);
  await using server = await serve(start.trim(), folder.path);
  expect(await output(challenge, folder.path, server.url)).toContain('scope="tools reading", resource_metadata="http://127.0.0.1:');
  expect(JSON.parse(await output(metadata, folder.path, server.url))).toMatchObject({ authorization_servers: [oidc.issuer] });
  const ann = await logIn('v1 client', server.url, oidc, 'ann');
  expect((await ann.call({ code: 'return 6 * 7;' })).structuredContent).toMatchObject({ result: 42 });
  await ann.close();
});
