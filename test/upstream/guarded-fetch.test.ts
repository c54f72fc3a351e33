import type { LookupFunction } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { HttpServerConfig } from '../../src/config/schema.ts';
import { createGuardedFetch } from '../../src/upstream/guarded-fetch.ts';
import { createNetworkRules } from '../../src/upstream/network-rules.ts';
import { remote } from './harness.ts';
import { listen, type Site } from './login/site.ts';

let site: Site;
const seen: string[] = [];
beforeAll(async () => {
  site = await listen((request, response) => {
    seen.push(`${request.headers.host} ${request.url}`);
    if (request.url === '/away') response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
    else response.end('hello');
  });
});
afterAll(() => site[Symbol.asyncDispose]());

/** Names of one answer each, in turn; the last one stays. */
function lookupOf(...answers: string[][]): LookupFunction {
  return (_name, options, callback) => {
    const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (options.all === true) callback(null, found);
    else callback(null, found[0]?.address ?? '', found[0]?.family);
  };
}

async function get(url: string, config: HttpServerConfig, lookup?: LookupFunction): Promise<string> {
  const guarded = createGuardedFetch({ rules: createNetworkRules(config, 'server'), quietMs: 2_000, lookup });
  try {
    const response = await guarded.fetch(url);
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  } finally {
    await guarded.close();
  }
}

test('reaches the host that the operator wrote, and no other private one', async () => {
  const { port } = new URL(site.origin);
  expect(await get(site.origin, remote('http', site.origin))).toBe('200 hello');
  expect(await get(`http://localhost:${port}`, remote('http', site.origin))).toBe('ERR_UPSTREAM_ADDRESS');
  for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '017700000001', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', 'localhost']) {
    expect(await get(`http://${host}:${port}`, remote('http', 'https://mcp.example.com/mcp'))).toBe('ERR_UPSTREAM_ADDRESS');
  }
});

test('a name that leads to a private address is refused, and one that leads to both is not connected there', async () => {
  const { port } = new URL(site.origin);
  const url = `http://mcp.example.com:${port}/`;
  const before = seen.length;
  expect(await get(url, remote('http', url), lookupOf(['127.0.0.1']))).toBe('ERR_UPSTREAM_ADDRESS');
  expect(await get(url, remote('http', url), lookupOf(['169.254.169.254', '::1']))).toBe('ERR_UPSTREAM_ADDRESS');
  expect(await get(url, remote('http', url), lookupOf([]))).toBe('ERR_UPSTREAM_ADDRESS');
  expect(seen).toHaveLength(before);
  expect(
    await get(url, remote('http', url, { network: { allowPrivate: true, allow: [] } }), lookupOf(['169.254.169.254', '127.0.0.1'])),
  ).toBe('200 hello');
});

test('a name that leads elsewhere the second time is looked at the second time', async () => {
  const { port } = new URL(site.origin);
  const url = `http://mcp.example.com:${port}/`;
  const config = remote('http', url, { network: { allow: ['127.0.0.1'] } });
  const guarded = createGuardedFetch({
    rules: createNetworkRules(config, 'server'),
    quietMs: 2_000,
    lookup: lookupOf(['127.0.0.1'], ['127.0.0.9']),
  });
  try {
    const first = await guarded.fetch(url, { headers: { connection: 'close' } });
    expect(await first.text()).toBe('hello');
    await expect(guarded.fetch(url)).rejects.toMatchObject({ code: 'ERR_UPSTREAM_ADDRESS' });
  } finally {
    await guarded.close();
  }
});

test('a redirect is not followed, and other schemes are refused', async () => {
  expect(await get(`${site.origin}/away`, remote('http', site.origin))).toMatch(/^302 /);
  for (const url of ['file:///etc/passwd', 'data:text/plain,x', 'ftp://127.0.0.1/', 'blob:x']) {
    expect(await get(url, remote('http', site.origin))).toBe('ERR_UPSTREAM_ADDRESS');
  }
});

test('a proxy of the environment is not used', async () => {
  let connections = 0;
  const proxy = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  proxy.listen(0, '127.0.0.1', () => resolve());
  await promise;
  const address = proxy.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  try {
    for (const name of ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']) {
      vi.stubEnv(name, name.startsWith('NODE') ? '1' : url);
    }
    expect(await get(site.origin, remote('http', site.origin))).toBe('200 hello');
    expect(connections).toBe(0);
  } finally {
    vi.unstubAllEnvs();
    proxy.close();
  }
});
