import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { HttpServerConfig } from '../../../src/config/schema.ts';
import { StoredLogin } from '../../../src/upstream/login/live-login.ts';
import { openLogins, type LoginStore } from '../../../src/upstream/login/login-store.ts';
import { openOAuth } from '../../../src/upstream/login/logins.ts';
import type { Login } from '../../../src/upstream/login/record.ts';
import { temporary } from '../../e2e/harness.ts';
import { connect, RecordedLog, remote } from '../harness.ts';
import { tryLogin } from './play.ts';
import { startProtected, startProvider, type AuthorizationSite, type ProtectedSite } from './site.ts';

const folder = await temporary();
const directory = join(folder.path, 'logins');
const log = new RecordedLog();
let provider: AuthorizationSite;
let site: ProtectedSite;
let store: LoginStore;
let config: HttpServerConfig;
beforeAll(async () => {
  provider = await startProvider();
  site = await startProtected(provider);
  config = remote('http', site.url);
  store = openLogins({ directory });
});
afterAll(async () => {
  store.close();
  await site[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => void (provider.instead = undefined));

async function loggedIn(changes: Partial<Login> = {}): Promise<Login> {
  const { login } = store.write('remote', { ...(await tryLogin(config)), ...changes });
  provider.grants.length = 0;
  return login;
}

const OVER = { obtainedAt: Date.now() - 7_200_000, expiresAt: Date.now() - 3_600_000 };

test('a login whose tokens are refused again and again is refreshed once, and then waits', async () => {
  await loggedIn();
  const { fetch, close } = openOAuth(config);
  const login = new StoredLogin({ server: 'remote', config, store: () => store, fetch, closeFetch: close, log });
  await login.rejected(await login.token());
  for (let n = 0; n < 5; n++) await expect(login.rejected(await login.token())).rejects.toMatchObject({ code: 'ERR_UPSTREAM_LOGIN' });
  expect(provider.grants).toEqual(['refresh_token ok']);
  await login.close();
});

test('a refresh that is under way when the server is closed is stored', async () => {
  const before = await loggedIn(OVER);
  const slow = Promise.withResolvers<void>();
  provider.instead = (request) => {
    if (request.url === '/token') slow.resolve();
    return false;
  };
  const upstreams = connect({ remote: config }, { log, logins: { directory } });
  await slow.promise;
  await upstreams.close();
  expect(store.read('remote')?.login.refreshToken).not.toBe(before.refreshToken);
  expect(provider.grants).toEqual(['refresh_token ok']);
});

test('a token is renewed before its end, in the last tenth of a short life', async () => {
  provider.accessSeconds = 3_600;
  const now = Date.now();
  const { fetch, close } = openOAuth(config);
  const cases: [obtainedAt: number, expiresAt: number | undefined, isRenewed: boolean][] = [
    [now - 1_000, now + 3_600_000, false],
    [now - 3_600_000, now + 61_000, false],
    [now - 3_600_000, now + 59_000, true],
    [now - 8_000, now + 2_000, false],
    [now - 9_500, now + 500, true],
    [now - 1_000, undefined, false],
  ];
  for (const [obtainedAt, expiresAt, isRenewed] of cases) {
    const { expiresAt: _end, ...login } = await loggedIn({ obtainedAt });
    store.write('remote', { ...login, ...(expiresAt !== undefined && { expiresAt }) });
    const live = new StoredLogin({ server: 'remote', config, store: () => store, fetch, closeFetch: async () => {}, log });
    const token = await live.token();
    expect([obtainedAt - now, expiresAt && expiresAt - now, token !== login.accessToken]).toEqual([
      obtainedAt - now,
      expiresAt && expiresAt - now,
      isRenewed,
    ]);
  }
  await close();
});

test('tokens that cannot be stored are used from memory, and that is told', async () => {
  const before = await loggedIn(OVER);
  const failing: LoginStore = Object.assign(Object.create(store) as LoginStore, {
    revision: (server: string) => store.revision(server),
    read: (server: string) => store.read(server),
    lease: (...args: Parameters<LoginStore['lease']>) => store.lease(...args),
    giveBack: (...args: Parameters<LoginStore['giveBack']>) => store.giveBack(...args),
    replace: () => {
      throw new Error('the disk is full');
    },
  });
  const { fetch, close } = openOAuth(config);
  const live = new StoredLogin({ server: 'remote', config, store: () => failing, fetch, closeFetch: close, log });
  const token = await live.token();
  expect(token).not.toBe(before.accessToken);
  expect(await live.token()).toBe(token);
  expect(log.lines.join('\n')).toContain('could not be stored');
  expect(log.lines.join('\n')).not.toContain(token);
  await live.close();
});

test('a person who logs in, or out, in the middle of a refresh has the last word', async () => {
  const again = await tryLogin(config);
  for (const last of [again, undefined]) {
    await loggedIn(OVER);
    const { fetch, close } = openOAuth(config);
    const slow: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (last === undefined) store.remove('remote');
      else store.write('remote', last);
      return response;
    };
    const live = new StoredLogin({ server: 'remote', config, store: () => store, fetch: slow, closeFetch: close, log });
    const token = await live.token().catch((error: unknown) => String(error));
    expect(token).toContain(last?.accessToken ?? 'ampoule login remote');
    expect(store.read('remote')?.login).toEqual(last);
    await live.close();
  }
});
