import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCannedPort } from './canned-port.ts';
import { eventually, startFixture, type HttpFixture } from './http-fixture.ts';
import { JSON_TYPE, send } from './raw-http.ts';

/** Tools other than execute_code go the SDK's way only: a cancel reaches them by the same rules. */

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const HEADERS = { ...JSON_TYPE, accept: 'application/json, text/event-stream' };
const began: string[] = [];
const aborted: string[] = [];
let fixture: HttpFixture;

beforeAll(async () => {
  const port = createCannedPort();
  const source = port.description();
  const waiting = Object.assign(port, {
    description: () => ({ ...source, skills: true }),
    saveSkill: ({ name }: { name: string }, { signal }: { signal: AbortSignal }) => {
      began.push(name);
      return new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.push(name);
          reject(new Error('cancelled'));
        });
      });
    },
  });
  fixture = await startFixture({ port: waiting });
});
afterAll(() => fixture.server.close());

function call(name: string, more: object = {}): string {
  const params = { name: 'save_skill', arguments: { name, description: 'd', code: 'c' }, ...more };
  return JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params });
}

test('of 2026-07-28 one is cancelled when its stream is closed', async () => {
  const headers = { ...HEADERS, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'save_skill' };
  const lost = request(fixture.server.url, { method: 'POST', headers });
  lost.on('error', () => undefined);
  lost.end(call('modern', { _meta: META }));
  await eventually(() => began.includes('modern'));
  lost.destroy();
  await eventually(() => aborted.includes('modern'));
  expect(aborted).toContain('modern');
});

test('of 2025-11-25 one is cancelled by name and not by a lost connection, and nothing is said about it after that', async () => {
  const init = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } };
  const opened = await send(
    fixture.server.url,
    'POST',
    HEADERS,
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: init }),
  );
  const headers = { ...HEADERS, 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': String(opened.headers['mcp-session-id']) };
  const answer = send(fixture.server.url, 'POST', headers, call('legacy'));
  await eventually(() => began.includes('legacy'));
  expect(aborted).not.toContain('legacy');
  const cancel = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
  await send(fixture.server.url, 'POST', headers, cancel);
  await eventually(() => aborted.includes('legacy'));
  expect((await answer).body).not.toContain('"id":7');
});
