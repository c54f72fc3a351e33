import * as fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { LIST, send } from '../server/raw-http.ts';
import { startFixture, type HttpFixture } from '../server/http-fixture.ts';
import { property } from './property.ts';

let fixture: HttpFixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.server.close());

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.constantFrom(
    '',
    'execute_code',
    'search_tools',
    'wait_execution',
    'cancel_execution',
    '__proto__',
    'constructor',
    'echo',
    'crash',
    'busy',
    'bad-image',
  ),
);
const anything = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' });
const METHODS = [
  'tools/call',
  'tools/list',
  'initialize',
  'ping',
  'server/discover',
  'resources/list',
  'resources/read',
  'resources/templates/list',
  'tasks/get',
  'tasks/result',
  'tasks/list',
  'tasks/cancel',
  'tasks/update',
  'prompts/list',
  'prompts/get',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'logging/setLevel',
  'completion/complete',
  'subscriptions/listen',
  'tasks/get',
  'roots/list',
  'sampling/createMessage',
  '__proto__',
  'constructor',
  'toString',
  '',
] as const;
const meta = fc.record(
  {
    progressToken: fc.oneof(fc.nat(9), text, anything),
    'io.modelcontextprotocol/protocolVersion': fc.oneof(fc.constantFrom('2026-07-28', '2025-11-25', 'x'), anything),
    'io.modelcontextprotocol/clientInfo': fc.oneof(fc.constant({ name: 'c', version: '1' }), anything),
    'io.modelcontextprotocol/clientCapabilities': fc.oneof(fc.constant({}), anything),
  },
  { requiredKeys: [] },
);
const callArguments = fc.record(
  {
    code: fc.oneof(fc.constantFrom('echo', 'crash', 'busy', 'image', 'bad-image', 'progress:2', 'x'), anything),
    input: anything,
    session: fc.oneof(text, anything),
    limits: fc.oneof(fc.record({ fuel: anything, servers: anything }, { requiredKeys: [] }), anything),
    query: text,
    cursor: text,
    name: text,
    uri: text,
  },
  { requiredKeys: [] },
);
const parameters = fc.record(
  {
    name: fc.oneof({ weight: 6, arbitrary: text }, anything),
    arguments: fc.oneof({ weight: 6, arbitrary: callArguments }, anything),
    uri: fc.oneof(text, fc.constantFrom('ampoule://results/0', 'ampoule://wrappers/x.ts')),
    cursor: text,
    protocolVersion: fc.constantFrom('2025-11-25', '2025-06-18', '2026-07-28', 'x'),
    capabilities: anything,
    clientInfo: anything,
    _meta: fc.oneof({ weight: 6, arbitrary: meta }, anything),
  },
  { requiredKeys: [] },
);
const message = fc.record(
  {
    jsonrpc: fc.oneof({ weight: 12, arbitrary: fc.constant('2.0') }, anything),
    id: fc.oneof({ weight: 12, arbitrary: fc.oneof(fc.nat(99), text) }, anything),
    method: fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...METHODS) }, anything),
    params: fc.oneof({ weight: 12, arbitrary: parameters }, anything),
    result: anything,
    error: anything,
  },
  { requiredKeys: ['jsonrpc', 'method'] },
);
const body = fc.oneof(
  { weight: 8, arbitrary: message.map((one) => JSON.stringify(one)) },
  anything.map((one) => JSON.stringify(one)),
  fc.array(message, { maxLength: 3 }).map((list) => JSON.stringify(list)),
  fc.string({ unit: 'binary' }),
  message.chain((one) => fc.nat(JSON.stringify(one).length).map((at) => JSON.stringify(one).slice(0, at))),
  fc.nat(2_000).map((depth) => '['.repeat(depth)),
  fc.constant(
    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"execute_code","arguments":{"code":"echo","__proto__":{"x":1}}}}`,
  ),
);
/** What a header may hold, so that it leaves this process at all. */
const headerText = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', '1', '-', '/', ';', '=', ',', ' ', '"', '*', '.', '\u00e9'), maxLength: 12 }),
  fc.constantFrom('', '2026-07-28', '2025-11-25', 'tools/call', 'execute_code'),
);
const headers = fc.record(
  {
    'content-type': fc.oneof(
      { weight: 10, arbitrary: fc.constant('application/json') },
      fc.constantFrom(
        'application/json; charset=utf-16',
        'application/json; charset=nope',
        'text/plain',
        'application/x-www-form-urlencoded',
      ),
      headerText,
    ),
    accept: fc.oneof(
      { weight: 6, arbitrary: fc.constant('application/json, text/event-stream') },
      fc.constantFrom('*/*', 'application/json', 'text/event-stream', 'text/html'),
      headerText,
    ),
    'mcp-protocol-version': fc.oneof(fc.constantFrom('2026-07-28', '2025-11-25', '2025-06-18', '1'), headerText),
    'mcp-method': fc.oneof(fc.constantFrom('tools/call', 'tools/list'), headerText),
    'mcp-name': fc.oneof(fc.constantFrom('execute_code', 'search_tools', 'wait_execution'), headerText),
    'mcp-session-id': headerText,
    'last-event-id': headerText,
    'content-encoding': fc.constantFrom('gzip', 'identity', 'nope'),
    authorization: headerText,
  },
  { requiredKeys: ['content-type'] },
);
const method = fc.oneof({ weight: 20, arbitrary: fc.constant('POST') }, fc.constantFrom('GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'));

/** The messages of an answer, however it is sent. */
function messagesOf(contentType: string, answer: string): Record<string, unknown>[] {
  if (answer === '') return [];
  if (!contentType.startsWith('text/event-stream')) return [JSON.parse(answer) as Record<string, unknown>];
  const events = answer.split(/\r?\n\r?\n/u).flatMap((event) => {
    const data = event
      .split(/\r?\n/u)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trim())
      .join('\n');
    return data === '' ? [] : [data];
  });
  return events.map((data) => JSON.parse(data) as Record<string, unknown>);
}

function idOf(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && 'id' in parsed ? parsed.id : undefined;
  } catch {
    return undefined;
  }
}

property(
  'any request has exactly one well-formed answer, and the server goes on',
  250,
  fc.tuple(method, headers, body),
  async ([verb, head, sent]) => {
    // A subscription's answer stays open: that is what it is for.
    if (sent.includes('subscriptions/listen')) return;
    const {
      status,
      headers: answered,
      body: answer,
    } = await send(fixture.server.url, verb, { ...head, 'content-length': String(Buffer.byteLength(sent)) }, sent);
    expect(status).toBeGreaterThanOrEqual(200);
    expect(status).toBeLessThan(500);
    const all = messagesOf(answered['content-type'] ?? '', answer);
    const answers = all.filter((one) => 'result' in one || 'error' in one);
    for (const one of all) expect(one['jsonrpc']).toBe('2.0');
    expect(answers.length).toBeLessThanOrEqual(1);
    if (status !== 202 && status !== 204) expect(answers.length).toBe(1);
    const [one] = answers;
    if (one && 'error' in one) expect(one['error']).toMatchObject({ code: expect.any(Number), message: expect.any(String) });
    if (one && 'result' in one) expect(one['id']).toEqual(idOf(sent));
    expect(answer).not.toMatch(/\/secret\/place|node_modules|\bat .*\.ts:\d/u);
  },
);

property('after any rubbish the next request is answered as ever', 1, fc.constant(LIST), async (list) => {
  const { status, body: answer } = await send(fixture.server.url, 'POST', { 'content-type': 'application/json' }, list);
  expect([status, answer.includes('execute_code')]).toEqual([200, true]);
  expect(fixture.logged.filter((line) => /HTTP request failed/u.test(line))).toEqual([]);
});
