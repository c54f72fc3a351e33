import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addLoginCommands } from '../../src/cli/login-commands.ts';
import { openLogins } from '../../src/upstream/login/login-store.ts';
import { spawnAmpoule, startAmpoule, temporary, writeConfig, type Ampoule } from '../e2e/harness.ts';
import { until } from '../e2e/processes.ts';
import { browse, startProtected, startProvider, type AuthorizationSite, type ProtectedSite } from '../upstream/login/site.ts';
import { inProcess } from './in-process.ts';
import { cli, type CliResult } from './run-cli.ts';

const folder = await temporary();
const cache = join(folder.path, 'cache');
let provider: AuthorizationSite;
let site: ProtectedSite;
let config = '';
let ampoule: Ampoule;
beforeAll(async () => {
  provider = await startProvider();
  site = await startProtected(provider);
  const mcpServers = {
    remote: { url: site.url, headers: { 'X-Team': 'blue' } },
    fixed: { url: site.url, headers: { authorization: 'Bearer of-the-operator' } },
    local: { command: 'none', enabled: false },
  };
  config = await writeConfig(folder.path, { mcpServers });
  ampoule = await startAmpoule({ mcpServers }, { directory: folder.path });
});
afterAll(async () => {
  await ampoule.stop();
  await site[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

interface Play {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What is pasted for the address that the browser ended at; undefined for what the browser brings by itself. */
  readonly paste?: (address: string) => string | undefined;
}

/** Runs `ampoule login remote` and plays the person. */
async function playLogin({ args = ['--no-browser'], env = {}, paste = (address) => address }: Play = {}): Promise<
  CliResult & { url: string }
> {
  const child = spawnAmpoule(['login', 'remote', '--config', config, ...args], env);
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stdout = text(child.stdout!);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  await until('the URL is shown', () => /^http\S+\n/m.test(stderr), 20_000);
  const url = /^http\S+/m.exec(stderr)?.[0] ?? '';
  const address = await browse(url, new URL(url).searchParams.get('redirect_uri') ?? '');
  const pasted = paste(address);
  if (pasted === undefined) await fetch(address);
  child.stdin?.on('error', () => undefined).end(pasted === undefined ? '' : `${pasted}\n`);
  return { code: await closed, stdout: await stdout, stderr, url };
}

async function list(): Promise<Record<string, unknown>[]> {
  const { stdout } = await inProcess(addLoginCommands, folder.path, config, ['login', '--list', '--json']);
  return JSON.parse(stdout) as Record<string, unknown>[];
}

const PING = 'import { ping } from "servers/remote"; return await ping({});';

test('a server that needs a login works for programs of a running Ampoule soon after it, and no token is anywhere to be read', async () => {
  expect(ampoule.stderr).toContain('ampoule login remote');
  expect(await cli(['login', '--list', '--config', config])).toMatchObject({ code: 0, stdout: 'No logins.\n' });
  const { code, stdout, stderr } = await playLogin();
  expect(code).toBe(0);
  expect(stderr).toMatch(/^The server remote sends you to http:\/\/127\.0\.0\.1:\d+ and asks for read offline_access\.$/m);
  expect(stdout).toMatch(
    /^Logged in to remote at http:\/\/127\.0\.0\.1:\d+, with the scopes .*read.*\. The token lasts until .* and is renewed by itself\.\n$/,
  );
  let completed = false;
  for (const end = performance.now() + 20_000; !completed && performance.now() < end;) {
    completed = (await ampoule.execute(PING)).output.status === 'completed';
  }
  expect(completed).toBe(true);
  const leak = await ampoule.result('import { leak } from "servers/remote"; return await leak({});');
  expect(leak).toEqual({ got: 'Bearer ***' });
  using store = openLogins({ directory: cache });
  const { accessToken, refreshToken = '' } = store.read('remote')?.login ?? { accessToken: '' };
  expect(site.seen).toContain(`Bearer ${accessToken}`);
  for (const secret of [accessToken, refreshToken]) {
    expect(secret.length).toBeGreaterThan(20);
    expect(`${stdout}${stderr}${ampoule.stderr}${ampoule.stdout}`).not.toContain(secret);
    expect(await filesWith(secret)).toEqual([]);
    expect(await environmentsWith(secret)).toEqual([]);
  }
});

test('what a client sends to Ampoule is not passed to a server', async () => {
  const before = site.headers.length;
  const send = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(ampoule.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...ours, ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
    });
  const ours = { authorization: 'Bearer token-of-our-client', cookie: 'session=token-of-our-client', 'x-api-key': 'token-of-our-client' };
  const clientInfo = { name: 'test', version: '1' };
  const hello = await send({ method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } });
  const session = { 'mcp-session-id': hello.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': '2025-11-25' };
  await hello.text();
  const call = {
    method: 'tools/call',
    params: { name: 'execute_code', arguments: { code: PING }, _meta: { authorization: 'token-of-our-client' } },
  };
  expect(await (await send(call, session)).text()).toContain('pong');
  expect(site.headers.length).toBeGreaterThan(before);
  expect(JSON.stringify(site.headers)).not.toContain('token-of-our-client');
});

test('the list shows logins without their tokens, and logout ends them on both sides', async () => {
  await playLogin();
  const [login, ...more] = await list();
  expect(more).toEqual([]);
  expect(login).toMatchObject({
    server: 'remote',
    origin: site.origin,
    issuer: provider.issuer,
    scopes: expect.stringContaining('read'),
    state: 'good',
  });
  const table = await cli(['login', '--list', '--config', config]);
  expect(table.stdout).toMatch(/^SERVER +AT +ISSUER +SCOPES +TOKEN UNTIL +STATE\nremote +http/);
  using store = openLogins({ directory: cache });
  const { accessToken, refreshToken = '' } = store.read('remote')?.login ?? { accessToken: '' };
  expect(`${JSON.stringify(login)}${table.stdout}`).not.toContain(accessToken);
  expect(await cli(['logout', 'remote', '--config', config])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('its tokens are revoked'),
  });
  expect(await provider.provider.RefreshToken.find(refreshToken)).toBeUndefined();
  expect(await list()).toEqual([]);
  expect(await cli(['logout', 'remote', '--config', config])).toMatchObject({ code: 2, stderr: expect.stringContaining('ERR_CLI_USAGE') });
});

test('opens a browser without a shell, with the URL as one argument', async () => {
  const bin = join(folder.path, 'bin');
  await mkdir(bin, { recursive: true });
  const out = join(folder.path, 'opened');
  await writeFile(join(bin, 'xdg-open'), `#!/bin/sh\nprintf '%s\\n' "$#" "$@" > '${out}'\n`);
  await chmod(join(bin, 'xdg-open'), 0o755);
  const result = await playLogin({ args: [], env: { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` }, paste: () => undefined });
  expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('Logged in to remote') });
  expect(await readFile(out, 'utf8')).toBe(`1\n${result.url}\n`);
});

test('without any browser the URL is there all the same', async () => {
  const nowhere = join(folder.path, 'nowhere');
  expect(await playLogin({ args: [], env: { PATH: nowhere }, paste: () => undefined })).toMatchObject({ code: 0 });
});

test('a pasted address that is not the one is refused, with a code and without its text', async () => {
  const wrong = await playLogin({ paste: (address) => address.replace(/state=[^&]*/, 'state=very-secret') });
  expect(wrong).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('ERR_UPSTREAM_LOGIN_FAILED') });
  expect(wrong.stderr).not.toContain('very-secret');
  const pasted = ['https://evil.example.com/?code=very-secret', 'no address'];
  expect((await Promise.all(pasted.map((line) => playLogin({ paste: () => line })))).map(({ code }) => code)).toEqual([1, 1]);
});

test('who pastes something else first is asked again', async () => {
  const second = await playLogin({ paste: (address) => `https://evil.example.com/?code=x\n\n  ${address}  ` });
  expect(second).toMatchObject({ code: 0, stderr: expect.stringContaining('That is not the address.') });
});

test('what is asked for in a wrong way is a usage error', async () => {
  const wrong: [string[], string][] = [
    [['login'], 'Name the server'],
    [['login', 'remot'], 'Did you mean "remote"?'],
    [['login', 'local'], 'child process'],
    [['login', 'fixed'], 'Authorization header'],
    [['login', '__proto__'], 'There is no server'],
    [['login', 'remote', '--timeout', '0'], '--timeout'],
    [['login', 'remote', '--list'], 'no server to name'],
    [['logout', 'nobody'], 'There is no login'],
  ];
  const results = await Promise.all(
    wrong.map(([args], at) => (at === 0 ? cli([...args, '--config', config]) : inProcess(addLoginCommands, folder.path, config, args))),
  );
  for (const [at, { code, stdout, stderr }] of results.entries()) {
    expect([wrong[at]?.[0], code, stdout]).toEqual([wrong[at]?.[0], 2, '']);
    expect(stderr).toContain('ERR_CLI_USAGE');
    expect(stderr).toContain(wrong[at]?.[1]);
  }
});

test('a person who does not come is not waited for without end', async () => {
  const { code, stderr } = await cli(['login', 'remote', '--no-browser', '--timeout', '1', '--config', config]);
  expect(code).toBe(1);
  expect(stderr).toContain('nobody logged in within 1 seconds');
});

test('a damaged store is an error with a code', async () => {
  await using other = await temporary();
  const file = await writeConfig(other.path, { mcpServers: { remote: { url: site.url } } });
  await writeFile(join(other.path, 'cache', 'logins.db'), 'no database '.repeat(1_000));
  const commands = [
    ['login', '--list'],
    ['login', 'remote'],
    ['logout', 'remote'],
  ];
  for (const result of await Promise.all(commands.map((args) => inProcess(addLoginCommands, other.path, file, args)))) {
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_UPSTREAM_LOGIN_STORE') });
  }
});

async function filesWith(secret: string): Promise<string[]> {
  const names = await readdir(folder.path, { recursive: true, withFileTypes: true });
  const files = names.filter((name) => name.isFile()).map((name) => join(name.parentPath, name.name));
  const found = await Promise.all(files.map(async (file) => (await readFile(file)).includes(secret)));
  return files.filter((_, index) => found[index]);
}

/** Processes of the server, the executor among them, that were started with the text in arguments or environment. */
async function environmentsWith(secret: string): Promise<number[]> {
  const pids = [ampoule.pid, ampoule.executor()];
  const texts = await Promise.all(
    pids.map(
      async (pid) =>
        `${await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')}${await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')}`,
    ),
  );
  return pids.filter((_, index) => texts[index]?.includes(secret));
}
