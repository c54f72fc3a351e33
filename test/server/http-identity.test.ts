import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/access/authenticator.ts';
import { demandIdentity } from '../../src/server/http-auth.ts';
import type { AccessFixture } from '../access/access-fixture.ts';
import type { TestIssuer } from '../access/issuer-fixture.ts';
import { bearer, META, MODERN_HEADERS, startAuthFixture, type AuthFixture } from './auth-fixture.ts';
import { createCannedPort } from './canned-port.ts';
import { eventually, startFixture, type HttpFixture } from './http-fixture.ts';
import { callBody, JSON_TYPE, LIST, rpc, send } from './raw-http.ts';

const DISCOVER = rpc('server/discover', { _meta: META });

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

describe('every way into the server', () => {
  const seen = async (headers: Record<string, string>, body: string): Promise<(typeof fixture.port.callers)[number]> => {
    const before = fixture.port.callers.length;
    const answer = await send(url, 'POST', headers, body);
    expect(answer.status).toBe(200);
    expect(fixture.port.callers.length).toBe(before + 1);
    return fixture.port.callers.at(-1)!;
  };
  const toolCall = (name: string, args: object, meta?: object): string =>
    rpc('tools/call', { name, arguments: args, ...(meta && { _meta: meta }) });
  const modern = (name: string): Record<string, string> => ({ ...MODERN_HEADERS, 'mcp-method': 'tools/call', 'mcp-name': name });
  const progress = { progressToken: 'p' };

  test.each<[string, Record<string, string>, string]>([
    ['the direct lane of 2025-11-25', JSON_TYPE, callBody({ code: 'echo' })],
    ['the lane of the SDK, 2025-11-25', JSON_TYPE, toolCall('execute_code', { code: 'echo' }, progress)],
    ['the lane of the SDK, 2026-07-28', modern('execute_code'), toolCall('execute_code', { code: 'echo' }, { ...META, ...progress })],
    ['the direct lane of 2026-07-28', modern('execute_code'), toolCall('execute_code', { code: 'echo' }, META)],
    ['searches', JSON_TYPE, toolCall('search_tools', { query: 'issues' })],
    ['searches of 2026-07-28', modern('search_tools'), toolCall('search_tools', { query: 'issues' }, META)],
    ['saving skills', JSON_TYPE, toolCall('save_skill', { name: 'a', description: 'b', code: 'c' })],
    ['waits', JSON_TYPE, toolCall('wait_execution', { executionId: 'exe_x' })],
    ['waits in the lane of the SDK', JSON_TYPE, toolCall('wait_execution', { executionId: 'exe_x' }, progress)],
    ['waits of 2026-07-28', modern('wait_execution'), toolCall('wait_execution', { executionId: 'exe_x' }, META)],
    ['results', JSON_TYPE, rpc('resources/read', { uri: 'ampoule://results/res_x' })],
  ])('carries who it is: %s', async (what, headers, body) => {
    const sub = `carol of ${what}`;
    const token = bearer(await issuer.sign({ sub, scope: 'tickets' }));
    const callers: unknown[] = [];
    // Twice: the second time a known envelope goes the short way.
    for (let round = 0; round < 2; round++) {
      callers.push(await seen({ ...headers, ...bearer(alice) }, body), await seen({ ...headers, ...token }, body));
    }
    const isRead = what === 'results';
    const expected = [
      { principal: 'key:alice', ...(!isRead && { grant: ['github.*'] }) },
      { principal: `oauth:${issuer.url}#${sub}`, ...(!isRead && { grant: ['tickets.*'] }) },
    ];
    expect(callers).toMatchObject([...expected, ...expected]);
    expect(JSON.stringify(fixture.port.callers)).not.toContain('"local"');
  });

  test('what goes on for one principal is for any other as if it had never been, by tools and by tasks', async () => {
    const begun = toolCall('execute_code', { code: 'job:exe_hers', answerAfterMs: 10 });
    expect((await send(url, 'POST', { ...JSON_TYPE, ...bearer(alice) }, begun)).body).toContain('"status":"waiting"');
    const asked = async (key: string, id: string): Promise<string[]> => {
      const headers = { ...JSON_TYPE, ...bearer(key) };
      const bodies = [
        ...['wait_execution', 'cancel_execution'].map((name) => toolCall(name, { executionId: id })),
        ...['tasks/get', 'tasks/result', 'tasks/cancel'].map((method) => rpc(method, { taskId: id })),
      ];
      const answers = await Promise.all(bodies.map((body) => send(url, 'POST', headers, body)));
      return answers.map(({ status, body }) => `${status} ${body.replaceAll(id, '')}`);
    };
    expect(await asked(bob, 'exe_hers')).toEqual(await asked(bob, 'exe_none'));
    const lists = await Promise.all([alice, bob].map((key) => send(url, 'POST', { ...JSON_TYPE, ...bearer(key) }, rpc('tasks/list', {}))));
    expect(lists.map(({ body }) => body.includes('exe_hers'))).toEqual([true, false]);
    expect(fixture.port.executions.state('exe_hers')).toBe('running');
  });

  test('server/discover answers somebody, and nobody else', async () => {
    const headers = { ...MODERN_HEADERS, 'mcp-method': 'server/discover' };
    expect((await send(url, 'POST', headers, DISCOVER)).status).toBe(401);
    expect((await send(url, 'POST', { ...headers, ...bearer(alice) }, DISCOVER)).status).toBe(200);
  });

  test('a run of 2025-11-25 is cancelled by its own principal alone, also by one who knows its session', async () => {
    const session = { 'mcp-session-id': 'a-session-that-bob-has-seen' };
    const mine = { ...JSON_TYPE, ...session, ...bearer(alice) };
    const call = send(url, 'POST', mine, callBody({ code: 'wait:cancel' }, 77));
    await eventually(() => fixture.port.requests.some(({ code }) => code === 'wait:cancel'));
    const cancel = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 77 } });
    expect((await send(url, 'POST', { ...JSON_TYPE, ...session }, cancel)).status).toBe(401);
    expect((await send(url, 'POST', { ...JSON_TYPE, ...session, ...bearer(bob) }, cancel)).status).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(fixture.port.aborted).not.toContain('wait:cancel');
    expect((await send(url, 'POST', mine, cancel)).status).toBe(202);
    await eventually(() => fixture.port.aborted.includes('wait:cancel'));
    await call;
  });
});

