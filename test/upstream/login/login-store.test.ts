import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openLogins, openLoginsIfAny, type LoginStore } from '../../../src/upstream/login/login-store.ts';
import type { Login } from '../../../src/upstream/login/record.ts';
import { temporary } from '../../e2e/harness.ts';

const folder = await temporary();
afterAll(() => folder[Symbol.asyncDispose]());

let directory = '';
let count = 0;
beforeEach(() => void (directory = join(folder.path, String(count++))));

const LOGIN: Login = {
  url: 'https://mcp.example.com/mcp?key=query-secret',
  issuer: 'https://auth.example.com',
  tokenEndpoint: 'https://auth.example.com/token',
  clientId: 'the-client',
  clientSecret: 'the-client-secret',
  accessToken: 'the-access-token',
  refreshToken: 'the-refresh-token',
  obtainedAt: 1,
};
const SECRETS = ['query-secret', 'the-client-secret', 'the-access-token', 'the-refresh-token'];
const STORE_ERROR: unknown = expect.objectContaining({ code: 'ERR_UPSTREAM_LOGIN_STORE' });

function withStore<T>(work: (store: LoginStore) => T, secret?: string): T {
  using store = openLogins({ directory, secret });
  return work(store);
}

describe('the store of logins', () => {
  test('keeps a login, and nothing secret of it can be read in any file, while it is open and after', () => {
    withStore((store) => {
      store.write('remote', LOGIN);
      expect(store.read('remote')?.login).toEqual(LOGIN);
      expectNoSecrets();
    });
    expectNoSecrets();
    expect(withStore((store) => store.read('remote')?.login)).toEqual(LOGIN);
  });

  test('is for its owner alone, key and folder too', () => {
    withStore((store) => store.write('remote', LOGIN));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(directory)) expect([name, statSync(join(directory, name)).mode & 0o077]).toEqual([name, 0]);
    expect(readdirSync(directory).sort()).toEqual(['logins.db', 'logins.key']);
  });

  test('looking makes no store', () => {
    expect(openLoginsIfAny({ directory })).toBeUndefined();
    expect(existsSync(directory)).toBe(false);
  });

  test('a copied database without its key says nothing, and the error has a code', () => {
    withStore((store) => store.write('remote', LOGIN));
    rmSync(join(directory, 'logins.key'));
    withStore((store) => {
      expect(() => store.read('remote')).toThrow(STORE_ERROR);
      expect(() => store.read('remote')).toThrow(/the key is not the one/);
      expect(store.servers()).toEqual(['remote']);
      expect(store.remove('remote')).toBe(true);
    });
  });

  test('a key of the operator needs no file, and another one opens nothing', () => {
    withStore((store) => store.write('remote', LOGIN), 'x'.repeat(32));
    expect(existsSync(join(directory, 'logins.key'))).toBe(false);
    expect(withStore((store) => store.read('remote')?.login, 'x'.repeat(32))).toEqual(LOGIN);
    expect(() => withStore((store) => store.read('remote'), 'y'.repeat(32))).toThrow(STORE_ERROR);
    expect(() => withStore((store) => store.read('remote'))).toThrow(STORE_ERROR);
  });

  test('what is sealed for one server is not a login of another, and no byte of it can be changed', () => {
    withStore((store) => void [store.write('a', LOGIN), store.write('b', { ...LOGIN, accessToken: 'other-token' })]);
    const db = new DatabaseSync(join(directory, 'logins.db'));
    const [a, b] = ['a', 'b'].map((name) => db.prepare('SELECT sealed FROM logins WHERE server = ?').get(name)?.['sealed'] as Uint8Array);
    const put = (server: string, sealed: Uint8Array): unknown =>
      db.prepare('UPDATE logins SET sealed = ? WHERE server = ?').run(sealed, server);
    put('a', b ?? Buffer.of());
    expect(() => withStore((store) => store.read('a'))).toThrow(STORE_ERROR);
    for (const at of [0, 1, 14, 40]) {
      const changed = Buffer.from(a ?? Buffer.of());
      changed[at] = (changed[at] ?? 0) ^ 1;
      put('a', changed);
      expect(() => withStore((store) => store.read('a'))).toThrow(STORE_ERROR);
    }
    for (const length of [0, 1, 20, 28, 29]) {
      put('a', (a ?? Buffer.of()).subarray(0, length));
      expect(() => withStore((store) => store.read('a'))).toThrow(STORE_ERROR);
    }
    put('a', a ?? Buffer.of());
    db.close();
    expect(withStore((store) => store.read('a')?.login)).toEqual(LOGIN);
  });

  test('a damaged file, a folder in its place and a key that others may read are errors with a code', () => {
    withStore((store) => store.write('remote', LOGIN));
    chmodSync(join(directory, 'logins.key'), 0o644);
    expect(() => withStore(() => 0)).toThrow(/chmod 600/);
    chmodSync(join(directory, 'logins.key'), 0o600);
    writeFileSync(join(directory, 'logins.key'), 'short');
    expect(() => withStore(() => 0)).toThrow(STORE_ERROR);
    writeFileSync(join(directory, 'logins.db'), 'no database at all '.repeat(500));
    expect(() => withStore(() => 0)).toThrow(STORE_ERROR);
    expect(() => openLogins({ directory: join(directory, 'logins.db') })).toThrow(STORE_ERROR);
  });

  test('each writing has a higher number than all before, and a lease holds for one owner', () => {
    withStore((store) => {
      const first = store.write('remote', LOGIN).revision;
      store.remove('remote');
      const { revision } = store.write('remote', LOGIN);
      expect(revision).toBeGreaterThan(first);
      expect(store.lease('remote', first, 'a', 1_000)).toBe(false);
      expect(store.lease('remote', revision, 'a', 1_000)).toBe(true);
      expect(store.lease('remote', revision, 'b', 1_000)).toBe(false);
      expect(store.replace('remote', 'b', LOGIN)).toBeUndefined();
      store.giveBack('remote', 'b');
      expect(store.lease('remote', revision, 'b', 1_000)).toBe(false);
      store.giveBack('remote', 'a');
      expect(store.lease('remote', revision, 'b', 1_000)).toBe(true);
      expect(store.replace('remote', 'b', { ...LOGIN, accessToken: 'next' })?.login.accessToken).toBe('next');
      expect(store.revision('remote')).toBeGreaterThan(revision);
    });
  });

  test('a lease that was never given back ends by itself', async () => {
    using store = openLogins({ directory });
    const { revision } = store.write('remote', LOGIN);
    expect(store.lease('remote', revision, 'dead', -1)).toBe(true);
    expect(store.lease('remote', revision, 'next', 1_000)).toBe(true);
  });

  test('says when another file has taken its place', () => {
    withStore((store) => {
      expect(store.isCurrent()).toBe(true);
      renameSync(join(directory, 'logins.db'), join(directory, 'old.db'));
      expect(store.isCurrent()).toBe(false);
    });
  });
});

function expectNoSecrets(): void {
  for (const name of readdirSync(directory)) {
    const bytes = readFileSync(join(directory, name));
    // oxlint-disable-next-line vitest/no-standalone-expect -- called from tests
    for (const secret of SECRETS) expect([name, secret, bytes.includes(secret)]).toEqual([name, secret, false]);
  }
}
