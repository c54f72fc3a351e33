import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpServerConfig } from '../../../src/config/schema.ts';
import { listenForCallback } from '../../../src/upstream/login/callback.ts';
import { createGuardedFetch } from '../../../src/upstream/guarded-fetch.ts';
import { logIn, type LogInOptions } from '../../../src/upstream/login/log-in.ts';
import { openOAuth } from '../../../src/upstream/login/logins.ts';
import { createNetworkRules } from '../../../src/upstream/network-rules.ts';
import { remote } from '../harness.ts';
import { failure, person, tryLogin } from './play.ts';
import { browse, listen, startProtected, startProvider, type AuthorizationSite, type ProtectedSite } from './site.ts';

let provider: AuthorizationSite;
let site: ProtectedSite;
let config: HttpServerConfig;
beforeAll(async () => {
  const fixed = {
    redirect_uris: ['http://127.0.0.1/callback'],
    application_type: 'native',
    grant_types: ['authorization_code', 'refresh_token'],
  };
  provider = await startProvider([
    { ...fixed, client_id: 'by-hand', token_endpoint_auth_method: 'none' },
    { ...fixed, client_id: 'with-secret', client_secret: 'kept-secret', token_endpoint_auth_method: 'client_secret_basic' },
  ]);
  site = await startProtected(provider);
  config = remote('http', site.url);
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

describe('a login at a real provider', () => {
  test('registers, asks with PKCE and resource, and gets tokens for this server alone', async () => {
    let asked = new URL('http://x');
    const show: LogInOptions['show'] = async (url, redirectUrl) => browse((asked = url), redirectUrl);
    const login = await tryLogin(config, { show });
    expect(login).toMatchObject({ url: site.url, issuer: provider.issuer, resource: site.url, scope: expect.stringContaining('read') });
    const {
      code_challenge_method: method,
      code_challenge: challenge,
      resource,
      state,
      redirect_uri: redirect,
    } = Object.fromEntries(asked.searchParams);
    expect({ method, resource }).toEqual({ method: 'S256', resource: site.url });
    expect(challenge).toMatch(/^[\w-]{43}$/);
    expect(state).toMatch(/^[\w-]{43}$/);
    expect(redirect).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback\/[\w-]{22}$/);
    const token = await provider.provider.AccessToken.find(login.accessToken);
    expect(token?.aud).toBe(site.url);
  });

  test('takes the answer that the browser brings by itself', async () => {
    const show: LogInOptions['show'] = async (url, redirectUrl) => {
      const response = await fetch(await browse(url, redirectUrl));
      expect(await response.text()).toContain('close this page');
      expect(response.headers.get('content-security-policy')).toBe("default-src 'none'");
      return undefined;
    };
    expect((await tryLogin(config, { show })).accessToken).toMatch(/./);
  });

  test('takes clients that were registered by hand, with a secret and without', async () => {
    const oauth = { grant: 'authorization_code' as const, clientId: 'by-hand' };
    expect(await tryLogin({ ...config, oauth })).toMatchObject({ clientId: 'by-hand' });
    const secret = { ...oauth, clientId: 'with-secret', clientSecret: 'kept-secret', issuer: provider.issuer };
    const login = await tryLogin({ ...config, oauth: secret });
    expect(login).toMatchObject({ clientId: 'with-secret' });
    // It stays in the config.
    expect(JSON.stringify(login)).not.toContain('kept-secret');
    const wrong = failure(tryLogin({ ...config, oauth: { ...secret, clientSecret: 'not-the-secret' } }));
    expect(await wrong).toContain('invalid_client');
    expect(await wrong).not.toContain('not-the-secret');
  });

  test('asks for the scopes of the operator', async () => {
    expect((await tryLogin(config, { scopes: ['read', 'write'] })).scope).toBe('read write');
    expect((await tryLogin({ ...config, oauth: { grant: 'authorization_code', scopes: ['write'] } })).scope).toBe('write');
  });

  test('says so when the person says no, or does nothing', async () => {
    const no: LogInOptions['show'] = async (url, redirectUrl) =>
      `${redirectUrl}?error=access_denied&error_description=secret-text&state=${url.searchParams.get('state')}&iss=${encodeURIComponent(provider.issuer)}`;
    expect(await failure(tryLogin(config, { show: no }))).toBe('ERR_UPSTREAM_LOGIN_FAILED the authorization server said access_denied.');
    const nothing: LogInOptions['show'] = async () => undefined;
    expect(await failure(tryLogin(config, { show: nothing, timeoutMs: 50 }))).toContain('nobody logged in');
  });
});

test('a person who gives up does not wait for a server that is silent', async () => {
  await using silent = await listen(() => undefined);
  const silentConfig = remote('http', `${silent.origin}/mcp`);
  const oauth = openOAuth(silentConfig);
  const direct = createGuardedFetch({ rules: createNetworkRules(silentConfig, 'server'), quietMs: 5_000 });
  const given = { server: 'remote', before: undefined, show: person, timeoutMs: 5_000 };
  const began = performance.now();
  const reason = new Error('gave up');
  const login = logIn({ ...given, config: silentConfig, oauthFetch: oauth.fetch, serverFetch: direct.fetch }, abortedIn(50, reason));
  await expect(login).rejects.toBe(reason);
  expect(performance.now() - began).toBeLessThan(3_000);
  await Promise.all([oauth.close(), direct.close()]);
});

function abortedIn(ms: number, reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), ms);
  return controller.signal;
}