test('a request whose client goes while the issuer is asked for its keys begins nothing, and nothing of it is kept', async () => {
  const judging = Promise.withResolvers<Outcome>();
  const done: string[] = [];
  const demand = demandIdentity({
    auth: { authenticate: () => judging.promise, close: () => undefined },
    path: '/mcp',
    streams: { watch: () => void done.push('watched'), end: () => undefined },
  });
  const came = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const app = express().use((req, res, next) => {
    res.once('close', gone.resolve);
    came.resolve();
    void demand(req, res, next);
  });
  const server = app.use(() => void done.push('begun')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const req = request({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  req.on('error', () => undefined).end();
  await came.promise;
  req.destroy();
  await gone.promise;
  judging.resolve({ ok: true, identity: { principal: { id: 'key:gone' }, standing: () => 'good' } });
  await new Promise(setImmediate);
  expect(done).toEqual([]);
  server.close();
});

describe('a stream that is open', () => {
  const listen = (key: string): { ended: Promise<string>; opened: Promise<number> } => {
    const headers = {
      ...MODERN_HEADERS,
      'mcp-method': 'subscriptions/listen',
      accept: 'application/json, text/event-stream',
      ...bearer(key),
    };
    const req = request(url, { method: 'POST', headers });
    req.end(rpc('subscriptions/listen', { _meta: META, notifications: { toolsListChanged: true } }));
    const opened = Promise.withResolvers<number>();
    const ended = new Promise<string>((resolve) => {
      req.on('error', () => resolve('lost'));
      req.once('response', (res) => {
        opened.resolve(res.statusCode ?? 0);
        res.on('error', () => resolve('lost'));
        res.once('close', () => resolve('closed'));
        res.resume();
      });
    });
    return { ended, opened: opened.promise };
  };
  const state = async (ended: Promise<string>, ms: number): Promise<string> =>
    Promise.race([ended, new Promise<string>((resolve) => setTimeout(resolve, ms, 'open'))]);

  test('is one of at most 128 of its principal: nobody takes the room of the others, and one that ends makes room', async () => {
    const greedy = access.register.create({ name: 'greedy' });
    const many = await Promise.all(Array.from({ length: 130 }, () => listen(greedy.key).opened));
    expect([many.filter((status) => status === 200).length, many.filter((status) => status === 429).length]).toEqual([128, 2]);
    expect(await listen(alice).opened).toBe(200);
    access.register.revoke(greedy.id);
  });

  test('ends soon after its key was revoked, and no other does', async () => {
    const dora = access.register.create({ name: 'dora' });
    const [hers, bobs] = [listen(dora.key), listen(bob)];
    expect(await Promise.all([hers.opened, bobs.opened])).toEqual([200, 200]);
    const running = send(
      url,
      'POST',
      { ...MODERN_HEADERS, 'mcp-method': 'tools/call', 'mcp-name': 'execute_code', ...bearer(dora.key) },
      rpc('tools/call', { name: 'execute_code', arguments: { code: 'wait:revoked' }, _meta: META }, 5),
    ).catch(() => 'lost');
    await eventually(() => fixture.port.requests.some(({ code }) => code === 'wait:revoked'));
    access.register.revoke(dora.id);
    expect(await state(hers.ended, 6_000)).not.toBe('open');
    expect(await state(bobs.ended, 1)).toBe('open');
    // A run in the name of a key that is no more is ended too.
    expect(await running).toBe('lost');
    await eventually(() => fixture.port.aborted.includes('wait:revoked'));
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['with a session', { 'mcp-session-id': 'of-eve' }, false],
    ['without one', {}, false],
    ['whose connection is lost', {}, true],
  ])('a run of 2025-11-25 %s ends with its key', async (what, session, isLost) => {
    const eve = access.register.create({ name: 'eve' });
    const code = `wait:eve ${what}`;
    const req = request(url, {
      method: 'POST',
      headers: { ...JSON_TYPE, accept: 'application/json, text/event-stream', ...session, ...bearer(eve.key) },
    });
    req.on('error', () => undefined);
    req.end(callBody({ code }));
    await eventually(() => fixture.port.requests.some((asked) => asked.code === code));
    if (isLost) req.destroy();
    access.register.revoke(eve.id);
    await eventually(() => fixture.port.aborted.includes(code));
    expect(fixture.port.aborted.filter((ended) => ended === code)).toHaveLength(1);
    req.destroy();
  });

  test('ends soon after its token has expired; a run goes on to its answer', async () => {
    const token = await issuer.sign({ exp: Math.floor(Date.now() / 1_000) });
    const stream = listen(token);
    expect(await stream.opened).toBe(200);
    const headers = { ...JSON_TYPE, ...bearer(token) };
    const run = send(url, 'POST', headers, callBody({ code: 'sleep:3200' }));
    expect(await state(stream.ended, 8_000)).not.toBe('open');
    expect((await run).body).toContain('slept');
    expect((await send(url, 'POST', headers, LIST)).status).toBe(401);
  });
});

test('a run that waits for a person, with no request open, ends soon after the key was revoked that it was begun with', async () => {
  const aborted: string[] = [];
  const port = createCannedPort();
  const execute: typeof port.execute = async (request, options) => {
    const { approver, signal } = options;
    signal?.addEventListener('abort', () => aborted.push(request.code));
    const call = { executionId: 'exe', principal: '', call: 1, server: 's', tool: 't', arguments: {}, text: 'May it?' };
    await approver?.ask(call, signal ?? new AbortController().signal);
    return port.execute(request, options);
  };
  const asking = await startFixture({ auth: access.auth, port: { ...port, asks: () => true, execute } });
  const meta = { ...META, 'io.modelcontextprotocol/clientCapabilities': { elicitation: {} } };
  const [fay, gus] = ['fay', 'gus'].map((name) => access.register.create({ name }));
  for (const { key, code } of [
    { key: fay!.key, code: 'of fay' },
    { key: gus!.key, code: 'of gus' },
  ]) {
    const headers = { ...MODERN_HEADERS, 'mcp-method': 'tools/call', 'mcp-name': 'execute_code', ...bearer(key) };
    const answer = await send(
      asking.server.url,
      'POST',
      headers,
      rpc('tools/call', { name: 'execute_code', arguments: { code }, _meta: meta }),
    );
    expect(answer.body).toContain('apr_');
  }
  access.register.revoke(fay!.id);
  await eventually(() => aborted.length > 0);
  expect(aborted).toEqual(['of fay']);
  await asking.server.close();
});
