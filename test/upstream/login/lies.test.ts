import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HttpServerConfig } from '../../../src/config/schema.ts';
import type { LogInOptions } from '../../../src/upstream/login/log-in.ts';
import { createOAuthFetch } from '../../../src/upstream/login/oauth-fetch.ts';
import type { Login } from '../../../src/upstream/login/record.ts';
import { remote } from '../harness.ts';
import { failure, tryLogin } from './play.ts';
import { json, listen, type Site } from './site.ts';

describe('a server that lies', () => {
  let mcp: Site;
  let auth: Site;
  let resource: Record<string, unknown> = {};
  let metadata: Record<string, unknown> = {};
  let seen: string[] = [];
  let instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  beforeAll(async () => {
    mcp = await listen((request, response) => {
      seen.push(`mcp ${request.url}`);
      if (instead?.(request, response) === true) return;
      if (request.url === '/.well-known/oauth-protected-resource/mcp') json(response, resource);
      else response.writeHead(request.url === '/mcp' ? 401 : 404).end();
    });
    auth = await listen((request, response) => {
      seen.push(`auth ${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
      if (instead?.(request, response) === true) return;
      if (request.url === '/.well-known/oauth-authorization-server') json(response, metadata);
      else if (request.url === '/register') json(response, { client_id: 'registered', redirect_uris: ['http://127.0.0.1/x'] }, 201);
      else if (request.url === '/token') json(response, { access_token: 'the-token', token_type: 'Bearer', expires_in: 60 });
      else response.writeHead(404).end();
    });
  });
  afterAll(async () => {
    await mcp[Symbol.asyncDispose]();
    await auth[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    seen = [];
    instead = undefined;
    resource = { resource: `${mcp.origin}/mcp`, authorization_servers: [auth.origin] };
    metadata = {
      issuer: auth.origin,
      authorization_endpoint: `${auth.origin}/authorize`,
      token_endpoint: `${auth.origin}/token`,
      registration_endpoint: `${auth.origin}/register`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    };
  });

  const answer: LogInOptions['show'] = async (url, redirectUrl) => `${redirectUrl}?code=c&state=${url.searchParams.get('state')}`;
  const attempt = (more: Partial<LogInOptions> = {}, given: Partial<HttpServerConfig> = {}): Promise<Login> =>
    tryLogin(remote('http', `${mcp.origin}/mcp`, given), { show: answer, ...more });

  test('is found out in none of what follows when it does not lie', async () => {
    expect(await attempt()).toMatchObject({ issuer: auth.origin, accessToken: 'the-token', clientId: 'registered' });
  });

  test.each<[string, () => void, string]>([
    ['metadata of a foreign issuer', () => void (metadata['issuer'] = 'https://accounts.example.com'), 'another issuer'],
    ['an issuer with another path', () => void (metadata['issuer'] = `${auth.origin}/tenant`), 'another issuer'],
    ['no PKCE', () => void delete metadata['code_challenge_methods_supported'], 'PKCE'],
    ['PKCE with plain alone', () => void (metadata['code_challenge_methods_supported'] = ['plain']), 'PKCE'],
    ['a resource of somebody else', () => void (resource['resource'] = 'https://bank.example.com/mcp'), 'another server'],
    ['a resource below its own URL', () => void (resource['resource'] = `${mcp.origin}/mcp/deeper`), 'another server'],
    ['no metadata of an authorization server', () => void (resource['authorization_servers'] = [mcp.origin]), 'no metadata'],
    ['a token endpoint over plain http', () => void (metadata['token_endpoint'] = 'http://auth.example.com/token'), 'https only'],
    [
      'an authorization endpoint over plain http',
      () => void (metadata['authorization_endpoint'] = 'http://auth.example.com/a'),
      'https only',
    ],
    ['a registration endpoint over plain http', () => void (metadata['registration_endpoint'] = 'http://10.0.0.1/r'), 'https only'],
    ['a javascript: authorization endpoint', () => void (metadata['authorization_endpoint'] = 'javascript:alert(1)'), 'cannot be used'],
    ['a file: authorization endpoint', () => void (metadata['authorization_endpoint'] = 'file:///etc/passwd'), 'https only'],
    ['a data: token endpoint', () => void (metadata['token_endpoint'] = 'data:application/json,{}'), 'cannot be used'],
    [
      'a browser sent to a private address',
      () => void (metadata['authorization_endpoint'] = 'https://192.168.1.1/reboot'),
      'private address',
    ],
    [
      'a browser sent to the address of clouds',
      () => void (metadata['authorization_endpoint'] = 'https://169.254.169.254/'),
      'an address of no server',
    ],
    [
      'a password in the authorization endpoint',
      () => void (metadata['authorization_endpoint'] = 'https://u:p@auth.example.com/'),
      'not a URL for a browser',
    ],
    ['a token endpoint at a private address', () => void (metadata['token_endpoint'] = 'https://10.1.2.3/token'), 'private address'],
    [
      'a token endpoint at the address of clouds',
      () => void (metadata['token_endpoint'] = 'https://169.254.169.254/'),
      'an address of no server',
    ],
    ['registration at a private address', () => void (metadata['registration_endpoint'] = 'https://[fd00::1]/'), 'private address'],
    [
      'an authorization server at a private address',
      () => void (resource['authorization_servers'] = ['https://10.1.2.3']),
      'private address',
    ],
    ['an authorization server of another scheme', () => void (resource['authorization_servers'] = ['file:///etc']), 'https only'],
    ['no registration', () => void delete metadata['registration_endpoint'], 'set oauth.clientId'],
    ['no code flow', () => void (metadata['response_types_supported'] = ['token']), 'cannot be used'],
  ])('%s ends the login', async (_what, lie, expected) => {
    lie();
    expect(await failure(attempt())).toContain(expected);
  });

  test('a metadata URL of its challenge that leads inside is refused, and nothing is asked there', async () => {
    for (const url of [
      'http://169.254.169.254/latest/meta-data',
      'https://10.0.0.1/',
      'file:///etc/passwd',
      'https://[::ffff:169.254.169.254]/',
    ]) {
      instead = (request, response) => {
        if (request.url !== '/mcp') return false;
        response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${url}"` }).end();
        return true;
      };
      expect(await failure(attempt())).toMatch(/^ERR_UPSTREAM_ADDRESS/);
    }
  });

  test('a redirect of a document or an endpoint to elsewhere is not followed', async () => {
    for (const path of [
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-authorization-server',
      '/token',
      '/register',
      '/mcp',
    ]) {
      for (const location of ['http://169.254.169.254/', `${auth.origin}/elsewhere`, 'file:///etc/passwd']) {
        const before = seen.length;
        instead = (request, response) => request.url === path && (response.writeHead(307, { location }).end(), true);
        const outcome = await attempt().then(
          () => 'done',
          (error: unknown) => String(error),
        );
        // The server itself may answer as it likes: its metadata is what counts.
        expect([path, location, outcome === 'done']).toEqual([path, location, path === '/mcp']);
        expect(seen.length).toBeGreaterThan(before);
      }
    }
  });

  test('an endless circle of redirects ends', async () => {
    instead = (request, response) =>
      request.url?.startsWith('/.well-known/oauth-auth') === true && (response.writeHead(302, { location: request.url }).end(), true);
    expect(await failure(attempt())).toMatch(/^ERR_UPSTREAM_LOGIN_FAILED/);
    expect(seen.length).toBeLessThan(40);
  });

  test.each(['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-authorization-server', '/register', '/token'])(
    'a document without end at %s is not read to its end',
    async (path) => {
      let written = 0;
      instead = (request, response) => {
        if (request.url !== path) return false;
        response.writeHead(200, { 'content-type': 'application/json' });
        const more = (): void => {
          while (!response.destroyed && written < 50_000_000 && response.write('['.repeat(65_536))) written += 65_536;
          response.once('drain', more);
        };
        more();
        return true;
      };
      expect(await failure(attempt())).toContain('more than 262144 bytes');
      expect(written).toBeLessThan(10_000_000);
    },
  );

  test('tokens that no header can hold, that are too long, or of another type are no tokens', async () => {
    const wrong = [
      { access_token: 'a\r\nX-Evil: 1', token_type: 'Bearer' },
      { access_token: 'x'.repeat(20_000), token_type: 'Bearer' },
      { access_token: '', token_type: 'Bearer' },
      { access_token: 'very-secret', token_type: 'mac' },
      { access_token: 'very-secret', token_type: 'Bearer', refresh_token: 'ü' },
      { error: 'very-secret', error_description: 'very-secret' },
      ['very-secret'],
      'very-secret',
    ];
    for (const body of wrong) {
      instead = (request, response) => request.url === '/token' && (json(response, body), true);
      const message = await failure(attempt());
      expect(message).toMatch(/^ERR_UPSTREAM_LOGIN_FAILED/);
      expect(message).not.toMatch(/very-secret|Evil|xxx/);
    }
  });

  test('an issuer of its own in the token answer, and numbers without sense, change nothing', async () => {
    instead = (request, response) =>
      request.url === '/token' &&
      (json(response, { access_token: 't', token_type: 'bearer', issuer: 'https://evil.example.com', expires_in: -5 }), true);
    const login = await attempt();
    expect(login.issuer).toBe(auth.origin);
    expect(login.expiresAt).toBeUndefined();
  });

  test('a mix-up of two servers is found out: the code goes to neither', async () => {
    metadata['authorization_response_iss_parameter_supported'] = true;
    const mixed: LogInOptions['show'] = async (url, redirectUrl) =>
      `${redirectUrl}?code=honest-code&state=${url.searchParams.get('state')}&iss=${encodeURIComponent('https://honest.example.com')}`;
    expect(await failure(attempt({ show: mixed }))).toContain('mixing up');
    expect(seen.filter((line) => line.includes('/token'))).toEqual([]);
  });

  test('an issuer other than the configured one or the one before gets nothing', async () => {
    const oauth = { grant: 'authorization_code' as const, issuer: 'https://auth.example.com' };
    expect(await failure(attempt({}, { oauth }))).toContain('oauth.issuer');
    const before = { ...(await attempt()), issuer: 'https://before.example.com' };
    expect(await failure(attempt({ before }))).toContain('ampoule logout remote');
    expect((await attempt({ before: { ...before, url: 'https://other.example.com/' } })).issuer).toBe(auth.origin);
  });

  test('the headers of the operator go to the server and nowhere else', async () => {
    await attempt({}, { headers: { 'X-Api-Key': 'operator-key' } });
    expect(seen.filter((line) => line.startsWith('auth ')).length).toBeGreaterThan(2);
    expect(seen.filter((line) => line.startsWith('auth ') && line.includes('operator-key'))).toEqual([]);
  });

  test('an issuer that would move the cursor of a terminal is refused', async () => {
    resource['authorization_servers'] = [`${auth.origin}/\u001b[2J`];
    expect(await failure(attempt())).not.toContain('\u001b');
    resource = { resource: `${mcp.origin}/mcp\u202e`, authorization_servers: [auth.origin] };
    expect(await failure(attempt())).not.toContain('\u202e');
  });

  test('a server over plain http is not logged in at, unless it is on this machine', async () => {
    expect(await failure(tryLogin(remote('http', 'http://mcp.example.com/mcp')))).toContain('https only');
    expect(await failure(tryLogin(remote('http', 'http://10.0.0.1/mcp')))).toContain('https only');
  });

  test('the URL of a client metadata document is the client where that is understood, else a client is registered', async () => {
    const oauth = { grant: 'authorization_code' as const, clientId: 'https://operator.example.com/ampoule.json' };
    expect(await attempt({}, { oauth })).toMatchObject({ clientId: 'registered' });
    metadata['client_id_metadata_document_supported'] = true;
    expect(await attempt({}, { oauth })).toMatchObject({ clientId: oauth.clientId });
  });

  test('an error of registration shows nothing of its body', async () => {
    instead = (request, response) => request.url === '/register' && (json(response, { error: 'very-secret' }, 400), true);
    expect(await failure(attempt())).toBe(
      'ERR_UPSTREAM_LOGIN_FAILED the authorization server does not register Ampoule as a client (HTTP 400).',
    );
  });
});

test('a document may have 256 KiB and not a byte more', async () => {
  let bytes = 262_144;
  await using site = await listen((_request, response) => void response.end(Buffer.alloc(bytes, 32)));
  const get = createOAuthFetch({ fetch: (url, init) => fetch(url, init) });
  expect((await (await get(site.origin)).arrayBuffer()).byteLength).toBe(262_144);
  bytes++;
  await expect(get(site.origin)).rejects.toMatchObject({ code: 'ERR_UPSTREAM_LOGIN_FAILED' });
});

test('a slow document ends the login in time', async () => {
  await using slow = await listen((_request, response) => void response.writeHead(200).write('{'));
  const startedAt = performance.now();
  const get = createOAuthFetch({ fetch: (url, init) => fetch(url, init), timeoutMs: 100 });
  await expect(get(slow.origin)).rejects.toMatchObject({ code: 'ERR_UPSTREAM_LOGIN_FAILED', message: expect.stringContaining('100 ms') });
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
