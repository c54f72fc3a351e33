import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServerConfig } from '../../../src/config/schema.ts';
import type { CallAnswer } from '../../../src/upstream/call.ts';
import { openLogins, type LoginStore } from '../../../src/upstream/login/login-store.ts';
import type { Login } from '../../../src/upstream/login/record.ts';
import type { Upstreams } from '../../../src/upstream/upstreams.ts';
import { temporary } from '../../e2e/harness.ts';
import { connect, never, RecordedLog, remote, server, until } from '../harness.ts';
import { tryLogin } from './play.ts';
import { startProtected, startProvider, type AuthorizationSite, type ProtectedSite } from './site.ts';

const folder = await temporary();
let provider: AuthorizationSite;
let site: ProtectedSite;
let config: HttpServerConfig;
beforeAll(async () => {
  provider = await startProvider([
    { client_id: 'robot', client_secret: 'robot-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
  ]);
  site = await startProtected(provider);
  config = remote('http', site.url);
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

let directory = '';
let count = 0;
let log: RecordedLog;
beforeEach(() => {
  directory = join(folder.path, String(count++));
  log = new RecordedLog();
  provider.accessSeconds = 3_600;
  provider.instead = undefined;
  provider.grants.length = 0;
  site.refuses = false;
  site.scopes = [];
  site.seen.length = 0;
});

function withStore<T>(work: (store: LoginStore) => T): T {
  using store = openLogins({ directory });
  return work(store);
}

async function loggedIn(changes: Partial<Login> = {}): Promise<Login> {
  const login = { ...(await tryLogin(config)), ...changes };
  withStore((store) => store.write('remote', login));
  provider.grants.length = 0;
  return login;
}

async function connected(more: Partial<HttpServerConfig> = {}): Promise<Upstreams> {
  const upstreams = connect({ remote: { ...config, ...more } }, { log, logins: { directory } });
  await upstreams.settled();
  return upstreams;
}

function call(upstreams: Upstreams, tool = 'ping', args: Record<string, unknown> = {}): Promise<CallAnswer> {
  return upstreams.call({ server: 'remote', tool, arguments: args }, never());
}

const PONG = { ok: true, value: '"pong"' };
const LOGIN_ERROR = { ok: false, error: { code: 'ERR_UPSTREAM_LOGIN' } };

/** A login whose access token is over. */
const OVER = { obtainedAt: Date.now() - 7_200_000, expiresAt: Date.now() - 3_600_000 };

describe('a server that asks for a login', () => {
  test('says so in the catalog and to programs, and works within seconds of a login', async () => {
    const upstreams = await connected();
    expect(server(upstreams, 'remote')).toMatchObject({ state: 'login', tools: [] });
    expect(server(upstreams, 'remote').reason).toContain('run "ampoule login remote"');
    expect(await call(upstreams)).toMatchObject(LOGIN_ERROR);
    await loggedIn();
    await until(() => server(upstreams, 'remote').state === 'ready', 5_000);
    expect(await call(upstreams)).toEqual(PONG);
  });

  test('is called with the token, and with nothing else of the operator', async () => {
    const { accessToken } = await loggedIn();
    const upstreams = await connected({ headers: { 'X-Team': 'blue' } });
    expect(await call(upstreams)).toEqual(PONG);
    expect(new Set(site.seen.slice(1))).toEqual(new Set([`Bearer ${accessToken}`]));
    expect(site.headers.at(-1)).toMatchObject({ 'x-team': 'blue' });
    expect(provider.grants).toEqual([]);
  });

  test('says so over the older transport too, before a login and after one that is over', async () => {
    const old = { remote: { ...config, type: 'sse' as const } };
    const asked = connect(old, { log, logins: { directory } });
    await asked.settled();
    expect(server(asked, 'remote')).toMatchObject({ state: 'login' });
    await loggedIn({ accessToken: 'ended', ended: 'the authorization server said invalid_grant' });
    const over = connect(old, { log, logins: { directory } });
    await over.settled();
    expect(server(over, 'remote')).toMatchObject({ state: 'login', reason: expect.stringContaining('invalid_grant') });
    const { accessToken } = await loggedIn();
    await connect(old, { log, logins: { directory } }).settled();
    expect(site.seen.at(-1)).toBe(`Bearer ${accessToken}`);
  });

  test('is not called with a login for another URL, issuer or client', async () => {
    const login = await loggedIn();
    const changed: Partial<Login>[] = [{ url: `${site.origin}/other` }, { url: 'https://elsewhere.example.com/mcp' }];
    for (const change of changed) {
      withStore((store) => store.write('remote', { ...login, ...change }));
      expect(server(await connected(), 'remote').state).toBe('login');
    }
    withStore((store) => store.write('remote', login));
    const issuer = 'https://other.example.com';
    expect(server(await connected({ oauth: { grant: 'authorization_code', issuer } }), 'remote').state).toBe('login');
    expect(server(await connected({ oauth: { grant: 'authorization_code', clientId: 'other' } }), 'remote').state).toBe('login');
    expect(site.seen.every((header) => header === undefined)).toBe(true);
  });

  test('a logout is noticed by a server that runs', async () => {
    await loggedIn();
    const upstreams = await connected();
    expect(await call(upstreams)).toEqual(PONG);
    withStore((store) => store.remove('remote'));
    const end = performance.now() + 4_000;
    let answer = await call(upstreams);
    while (answer.ok && performance.now() < end) answer = await call(upstreams);
    expect(answer).toMatchObject(LOGIN_ERROR);
    await until(() => server(upstreams, 'remote').state === 'login', 5_000);
  });

  test('another database in the place of the old one is noticed', async () => {
    withStore((store) => store.remove('remote'));
    const upstreams = await connected();
    expect(server(upstreams, 'remote').state).toBe('login');
    await rm(directory, { recursive: true });
    await loggedIn();
    await until(() => server(upstreams, 'remote').state === 'ready', 5_000);
  });
});

describe('a token that is over', () => {
  test('is refreshed once for twenty calls at the same time, and the rotated token is stored', async () => {
    const before = await loggedIn(OVER);
    const upstreams = await connected();
    expect(await Promise.all(Array.from({ length: 20 }, () => call(upstreams)))).toEqual(Array.from({ length: 20 }, () => PONG));
    expect(provider.grants).toEqual(['refresh_token ok']);
    const after = withStore((store) => store.read('remote')?.login);
    expect(after?.refreshToken).not.toBe(before.refreshToken);
    expect(after?.accessToken).not.toBe(before.accessToken);
    expect(after?.resource).toBe(site.url);
  });

  test('is refreshed once for twenty calls that the server refuses, though nobody knew that it is over', async () => {
    const { accessToken } = await loggedIn();
    const upstreams = await connected();
    await (await provider.provider.AccessToken.find(accessToken))?.destroy();
    expect(await Promise.all(Array.from({ length: 20 }, () => call(upstreams)))).toEqual(Array.from({ length: 20 }, () => PONG));
    expect(provider.grants).toEqual(['refresh_token ok']);
  });

  test('is refreshed once by two processes that share the store', async () => {
    await loggedIn(OVER);
    const script = fileURLToPath(new URL('call-often.ts', import.meta.url));
    const children = [0, 1, 2].map(() =>
      spawn(process.execPath, [script, site.url, directory], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 }),
    );
    const outputs = await Promise.all(children.map((child) => text(child.stdout)));
    expect(outputs.map((output) => JSON.parse(output))).toEqual(children.map(() => Array.from({ length: 10 }, () => PONG)));
    expect(provider.grants).toEqual(['refresh_token ok']);
  });

  test('ends the login when the refresh token is refused: catalog, programs, every process and the store know', async () => {
    await loggedIn({ ...OVER, refreshToken: 'never-given-out' });
    const upstreams = await connected();
    expect(server(upstreams, 'remote')).toMatchObject({ state: 'login' });
    expect(server(upstreams, 'remote').reason).toContain('invalid_grant');
    expect(await call(upstreams)).toMatchObject(LOGIN_ERROR);
    expect(provider.grants).toHaveLength(1);
    const kept = withStore((store) => store.read('remote')?.login);
    expect(kept).toMatchObject({ ended: expect.stringContaining('invalid_grant'), accessToken: 'ended' });
    expect(JSON.stringify(kept)).not.toContain('never-given-out');
    await connected();
    expect(provider.grants).toHaveLength(1);
  });

  test('is used on while it lasts when the authorization server is down, and the refresh is tried again later', async () => {
    const soon = { obtainedAt: Date.now() - 3_600_000, expiresAt: Date.now() + 30_000 };
    await loggedIn(soon);
    provider.instead = (_request, response) => (response.writeHead(503).end('down for now: the-body'), true);
    const upstreams = await connected();
    expect(await call(upstreams)).toEqual(PONG);
    provider.instead = undefined;
    withStore((store) => expect(store.read('remote')?.login.ended).toBeUndefined());
  });

  test('is not known to be refused for ever while the authorization server is down', async () => {
    await loggedIn(OVER);
    provider.instead = (_request, response) => (response.writeHead(503).end('down: the-body'), true);
    const upstreams = await connected();
    expect(server(upstreams, 'remote')).toMatchObject({ state: 'retrying' });
    expect(JSON.stringify([upstreams.catalog(), log.lines])).not.toContain('the-body');
    withStore((store) => expect(store.read('remote')?.login.ended).toBeUndefined());
  });

  test('a server that takes no token at all does not make us refresh again and again', async () => {
    await loggedIn();
    const upstreams = await connected();
    site.refuses = true;
    expect(await call(upstreams)).toMatchObject(LOGIN_ERROR);
    for (let n = 0; n < 10; n++) expect(await call(upstreams)).toMatchObject({ ok: false });
    await until(() => server(upstreams, 'remote').state === 'login', 1_000);
    expect(provider.grants.length).toBeLessThanOrEqual(2);
  });
});

describe('tokens', () => {
  test('do not reach a program when the server tells them, in results and errors', async () => {
    const { accessToken } = await loggedIn();
    const upstreams = await connected();
    const answers = [await call(upstreams, 'leak'), await call(upstreams, 'leak', { fail: true })];
    expect(answers[0]).toEqual({ ok: true, value: '{"got":"Bearer ***"}' });
    expect(answers[1]).toMatchObject({ ok: false, error: { code: 'ERR_CALL_TOOL' } });
    expect(JSON.stringify(answers)).not.toContain(accessToken);
  });

  test('are in no log line and not in the catalog, though the server writes them into it', async () => {
    const { accessToken, refreshToken = '' } = await loggedIn(OVER);
    const upstreams = await connected();
    expect(server(upstreams, 'remote')).toMatchObject({ instructions: 'Your header is Bearer ***.' });
    expect(server(upstreams, 'remote').tools).toContainEqual(expect.objectContaining({ description: 'Called with Bearer ***' }));
    await call(upstreams);
    site.refuses = true;
    await call(upstreams);
    const shown = JSON.stringify([log.lines, upstreams.catalog()]);
    const after = withStore((store) => store.read('remote')?.login);
    for (const secret of [accessToken, refreshToken, after?.accessToken, after?.refreshToken]) expect(shown).not.toContain(secret);
    expect(log.lines.length).toBeGreaterThan(0);
  });

  test('that lack a scope are said to, with the scope', async () => {
    await loggedIn();
    const upstreams = await connected();
    site.scopes = ['write'];
    const answer = await call(upstreams);
    expect(answer).toMatchObject(LOGIN_ERROR);
    expect(JSON.stringify(answer)).toContain("ampoule login remote --scope 'write'");
  });

  test('that lack a scope of a form that a shell could read are said to without it', async () => {
    await loggedIn();
    const upstreams = await connected();
    site.scopes = ["x';reboot;'"];
    const answer = await call(upstreams);
    expect(answer).toMatchObject(LOGIN_ERROR);
    expect(JSON.stringify(answer)).not.toContain('reboot');
  });

  test('of client credentials are got without a person, once, and never stored', async () => {
    const oauth = { grant: 'client_credentials' as const, clientId: 'robot', clientSecret: 'robot-secret', issuer: provider.issuer };
    const upstreams = await connected({ oauth });
    expect(await Promise.all(Array.from({ length: 5 }, () => call(upstreams)))).toEqual(Array.from({ length: 5 }, () => PONG));
    expect(provider.grants).toEqual(['client_credentials ok']);
    const wrong = await connected({ oauth: { ...oauth, clientSecret: 'not-the-secret' } });
    expect(server(wrong, 'remote')).toMatchObject({ state: 'retrying', reason: expect.stringContaining('invalid_client') });
    expect(JSON.stringify([log.lines, wrong.catalog()])).not.toContain('not-the-secret');
  });
});

describe('a store that cannot be used', () => {
  test('is a state of the server and no crash, and a login with the right key mends it', async () => {
    await loggedIn();
    const upstreams = connect({ remote: config }, { log, logins: { directory, secret: 'another secret of the operator' } });
    await upstreams.settled();
    expect(server(upstreams, 'remote')).toMatchObject({ state: 'login', reason: expect.stringContaining('ERR_UPSTREAM_LOGIN_STORE') });
    expect(await call(upstreams)).toMatchObject(LOGIN_ERROR);
  });
});
