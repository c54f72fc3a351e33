import { connect as connectSocket } from 'node:net';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mintKey } from '../../src/access/key-format.ts';
import type { AccessFixture } from '../access/access-fixture.ts';
import type { TestIssuer } from '../access/issuer-fixture.ts';
import { bearer, refused, startAuthFixture, type AuthFixture } from './auth-fixture.ts';
import { eventually, type HttpFixture } from './http-fixture.ts';
import { JSON_TYPE, LIST, send } from './raw-http.ts';

let own: AuthFixture;
let issuer: TestIssuer;
let access: AccessFixture;
let fixture: HttpFixture;
let url: string;
let alice: string;
let bob: string;
beforeAll(async () => {
  own = await startAuthFixture();
  ({ issuer, access, http: fixture, url, alice, bob } = own);
});
afterAll(() => own[Symbol.asyncDispose]());

describe('a request', () => {
  test.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('gets in with a good key after %j', async (scheme) => {
    expect((await send(url, 'POST', { ...JSON_TYPE, authorization: `${scheme} ${alice}` }, LIST)).status).toBe(200);
  });

  test('gets in with a good token', async () => {
    expect((await send(url, 'POST', { ...JSON_TYPE, ...bearer(await issuer.sign()) }, LIST)).status).toBe(200);
  });

  test.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['another scheme', { authorization: 'Basic YWxpY2U6c2VjcmV0' }],
    ['an empty header', { authorization: '' }],
    ['a key in a header of another name', { 'x-api-key': 'KEY' }],
    ['a key in a cookie', { cookie: 'access_token=KEY' }],
  ])('with %s is answered with 401 and no error', async (_what, headers) => {
    const filled = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('KEY', alice)]));
    const { status, code, challenge } = await refused(await send(url, 'POST', { ...JSON_TYPE, ...filled }, LIST));
    expect({ status, code }).toEqual({ status: 401, code: 'ERR_ACCESS_MISSING' });
    const { port } = new URL(url);
    expect(challenge).toBe(
      `Bearer realm="ampoule", scope="tools tickets", resource_metadata="http://127.0.0.1:${port}/.well-known/oauth-protected-resource/mcp"`,
    );
  });

  test.each<[string, string]>([
    ['a key that nobody has made', mintKey()],
    ['a key with a typing error', 'amp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['a token that is none', 'opaque-token'],
  ])('with %s is answered with 401 and an error', async (_what, token) => {
    const { status, code, challenge } = await refused(await send(url, 'POST', { ...JSON_TYPE, ...bearer(token) }, LIST));
    expect({ status, code }).toEqual({ status: 401, code: 'ERR_ACCESS_INVALID' });
    expect(challenge).toContain('error="invalid_token"');
    expect(challenge).toContain('resource_metadata=');
    expect(challenge).not.toContain(token);
  });

  test('with a token that has not the scopes is answered with 403 and those that it needs', async () => {
    const token = await issuer.sign({ scope: 'profile' });
    const { status, code, challenge } = await refused(await send(url, 'POST', { ...JSON_TYPE, ...bearer(token) }, LIST));
    expect({ status, code }).toEqual({ status: 403, code: 'ERR_ACCESS_SCOPE' });
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="tools tickets"');
    expect(challenge).toContain('resource_metadata=');
  });

  test.each(['?access_token=KEY', '?x=1&access_token=', '?api_key=KEY', '?token=KEY', '?key=KEY', '?x;access_token=KEY'])(
    'with a key in the URL %s is refused, also when the header has a good one',
    async (query) => {
      for (const headers of [{}, bearer(alice)]) {
        const answer = await send(url + query.replace('KEY', alice), 'POST', { ...JSON_TYPE, ...headers }, LIST);
        expect(await refused(answer)).toMatchObject({ status: 400, code: 'ERR_ACCESS_REQUEST' });
        expect(answer.headers['www-authenticate']).toContain('error="invalid_request"');
      }
    },
  );

  test.each<[string, string]>([
    ['two keys in one header', 'Bearer KEY KEY'],
    ['two keys with a comma', 'Bearer KEY, Bearer KEY'],
    ['no key behind the scheme', 'Bearer '],
    ['a quoted key', 'Bearer "KEY"'],
    ['a very long token', `Bearer ${'a'.repeat(9_000)}`],
  ])('with %s is refused', async (_what, authorization) => {
    const headers = { ...JSON_TYPE, authorization: authorization.replaceAll('KEY', alice) };
    expect(await refused(await send(url, 'POST', headers, LIST))).toMatchObject({ status: 400, code: 'ERR_ACCESS_REQUEST' });
  });

  test.each(['GET', 'DELETE', 'PUT', 'OPTIONS', 'HEAD'])('by %s is nobody without a key either', async (method) => {
    expect((await send(url, method)).status).toBe(401);
    expect((await send(url, method, bearer(alice))).status).toBe(405);
  });

  test('is refused before its body is read', async () => {
    const req = request(url, { method: 'POST', headers: { ...JSON_TYPE, 'content-length': '1000000', accept: '*/*' } });
    req.on('error', () => undefined);
    req.write('{');
    const status = await new Promise((resolve) => req.once('response', (res) => resolve(res.statusCode)));
    req.destroy();
    expect(status).toBe(401);
  });

  test('on a connection that a good one came on is judged on its own', async () => {
    const text = await raw(url, [good(alice), good(mintKey()), good(alice)]);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)).toEqual(['200', '401', '200']);
  });
});

