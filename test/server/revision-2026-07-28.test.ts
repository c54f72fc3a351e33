import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, startFixture } from './http-fixture.ts';
import type { HttpFixture } from './http-fixture.ts';
import { callBody, JSON_TYPE, LIST, rpc, send } from './raw-http.ts';

describe('the 2026-07-28 revision', () => {
  let fixture: HttpFixture;
  beforeAll(async () => {
    fixture = await startFixture();
  });
  afterAll(() => fixture.server.close());

  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const headers = (method: string): Record<string, string> => ({
    ...JSON_TYPE,
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
  });

  test('lists the tool with a result type and cache hints', async () => {
    const answer = await send(fixture.server.url, 'POST', headers('tools/list'), rpc('tools/list', { _meta: meta }));
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ result: { resultType: 'complete', ttlMs: 60_000, cacheScope: 'private' } });
  });

  test('can be discovered', async () => {
    const answer = await send(fixture.server.url, 'POST', headers('server/discover'), rpc('server/discover', { _meta: meta }));
    expect(JSON.parse(answer.body)).toMatchObject({ result: { capabilities: { tools: {} } } });
  });

  test('refuses a header that does not agree with the body', async () => {
    const answer = await send(fixture.server.url, 'POST', headers('prompts/list'), rpc('tools/list', { _meta: meta }));
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: -32_020 } });
  });

  test('cancels a run when its stream is closed', async () => {
    const call = request(fixture.server.url, {
      method: 'POST',
      headers: { ...headers('tools/call'), 'mcp-name': 'execute_code', accept: 'application/json, text/event-stream' },
    });
    call.on('error', () => undefined);
    call.end(rpc('tools/call', { _meta: meta, name: 'execute_code', arguments: { code: 'wait:gone' } }));
    await eventually(() => fixture.port.requests.some(({ code }) => code === 'wait:gone'));
    call.destroy();
    await eventually(() => fixture.port.aborted.includes('wait:gone'));
    expect((await send(fixture.server.url, 'POST', JSON_TYPE, LIST)).status).toBe(200);
  });

  test('takes a body that arrives byte by byte', async () => {
    const slow = request(fixture.server.url, { method: 'POST', headers: { ...JSON_TYPE, accept: 'application/json, text/event-stream' } });
    const response = once(slow, 'response') as Promise<[IncomingMessage]>;
    for (const byte of Buffer.from(callBody({ code: 'echo', input: 'é😀' }))) {
      slow.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    slow.end();
    const [res] = await response;
    expect(Buffer.concat((await res.toArray()) as Buffer[]).toString()).toContain('é😀');
  });
});