describe('an answer that is not the one to our question', () => {
  test.each([
    ['another state', (url: URL) => url.searchParams.set('state', 'x'.repeat(43)), 'state'],
    ['no state', (url: URL) => url.searchParams.delete('state'), 'state'],
    ['two states', (url: URL) => url.searchParams.append('state', 'x'), 'state'],
    ['the issuer of another server', (url: URL) => url.searchParams.set('iss', 'https://evil.example.com'), 'iss'],
    ['no issuer though the server says that there is one', (url: URL) => url.searchParams.delete('iss'), 'iss'],
    ['no code', (url: URL) => url.searchParams.delete('code'), 'no code'],
    ['two codes', (url: URL) => url.searchParams.append('code', 'x'), 'no code'],
    ['another path', (url: URL) => void (url.pathname = '/else'), 'begins with'],
    ['a code of another login', (url: URL) => url.searchParams.set('code', 'x'.repeat(43)), 'invalid_grant'],
  ])('%s ends the login', async (_what, change, expected) => {
    const show: LogInOptions['show'] = async (url, redirectUrl) => {
      const answer = new URL(await browse(url, redirectUrl));
      change(answer);
      return answer.href;
    };
    expect(await failure(tryLogin(config, { show }))).toContain(expected);
  });

  test('a request of another host, path or method is none', async () => {
    const show: LogInOptions['show'] = async (url, redirectUrl) => {
      const answer = await browse(url, redirectUrl);
      const { port } = new URL(redirectUrl);
      const tried = [fetch(`http://localhost:${port}${new URL(redirectUrl).pathname}?state=x`), fetch(`http://127.0.0.1:${port}/?state=x`)];
      tried.push(fetch(redirectUrl, { method: 'POST' }), fetch(`http://127.0.0.1:${port}/callback?code=x&state=x`));
      const statuses = (await Promise.allSettled(tried)).map((one) => (one.status === 'fulfilled' ? one.value.status : 404));
      expect(statuses).toEqual([404, 404, 404, 404]);
      expect((await fetch(answer)).status).toBe(200);
      return undefined;
    };
    expect((await tryLogin(config, { show })).accessToken).toMatch(/./);
  });

  test('from anybody else who finds the address is passed over: the browser still comes back', async () => {
    const fixed = { ...config, oauth: { grant: 'authorization_code' as const, clientId: 'by-hand' } };
    const show: LogInOptions['show'] = async (url, redirectUrl) => {
      const answer = await browse(url, redirectUrl);
      const strangers = ['', '?code=x', '?code=x&state=x', '?error=access_denied', `?state=${'x'.repeat(43)}`];
      const statuses = await Promise.all(strangers.map(async (query) => (await fetch(redirectUrl + query)).status));
      expect(statuses).toEqual([404, 404, 404, 404, 404]);
      expect((await fetch(answer)).status).toBe(200);
      return undefined;
    };
    expect((await tryLogin(fixed, { show })).accessToken).toMatch(/./);
  });

  test('after the first request there is no other, but a browser may ask for its page again', async () => {
    await using callback = await listenForCallback({ port: 0, fixedPath: false, state: 's' });
    const statuses: number[] = [];
    for (const code of ['a', 'b', 'a']) statuses.push((await fetch(`${callback.redirectUrl}?code=${code}&state=s`)).status);
    expect(statuses).toEqual([200, 404, 200]);
    expect((await callback.answered).get('code')).toBe('a');
    const { port } = new URL(callback.redirectUrl);
    await expect(listenForCallback({ port: Number(port), fixedPath: true, state: 's' })).rejects.toMatchObject({
      code: 'ERR_UPSTREAM_LOGIN_FAILED',
    });
  });
});
