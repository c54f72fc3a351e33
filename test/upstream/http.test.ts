import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { CallAnswer } from '../../src/upstream/call.ts';
import type { Upstreams } from '../../src/upstream/upstreams.ts';
import { connect, never, remote, server, toolNames, until } from './harness.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function listen(handler: Handler): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const http = createServer(handler).listen(0, '127.0.0.1', () => {
    const address = http.address();
    resolve(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`);
  });
  closers.push(async () => {
    http.closeAllConnections();
    http.close();
  });
  return promise;
}

test('a server that asks without end and takes no answer is left before its answers take all connections', async () => {
  const held = new Set<ServerResponse>();
  let mostHeld = 0;
  const url = await listen((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (let id = 0; id < 2_000; id++) response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' })}\n\n`);
        return;
      }
      const message = JSON.parse(body || '{}') as RawRequest;
      if (message.method === 'initialize') {
        json(response, {
          jsonrpc: '2.0',
          id: message.id,
          result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'raw', version: '1' } },
        });
      } else if (message.method === 'notifications/initialized') response.writeHead(202).end();
      else if ('result' in message) {
        held.add(response);
        response.once('close', () => held.delete(response));
        mostHeld = Math.max(mostHeld, held.size);
      } else response.writeHead(400).end();
    });
  });
  const upstreams = connect({ raw: remote('http', url) });
  await until(() => server(upstreams, 'raw').reason?.includes('does not take the answers') === true);
  expect(mostHeld).toBeLessThanOrEqual(64);
  await upstreams.close();
});

interface RawRequest {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly name?: string };
}

/** A 2025 server that answers JSON, and leaves tools/call to `onCall`. */
async function rawServer(
  onCall: (request: RawRequest, response: ServerResponse) => void,
  seen: IncomingHttpHeaders[] = [],
): Promise<string> {
  return listen((request, response) => {
    seen.push(request.headers);
    if (request.method !== 'POST') return void response.writeHead(405).end();
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const message = JSON.parse(body) as RawRequest;
      const reply = (result: object): void => json(response, { jsonrpc: '2.0', id: message.id, result });
      if (message.id === undefined) response.writeHead(202).end();
      else if (message.method === 'initialize') {
        reply({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'raw', version: '1' } });
      } else if (message.method === 'tools/list') reply({ tools: [{ name: 'a', inputSchema: { type: 'object' } }] });
      else if (message.method === 'tools/call') onCall(message, response);
      else response.writeHead(400).end();
    });
  });
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function connected(url: string, more: Parameters<typeof remote>[2] = {}): Promise<Upstreams> {
  const upstreams = connect({ raw: remote('http', url, more) });
  await upstreams.settled();
  expect(server(upstreams, 'raw')).toMatchObject({ state: 'ready', title: 'raw' });
  return upstreams;
}

function call(upstreams: Upstreams, signal = never()): Promise<CallAnswer> {
  return upstreams.call({ server: 'raw', tool: 'a', arguments: {} }, signal);
}

const BIG = 'x'.repeat(20 * 1024 * 1024);

test('an answer over the limit fails that call alone, as JSON and as an event', async () => {
  let asEvent = false;
  const url = await rawServer((message, response) => {
    const result = { jsonrpc: '2.0', id: message.id, result: { content: [{ type: 'text', text: BIG }] } };
    if (!asEvent) return json(response, result);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`event: message\ndata: ${JSON.stringify(result)}\n\n`);
  });
  const upstreams = await connected(url);
  expect(await call(upstreams)).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_TOO_LARGE' } });
  asEvent = true;
  expect(await call(upstreams)).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_TOO_LARGE' } });
  expect(server(upstreams, 'raw').state).toBe('ready');
});

test('many small events on one stream are not too large', async () => {
  const url = await rawServer((message, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'x', params: { t: BIG.slice(0, 1024 * 1024) } })}\n\n`;
    for (let n = 0; n < 40; n++) response.write(event);
    response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id: message.id, result: { content: [] } })}\n\n`);
  });
  expect(await call(await connected(url))).toEqual({ ok: true, value: 'null' });
});

test('a stream that ends or breaks without an answer fails the call at once', async () => {
  const ends: ((response: ServerResponse) => void)[] = [
    (response) => response.end(),
    (response) => response.destroy(),
    (response) => response.end('data: not json\n\n'),
  ];
  const url = await rawServer((_message, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': hello\n\n', () => setTimeout(() => ends.shift()?.(response), 50));
  });
  const upstreams = await connected(url);
  for (let n = ends.length; n > 0; n--) {
    const startedAt = performance.now();
    expect(await call(upstreams)).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_CLOSED' } });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  }
});

