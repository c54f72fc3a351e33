import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readDirectCall } from '../../src/server/direct-call.ts';
import { callCancelExecution, callExecuteCode, callWaitExecution } from '../../src/server/execution-calls.ts';
import { eventually, startFixture } from './http-fixture.ts';
import type { HttpFixture } from './http-fixture.ts';
import { JSON_TYPE, send } from './raw-http.ts';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const BOTH = { accept: 'application/json, text/event-stream' };
const MODERN = { ...JSON_TYPE, ...BOTH, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'execute_code' };
const LEGACY = { ...JSON_TYPE, ...BOTH, 'mcp-protocol-version': '2025-11-25' };

function call(args: unknown, params: object = {}, more: object = {}): object {
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'execute_code', arguments: args, ...params }, ...more };
}

const ARGUMENTS = [
  { code: 'echo', input: { a: [1, null, 'é😀'] } },
  { code: 'image' },
  { code: 'bad-image' },
  { code: 'ho ho' },
  { code: 'crash' },
  { code: 'busy' },
  { cod: 'echo' },
  { code: '' },
  {},
];

describe('a plain call gets the same answer, byte for byte, as the SDK gives', () => {
  let fixture: HttpFixture;
  beforeAll(async () => {
    fixture = await startFixture();
  });
  afterAll(() => fixture.server.close());

  test.each(ARGUMENTS)('to 2026-07-28 with the arguments %j', async (args) => {
    const body = JSON.stringify(call(args, { _meta: META }));
    await send(fixture.server.url, 'POST', MODERN, body);
    const direct = await send(fixture.server.url, 'POST', MODERN, body);
    // Tracing is nothing that the short way knows.
    const traced = JSON.stringify(
      call(args, { _meta: { ...META, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } }),
    );
    const long = await send(fixture.server.url, 'POST', MODERN, traced);
    expect(direct.headers['content-length']).toBeDefined();
    expect(long.headers['content-length']).toBeUndefined();
    expect(direct.body).toBe(long.body);
    expect([direct.status, direct.headers['content-type']]).toEqual([long.status, long.headers['content-type']]);
  });

  test.each(ARGUMENTS)('to 2025-11-25 with the arguments %j', async (args) => {
    const direct = await send(fixture.server.url, 'POST', LEGACY, JSON.stringify(call(args)));
    const long = await send(fixture.server.url, 'POST', LEGACY, JSON.stringify(call(args, { _meta: {} })));
    expect(direct.body).toBe(long.body);
    const { date: _1, ...directHeaders } = direct.headers;
    const { date: _2, ...longHeaders } = long.headers;
    expect({ ...directHeaders, 'keep-alive': '' }).toEqual({ ...longHeaders, 'keep-alive': '' });
  });

  test('also when its id is a text, or its client names no revision', async () => {
    const answer = await send(
      fixture.server.url,
      'POST',
      { ...JSON_TYPE, ...BOTH },
      JSON.stringify(call({ code: 'echo', input: 5 }, {}, { id: 'x"1' })),
    );
    expect(answer.body).toMatch(/^event: message\ndata: \{.*"jsonrpc":"2.0","id":"x\\"1"\}\n\n$/s);
  });

  test('and content that the protocol does not allow is plain data with a warning', async () => {
    const answer = await send(fixture.server.url, 'POST', LEGACY, JSON.stringify(call({ code: 'bad-image' })));
    expect(answer.body).toContain('"code":"WARN_CONTENT_INVALID"');
  });

  test('and an envelope that the SDK refuses is refused each time', async () => {
    const body = JSON.stringify(call({ code: 'echo' }, { _meta: { ...META, 'io.modelcontextprotocol/clientInfo': { name: 1 } } }));
    for (let i = 0; i < 3; i++) expect((await send(fixture.server.url, 'POST', MODERN, body)).status).toBe(400);
  });

  test('and a long one of 2025-11-25 sends its head before its result', async () => {
    const began = Date.now();
    const { promise, resolve } = Promise.withResolvers<number>();
    const long = request(fixture.server.url, { method: 'POST', headers: LEGACY }, (res) => {
      resolve(Date.now() - began);
      res.resume();
    });
    long.on('error', () => undefined);
    long.end(JSON.stringify(call({ code: 'sleep:2500' })));
    expect(await promise).toBeLessThan(2_000);
    long.destroy();
  });

  test('and one of 2026-07-28 whose client goes is cancelled', async () => {
    await send(fixture.server.url, 'POST', MODERN, JSON.stringify(call({ code: 'echo' }, { _meta: META })));
    const lost = request(fixture.server.url, { method: 'POST', headers: MODERN });
    lost.on('error', () => undefined);
    lost.end(JSON.stringify(call({ code: 'wait:direct' }, { _meta: META })));
    await eventually(() => fixture.port.requests.some(({ code }) => code === 'wait:direct'));
    lost.destroy();
    await eventually(() => fixture.port.aborted.includes('wait:direct'));
    expect(fixture.port.aborted).toContain('wait:direct');
  });
});

describe.each([
  [undefined, 'text'],
  ['2025-03-26', 'text'],
  ['2025-06-18', 'structured'],
  ['2025-11-25', 'structured'],
] as const)('both ways answer in the same form', (version, auto) => {
  const headers = { ...JSON_TYPE, ...BOTH, ...(version !== undefined && { 'mcp-protocol-version': version }) };
  test.each([
    ['auto', auto],
    ['text', 'text'],
    ['structured', 'structured'],
  ] as const)(`to a client of ${version} where the operator says %s`, async (answers, form) => {
    const fixture = await startFixture({ answers });
    try {
      for (const args of [{ code: 'echo', input: { a: 1 } }, { code: 'ho ho' }]) {
        const direct = await send(fixture.server.url, 'POST', headers, JSON.stringify(call(args)));
        const long = await send(fixture.server.url, 'POST', headers, JSON.stringify(call(args, { _meta: {} })));
        expect(direct.body).toBe(long.body);
        expect(direct.body.includes('"restIn":"text"')).toBe(form === 'text');
      }
      const link = { type: 'resource_link', uri: 'file:///report', name: 'report' };
      for (const meta of [{}, { _meta: {} }]) {
        const { body } = await send(fixture.server.url, 'POST', headers, JSON.stringify(call({ code: 'echo', input: [link] }, meta)));
        expect(body.includes('{"type":"text","text":"[report: file:///report]"}')).toBe(auto === 'text');
        expect(/\{[^{}]*"name":"report"[^{}]*"type":"resource_link"[^{}]*\}/.test(body)).toBe(auto === 'structured');
      }
    } finally {
      await fixture.server.close();
    }
  });
});

describe('the short way', () => {
  test('is taken by plain calls of either era', () => {
    expect(readDirectCall(MODERN, call({ code: '1' }, { _meta: META }))).toEqual({
      era: 'modern',
      id: 1,
      call: callExecuteCode,
      arguments: { code: '1' },
      envelope: JSON.stringify(META),
    });
    expect(readDirectCall(LEGACY, call({}))).toEqual({ era: 'legacy', id: 1, call: callExecuteCode, arguments: {}, envelope: '' });
    expect(readDirectCall(BOTH, call({}))?.era).toBe('legacy');
    expect(readDirectCall(LEGACY, call({}, { name: 'wait_execution' }))?.call).toBe(callWaitExecution);
    expect(readDirectCall(LEGACY, call({}, { name: 'cancel_execution' }))?.call).toBe(callCancelExecution);
  });

  test.each([
    ['another method', LEGACY, { ...call({}), method: 'tools/list' }],
    ['another tool', LEGACY, call({}, { name: 'other' })],
    ['no id', LEGACY, call({}, {}, { id: undefined })],
    ['an id of null', LEGACY, call({}, {}, { id: null })],
    ['a broken id', LEGACY, call({}, {}, { id: 1.5 })],
    ['another version of JSON-RPC', LEGACY, call({}, {}, { jsonrpc: '1.0' })],
    ['more than a message has', LEGACY, call({}, {}, { result: {} })],
    ['more than a call has', LEGACY, call({}, { task: {} })],
    ['no arguments', LEGACY, call(undefined)],
    ['a list of arguments', LEGACY, call([])],
    ['no parameters', LEGACY, { ...call({}), params: undefined }],
    ['a token for progress', LEGACY, call({}, { _meta: { progressToken: 1 } })],
    ['a revision of the future', { ...LEGACY, 'mcp-protocol-version': '2027-01-01' }, call({})],
    ['one form of answer only', { ...LEGACY, accept: 'application/json' }, call({})],
    ['headers of the other era', { ...LEGACY, 'mcp-method': 'tools/call' }, call({})],
    ['a header for another method', { ...MODERN, 'mcp-method': 'tools/list' }, call({}, { _meta: META })],
    ['a header for another tool', { ...MODERN, 'mcp-name': 'other' }, call({}, { _meta: META })],
    ['no header for its revision', { ...BOTH, 'mcp-method': 'tools/call', 'mcp-name': 'execute_code' }, call({}, { _meta: META })],
    ['an envelope with a token', MODERN, call({}, { _meta: { ...META, progressToken: 1 } })],
    ['an envelope of another revision', MODERN, call({}, { _meta: { ...META, 'io.modelcontextprotocol/protocolVersion': '2025-11-25' } })],
    ['an envelope with something missing', MODERN, call({}, { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } })],
    ['no envelope', MODERN, call({})],
    [
      'an envelope that is too long to remember',
      MODERN,
      call({}, { _meta: { ...META, 'io.modelcontextprotocol/clientInfo': { name: 'x'.repeat(4_096), version: '1' } } }),
    ],
  ])('is not for a call with %s', (_what, headers, message) => {
    expect(readDirectCall(headers, message)).toBeUndefined();
  });
});
