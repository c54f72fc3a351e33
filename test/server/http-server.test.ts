import { once } from 'node:events';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import { openAccessFixture } from '../access/access-fixture.ts';
import { connect, LANES } from './clients.ts';
import { ADDRESS, eventually, startFixture } from './http-fixture.ts';
import type { HttpFixture } from './http-fixture.ts';
import { callBody, JSON_TYPE, LIST, rpc, send } from './raw-http.ts';

describe('the HTTP endpoint', () => {
  let fixture: HttpFixture;
  let url: string;
  beforeAll(async () => {
    fixture = await startFixture({
      maxBodyBytes: 64 * 1024,
      http: { ...ADDRESS, allowedHosts: ['box.example:8080'], allowedOrigins: ['https://app.example.com'] },
    });
    url = fixture.server.url;
  });
  afterAll(() => fixture.server.close());

  test('listens on the loopback and tells its URL', () => {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
  });

  test('tells its health', async () => {
    const answer = await send(new URL('/health', url).href, 'GET');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ status: 'ok', version: '9.9.9' });
    expect(answer.headers['x-powered-by']).toBeUndefined();
  });

  test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example'])(
    'refuses the Host %j',
    async (host) => {
      const answer = await send(url, 'POST', { ...JSON_TYPE, host }, LIST);
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: '2.0', error: { code: -32_000 }, id: null });
    },
  );

  test.each(['localhost:1', '127.0.0.1', '[::1]:99', 'box.example', 'BOX.example:8080'])('takes the Host %j', async (host) => {
    expect((await send(url, 'POST', { ...JSON_TYPE, host }, LIST)).status).toBe(200);
  });

  test.each(['https://evil.example', 'null', 'http://app.example.com', 'https://app.example.com.evil.example'])(
    'refuses the Origin %j',
    async (origin) => {
      expect((await send(url, 'POST', { ...JSON_TYPE, origin }, LIST)).status).toBe(403);
      expect((await send(new URL('/health', url).href, 'GET', { origin })).status).toBe(403);
    },
  );

  test.each(['http://localhost:3000', 'http://127.0.0.1', 'https://app.example.com'])('takes the Origin %j', async (origin) => {
    expect((await send(url, 'POST', { ...JSON_TYPE, origin }, LIST)).status).toBe(200);
  });

  test.each(['GET', 'DELETE', 'PUT', 'OPTIONS', 'PATCH'])('answers %s with 405', async (method) => {
    const answer = await send(url, method);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('POST');
  });

  test('answers other paths with 404 and names the endpoint', async () => {
    const answer = await send(new URL('/elsewhere', url).href, 'POST', JSON_TYPE, LIST);
    expect(answer.status).toBe(404);
    expect(answer.body).toContain('POST /mcp');
  });

  test('takes a body just under the limit and refuses one just over it', async () => {
    const empty = callBody({ code: 'echo', input: '' });
    const under = callBody({ code: 'echo', input: 'x'.repeat(64 * 1024 - empty.length) });
    const over = callBody({ code: 'echo', input: 'x'.repeat(64 * 1024 - empty.length + 1) });
    expect((await send(url, 'POST', JSON_TYPE, under)).status).toBe(200);
    const answer = await send(url, 'POST', JSON_TYPE, over);
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: '2.0', error: { message: expect.stringContaining('65536 bytes') } });
  });

  test.each(['{', 'nonsense', '"text"', '1'])('answers the bad JSON %j with a parse error', async (body) => {
    const answer = await send(url, 'POST', JSON_TYPE, body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: -32_700 } });
  });

  test('refuses batches, other content types and compressed bodies', async () => {
    expect((await send(url, 'POST', JSON_TYPE, `[${LIST}]`)).status).toBe(400);
    expect((await send(url, 'POST', { 'content-type': 'text/plain' }, LIST)).status).toBe(415);
    expect((await send(url, 'POST', { ...JSON_TYPE, 'content-encoding': 'gzip' }, LIST)).status).toBe(415);
  });

  test('answers a message that is no JSON-RPC without falling over', async () => {
    for (const body of ['{}', '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":{},"method":1}', '{"method":"tools/call","id":1}']) {
      expect((await send(url, 'POST', JSON_TYPE, body)).status).toBe(400);
    }
    expect((await send(url, 'POST', JSON_TYPE, LIST)).status).toBe(200);
  });

  test.each([201, 390, 410, 20_000])('refuses arguments nested %d levels deep with a code and goes on', async (levels) => {
    const deep = `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const body = callBody({ code: 'echo', input: 'DEEP' }).replace('"DEEP"', deep);
    const answer = await send(url, 'POST', JSON_TYPE, body);
    expect(answer.body).toContain('ERR_SERVER_INPUT');
    expect(answer.status).toBe(levels < 400 ? 200 : 400);
    expect((await send(url, 'POST', JSON_TYPE, LIST)).status).toBe(200);
  });

  test('refuses a protocol version that does not exist', async () => {
    expect((await send(url, 'POST', { ...JSON_TYPE, 'mcp-protocol-version': '1999-01-01' }, LIST)).status).toBe(400);
  });

  test('lets a 2025-11-25 run go on when its connection is lost', async () => {
    const lost = request(url, { method: 'POST', headers: { ...JSON_TYPE, accept: 'application/json, text/event-stream' } });
    lost.on('error', () => undefined);
    lost.end(callBody({ code: 'wait:lost' }));
    await eventually(() => fixture.port.requests.some(({ code }) => code === 'wait:lost'));
    lost.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(fixture.port.aborted).not.toContain('wait:lost');
  });

  test('does not cancel a run for somebody who does not know its session', async () => {
    const init = await send(
      url,
      'POST',
      JSON_TYPE,
      rpc('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } }),
    );
    const session = String(init.headers['mcp-session-id']);
    expect(session.length).toBeGreaterThan(30);
    const call = send(url, 'POST', { ...JSON_TYPE, 'mcp-session-id': session }, callBody({ code: 'wait:mine' }, 7));
    await eventually(() => fixture.port.requests.some(({ code }) => code === 'wait:mine'));
    const cancel = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
    for (const header of [{}, { 'mcp-session-id': 'guess' }]) await send(url, 'POST', { ...JSON_TYPE, ...header }, cancel);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(fixture.port.aborted).not.toContain('wait:mine');
    expect((await send(url, 'POST', { ...JSON_TYPE, 'mcp-session-id': session }, cancel)).status).toBe(202);
    await eventually(() => fixture.port.aborted.includes('wait:mine'));
    expect((await call).body).not.toContain('"result"');
  });

  test('answers a client whose session id is from before a restart', async () => {
    const answer = await send(
      url,
      'POST',
      { ...JSON_TYPE, 'mcp-session-id': 'of-an-earlier-server' },
      callBody({ code: 'echo', input: 1 }),
    );
    expect(answer.status).toBe(200);
  });
});

describe('a server that cannot listen', () => {
  test('says which address is in use and how to choose another', async () => {
    const { server } = await startFixture();
    const port = Number(new URL(server.url).port);
    await expect(startFixture({ http: { ...ADDRESS, port } })).rejects.toMatchObject({
      code: 'ERR_SERVER_LISTEN',
      message: `The address 127.0.0.1:${port} is in use by another program.`,
      details: { hint: expect.stringContaining('port 0') },
    });
    await server.close();
  });

  test('says that the address is not of this machine', async () => {
    using access = openAccessFixture();
    const http = { ...ADDRESS, host: '203.0.113.7' };
    await expect(startFixture({ http, auth: access.auth })).rejects.toMatchObject({ code: 'ERR_SERVER_LISTEN' });
  });
});

describe('closing', () => {
  test.each(LANES)('in the middle of a run cancels it and answers the %s with a code', async (lane) => {
    const { server, port } = await startFixture();
    const client = await connect(lane, { url: server.url });
    const call = client.call({ code: 'wait:closing' });
    await eventually(() => port.requests.length === 1);
    const begin = Date.now();
    await Promise.all([server.close(), server.close()]);
    expect(Date.now() - begin).toBeLessThan(3_000);
    expect(port.aborted).toEqual(['wait:closing']);
    expect(executeOutputSchema.parse((await call).structuredContent).error?.code).toBe('ERR_SERVER_CLOSING');
    await expect(fetch(server.url)).rejects.toBeInstanceOf(Error);
    await client.close();
  });

  test.each(LANES)('leaves nothing behind after calls of the %s that were cancelled at any moment', async (lane) => {
    const { server, port } = await startFixture();
    const client = await connect(lane, { url: server.url });
    const calls = Array.from({ length: 60 }, (_, index) => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), index * 2);
      return client.call({ code: index % 2 === 0 ? 'wait' : 'sleep:40' }, { signal: abort.signal });
    });
    const ends = await Promise.allSettled(calls);
    expect(ends.filter(({ status }, index) => status === 'fulfilled' && index % 2 === 0)).toEqual([]);
    const waiting = (): number => port.requests.filter(({ code }) => code === 'wait').length;
    await eventually(() => port.aborted.length === waiting());
    expect((await client.call({ code: 'echo', input: 4 })).structuredContent).toMatchObject({ result: 4 });
    const begin = Date.now();
    await server.close();
    expect(Date.now() - begin).toBeLessThan(3_000);
    await client.close();
  });

  test('ends within five seconds even when a run does not stop', async () => {
    const { server, port } = await startFixture();
    const client = await connect('v1 client', { url: server.url });
    const call = client.call({ code: 'stubborn' });
    const ending = call.then(
      () => 'answered',
      () => 'refused',
    );
    await eventually(() => port.requests.length === 1);
    const begin = Date.now();
    await server.close();
    expect(Date.now() - begin).toBeLessThan(5_000);
    await client.close();
    expect(await ending).toBe('refused');
  });

  test('follows the signal and frees the port', async () => {
    const abort = new AbortController();
    const { server } = await startFixture({ signal: abort.signal });
    const port = Number(new URL(server.url).port);
    abort.abort();
    await server.close();
    const probe = createServer().listen(port, '127.0.0.1');
    await once(probe, 'listening');
    expect(probe.listening).toBe(true);
    probe.close();
  });
});