describe('what stays open', () => {
  test('the health, which says nothing more', async () => {
    const answer = await send(new URL('/health', url).href, 'GET');
    expect({ status: answer.status, body: JSON.parse(answer.body) as unknown }).toEqual({
      status: 200,
      body: { status: 'ok', version: '9.9.9' },
    });
  });

  test.each(['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'])(
    'the document that says whose tokens are good, at %s',
    async (path) => {
      for (const host of ['127.0.0.1', 'localhost']) {
        const base = new URL(url);
        base.hostname = host;
        const answer = await send(new URL(path, url).href, 'GET', { host: base.host });
        expect(JSON.parse(answer.body)).toEqual({
          resource: base.href,
          authorization_servers: [issuer.url],
          scopes_supported: ['tools', 'tickets'],
          bearer_methods_supported: ['header'],
          resource_name: 'Ampoule',
        });
      }
      expect((await send(new URL(path, url).href, 'GET', { host: 'evil.example' })).status).toBe(403);
      expect((await send(new URL(path, url).href, 'POST', JSON_TYPE, '{}')).status).toBe(405);
    },
  );

  test('nothing else', async () => {
    for (const path of ['/', '/mcp/', '/MCP', '/mcp/x', '//mcp', '/%6dcp', '/.well-known/oauth-authorization-server', '/keys']) {
      const answer = await send(new URL(url).origin + path, 'POST', JSON_TYPE, LIST);
      expect([401, 404]).toContain(answer.status);
    }
  });
});

describe('headers that are made to be read in two ways', () => {
  test.each<[string, string]>([
    ['two Authorization headers, a good one first', 'Authorization: Bearer GOOD\r\nAuthorization: Bearer BAD\r\n'],
    ['two Authorization headers, a good one last', 'Authorization: Bearer BAD\r\nauthorization: Bearer GOOD\r\n'],
    ['the same good key twice', 'Authorization: Bearer GOOD\r\nAuthorization: Bearer GOOD\r\n'],
    ['a space before the colon', 'Authorization : Bearer GOOD\r\n'],
    ['a folded line', 'Authorization: Bearer\r\n GOOD\r\n'],
    ['a bare line feed', 'X-A: b\nAuthorization: Bearer GOOD\n\r\n'],
    ['a NUL', 'Authorization: Bearer GOOD\0\r\n'],
    ['both lengths', 'Authorization: Bearer GOOD\r\nTransfer-Encoding: chunked\r\n'],
  ])('%s: never an answer', async (_what, headers) => {
    const filled = headers.replaceAll('GOOD', alice).replaceAll('BAD', mintKey());
    const text = await raw(url, [message(filled)]);
    expect(text).toMatch(/^HTTP\/1\.1 40[01] /);
    expect(text).not.toContain('execute_code');
  });

  test('an Authorization header in the trailers is none', async () => {
    const body = `${LIST.length.toString(16)}\r\n${LIST}\r\n0\r\nAuthorization: Bearer ${alice}\r\n\r\n`;
    const head = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\nConnection: close\r\n\r\n`;
    expect(await raw(url, [head + body])).toMatch(/^HTTP\/1\.1 401 /);
  });

  test('a second request hidden in the body of the first is not one', async () => {
    const hidden = good(alice);
    const first = `POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${hidden.length}\r\nConnection: close\r\n\r\n${hidden}`;
    const text = await raw(url, [first]);
    expect([...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status)).toEqual(['401']);
  });
});

test('no key and no token is in the log, whatever was wrong with it', async () => {
  const token = await issuer.sign({ aud: 'another' });
  await send(url, 'POST', { ...JSON_TYPE, ...bearer(token) }, LIST);
  const log = [...access.logged, ...fixture.logged].join('\n');
  expect(log).toContain('another audience');
  for (const secret of [alice, bob, token, token.split('.')[1]!]) expect(log).not.toContain(secret);
});

function message(headers: string, body = LIST): string {
  return `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;
}

function good(key: string): string {
  return message(`Authorization: Bearer ${key}\r\n`);
}

/** Everything that comes back for these bytes, until nothing comes for a while. */
async function raw(target: string, messages: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(target);
  const socket = connectSocket(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const count = (): number => [...text.matchAll(/HTTP\/1\.1 \d/g)].length;
  for (const [index, bytes] of messages.entries()) {
    socket.write(bytes);
    await Promise.race([closed, eventually(() => count() > index)]);
  }
  await new Promise((resolve) => setTimeout(resolve, 30));
  socket.destroy();
  return text;
}