test('answers that are not MCP, and HTTP errors, are protocol errors without the body in them', async () => {
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => json(response, { hello: 1 }),
    (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"broken'),
    (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>secret-body</html>'),
    (response) => response.writeHead(500).end('secret-body'),
    (response) => response.writeHead(401).end('secret-body'),
  ];
  const url = await rawServer((_message, response) => answers.shift()?.(response));
  const upstreams = await connected(url);
  for (let n = answers.length; n > 0; n--) {
    const answer = await call(upstreams);
    expect(answer).toMatchObject({ ok: false, error: { code: n === 1 ? 'ERR_UPSTREAM_LOGIN' : 'ERR_UPSTREAM_PROTOCOL' } });
    expect(JSON.stringify(answer)).not.toContain('secret-body');
  }
});

test('headers are sent with every request, and not to another origin', async () => {
  const elsewhere: IncomingHttpHeaders[] = [];
  const other = await rawServer(() => {}, elsewhere);
  const seen: IncomingHttpHeaders[] = [];
  const url = await rawServer((_message, response) => response.writeHead(307, { location: other }).end(), seen);
  const upstreams = await connected(url, { headers: { Authorization: 'Bearer top-secret-token' } });
  expect(seen.every((headers) => headers.authorization === 'Bearer top-secret-token')).toBe(true);
  expect(await call(upstreams)).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_PROTOCOL' } });
  expect(elsewhere).toEqual([]);
});

test('a refused connection says how, and nothing that is secret', async () => {
  const url = await listen((_request, response) => response.writeHead(401).end('bad Bearer top-secret-token'));
  const config = remote('http', `${url}/mcp/path-token?key=query-secret`, { headers: { Authorization: 'Bearer top-secret-token' } });
  const old = remote('sse', `${url}/sse/path-token?key=query-secret`);
  const upstreams = connect({ config, old });
  await upstreams.settled();
  expect(server(upstreams, 'config').reason).toBe(`it answered HTTP 401: ${url}`);
  const shown = JSON.stringify(upstreams.catalog());
  for (const secret of ['top-secret-token', 'path-token', 'query-secret']) expect(shown).not.toContain(secret);
});

test('a server that accepts and never answers does not hold up closing, over either transport', async () => {
  const url = await listen(() => {});
  const upstreams = connect({ http: remote('http', url), sse: remote('sse', url) }, { connectTimeoutMs: 100 });
  await upstreams.settled();
  expect(upstreams.catalog().servers.map((one) => one.state)).toEqual(['connecting', 'connecting']);
  const startedAt = performance.now();
  await upstreams.close();
  expect(performance.now() - startedAt).toBeLessThan(1_500);
});

test('speaks the 2026 protocol: calls, cancels by closing the stream, and hears of changes', async () => {
  let cancelled = false;
  let more = false;
  const handler = createMcpHandler(
    () => {
      const mcp = new McpServer({ name: 'raw', version: '1' }, { capabilities: { tools: { listChanged: true } } });
      mcp.registerTool('a', { inputSchema: z.object({ wait: z.boolean().optional() }) }, async ({ wait }, context) => {
        context.mcpReq.signal.addEventListener('abort', () => (cancelled = true));
        if (wait) await sleep(5_000, undefined, { signal: context.mcpReq.signal });
        return { content: [{ type: 'text', text: '{"era": 2026}' }] };
      });
      if (more) mcp.registerTool('b', {}, () => ({ content: [] }));
      return mcp;
    },
    { legacy: 'reject' },
  );
  closers.push(() => handler.close());
  const node = toNodeHandler(handler);
  const open = new Set<ServerResponse>();
  const url = await listen((request, response) => {
    open.add(response);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node's own type says undefined where the SDK's says absent
    void node(request as Parameters<typeof node>[0], response);
  });
  const upstreams = await connected(url);
  expect(await call(upstreams)).toEqual({ ok: true, value: '{"era": 2026}' });
  const abort = new AbortController();
  const waiting = upstreams.call({ server: 'raw', tool: 'a', arguments: { wait: true } }, abort.signal);
  await sleep(100);
  abort.abort();
  expect(await waiting).toMatchObject({ ok: false, error: { code: 'ERR_EXECUTE_CANCELLED' } });
  await until(() => cancelled, 2_000);
  more = true;
  handler.notify.toolsChanged();
  await until(() => toolNames(upstreams, 'raw').length === 2, 3_000);
  expect(await upstreams.call({ server: 'raw', tool: 'b', arguments: {} }, never())).toEqual({ ok: true, value: 'null' });
  // The stream of changes is cut, and a change happens meanwhile.
  more = false;
  for (const response of open) response.destroy();
  await until(() => toolNames(upstreams, 'raw').length === 1, 5_000);
  await sleep(1_200);
  more = true;
  handler.notify.toolsChanged();
  await until(() => toolNames(upstreams, 'raw').length === 2, 3_000);
});

test('a server of the older transport cannot send messages to another origin', async () => {
  const elsewhere: IncomingHttpHeaders[] = [];
  const other = await rawServer(() => {}, elsewhere);
  for (const endpoint of [other, 'http://169.254.169.254/latest', 'file:///etc/passwd', '//127.0.0.1:1/x']) {
    const url = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`event: endpoint\ndata: ${endpoint}\n\n`);
    });
    const upstreams = connect({ old: remote('sse', url, { headers: { Authorization: 'Bearer top-secret-token' } }) });
    await upstreams.settled();
    expect(server(upstreams, 'old').state).toBe('retrying');
    await upstreams.close();
  }
  expect(elsewhere).toEqual([]);
});

test('a public name that leads to this machine is not connected to, and says why to the operator alone', async () => {
  const seen: IncomingHttpHeaders[] = [];
  const url = await rawServer(() => {}, seen);
  const rebound = `http://mcp.example.com:${new URL(url).port}/mcp`;
  const upstreams = connect(
    { raw: remote('http', rebound), old: remote('sse', rebound) },
    { lookup: (_name, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]) },
  );
  await upstreams.settled();
  for (const name of ['raw', 'old']) {
    expect(server(upstreams, name)).toMatchObject({ state: 'retrying', reason: expect.stringContaining('network.allowPrivate') });
  }
  const answer = await call(upstreams);
  expect(JSON.stringify(answer)).toContain('ERR_UPSTREAM_ADDRESS');
  expect(JSON.stringify(answer)).not.toContain('127.0.0.1');
  expect(seen).toEqual([]);
});
