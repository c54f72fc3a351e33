import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { mintKey } from '../../src/access/key-format.ts';
import { demandLoopback } from '../../src/server/loopback-only.ts';
import { openAccessFixture } from '../access/access-fixture.ts';
import { startIssuer } from '../access/issuer-fixture.ts';
import { bearer, refused } from './auth-fixture.ts';
import { ADDRESS, startFixture } from './http-fixture.ts';
import { JSON_TYPE, LIST, send } from './raw-http.ts';

describe('wrong keys', () => {
  test('are answered with 429 past the bound, from that address alone, and good ones still get in', async () => {
    let now = 1_000_000;
    using bounded = openAccessFixture({ maxFailures: 5, now: () => now });
    const { key } = bounded.register.create({ name: 'good' });
    const { server } = await startFixture({ auth: bounded.auth, http: ADDRESS });
    const attempt = async (token: string, localAddress = '127.0.0.1'): Promise<number> =>
      (await sendFrom(localAddress, server.url, token)).status;
    for (let round = 0; round < 5; round++) expect(await attempt(mintKey())).toBe(401);
    const over = await sendFrom('127.0.0.1', server.url, mintKey());
    expect(over).toMatchObject({ status: 429, retryAfter: '60' });
    expect(await attempt(key)).toBe(200);
    expect(await attempt(mintKey(), '127.0.0.2')).toBe(401);
    expect(await attempt(key, '127.0.0.2')).toBe(200);
    // To come without any key is how clients begin, and no failure.
    for (let round = 0; round < 10; round++) expect((await send(server.url, 'POST', JSON_TYPE, LIST)).status).toBe(401);
    now += 60_000;
    expect(await attempt(mintKey())).toBe(401);
    expect(bounded.logged.length).toBeLessThan(10);
    await server.close();
  });
});

describe('without authentication', () => {
  test.each(['0.0.0.0', '::', '203.0.113.7', '::ffff:203.0.113.7'])('the address %s is refused before anything listens', async (host) => {
    await expect(startFixture({ http: { ...ADDRESS, host } })).rejects.toMatchObject({
      code: 'ERR_ACCESS_REQUIRED',
      message: `http.host is "${host}", which other machines can reach, and there is no authentication.`,
      details: { hint: expect.stringMatching(/127\.0\.0\.1.*"keys": true/s) },
    });
  });

  test('a name is this machine only when all of its addresses are', async () => {
    const resolve = (...addresses: string[]) => Promise.resolve(addresses.map((address) => ({ address })));
    await demandLoopback('both.example', 'http.host', () => resolve('127.0.0.1', '::1'));
    for (const host of ['::1', '::ffff:127.0.0.1']) await demandLoopback(host, 'http.host');
    await expect(demandLoopback('mixed.example', 'http.host', () => resolve('127.0.0.1', '192.0.2.1'))).rejects.toMatchObject({
      code: 'ERR_ACCESS_REQUIRED',
    });
  });

  test('the field is named in which the address stands', async () => {
    await expect(startFixture({ http: { ...ADDRESS, host: '0.0.0.0' }, hostField: '--http' })).rejects.toThrow('--http is "0.0.0.0"');
  });

  test.each(['127.0.0.1', 'localhost', '127.9.9.9'])('the address %s is this machine', async (host) => {
    const { server } = await startFixture({ http: { ...ADDRESS, host } });
    expect(server.url).toMatch(/^http:/);
    await server.close();
  });

  test('with it, any address is listened on', async () => {
    using some = openAccessFixture();
    const { server } = await startFixture({ http: { ...ADDRESS, host: '127.0.0.2' }, auth: some.auth });
    expect((await send(server.url, 'POST', { ...JSON_TYPE, host: 'localhost' }, LIST)).status).toBe(401);
    await server.close();
  });

  test('with a public URL that is what clients are told, whatever is in its path', async () => {
    const resource = 'https://public.example/tools/(a)*:b/mcp';
    const oauth = { issuer: 'https://a.example', audience: ['x'], scopes: { tools: ['*'] }, requiredScopes: ['agent'], resource };
    using some = openAccessFixture({ oauth: { ...oauth, algorithms: ['ES256'], clockToleranceMs: 0 } });
    const { server } = await startFixture({ auth: some.auth });
    const answer = await send(server.url, 'POST', JSON_TYPE, LIST);
    const at = '/.well-known/oauth-protected-resource/tools/(a)*:b/mcp';
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer realm="ampoule", scope="agent", resource_metadata="https://public.example${at}"`,
    );
    for (const path of [at, '/.well-known/oauth-protected-resource']) {
      const document = await send(new URL(path, server.url).href, 'GET');
      expect(JSON.parse(document.body)).toMatchObject({ resource, scopes_supported: ['agent', 'tools'] });
    }
    await server.close();
  });

  test('with an issuer that is not there tokens are told to come again, and keys work', async () => {
    const oauth = { issuer: 'http://127.0.0.1:9', audience: ['x'], scopes: { tools: ['*'] }, requiredScopes: [], clockToleranceMs: 0 };
    using some = openAccessFixture({ oauth: { ...oauth, algorithms: ['ES256'] } });
    await using issuer = await startIssuer();
    const { server } = await startFixture({ auth: some.auth });
    const answer = await send(server.url, 'POST', { ...JSON_TYPE, ...bearer(await issuer.sign()) }, LIST);
    expect(await refused(answer)).toEqual({ status: 503, code: 'ERR_ACCESS_UNAVAILABLE', challenge: '' });
    expect(answer.headers['retry-after']).toBe('30');
    const { key } = some.register.create({ name: 'laptop' });
    expect((await send(server.url, 'POST', { ...JSON_TYPE, ...bearer(key) }, LIST)).status).toBe(200);
    await server.close();
  });

  test('with keys alone there is no issuer to be found', async () => {
    using some = openAccessFixture();
    const { server } = await startFixture({ auth: some.auth });
    const answer = await send(server.url, 'POST', JSON_TYPE, LIST);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="ampoule"');
    expect((await send(new URL('/.well-known/oauth-protected-resource', server.url).href, 'GET')).status).toBe(404);
    await using issuer = await startIssuer();
    const token = await refused(await send(server.url, 'POST', { ...JSON_TYPE, ...bearer(await issuer.sign()) }, LIST));
    expect(token).toMatchObject({ status: 401, code: 'ERR_ACCESS_INVALID' });
    await server.close();
  });
});

async function sendFrom(localAddress: string, target: string, key: string): Promise<{ status: number; retryAfter: string | undefined }> {
  const headers = { ...JSON_TYPE, accept: 'application/json, text/event-stream', ...bearer(key) };
  const req = request(target, { method: 'POST', headers, localAddress, agent: false });
  req.end(LIST);
  return new Promise((resolve, reject) => {
    req.once('error', reject);
    req.once('response', (res) => {
      res.resume();
      resolve({ status: res.statusCode ?? 0, retryAfter: res.headers['retry-after'] });
    });
  });
}
