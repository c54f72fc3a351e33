import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFixture, type HttpFixture } from './http-fixture.ts';
import { callBody, JSON_TYPE, LIST, rpc, send } from './raw-http.ts';

let fixture: HttpFixture;
let url: string;
beforeAll(async () => {
  fixture = await startFixture();
  ({ url } = fixture.server);
});
afterAll(() => fixture.server.close());

const GOOD = 'Host: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n';
const CODE = callBody({ code: 'return 2 + 2' });

const SILENCE_MS = 2_000;
const QUIET_MS = 60;

/** What a connection gives back for exactly these bytes. It is closed by the server, or by us a quiet while after its answer. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let text = '';
  socket.setTimeout(SILENCE_MS, () => socket.destroy()).on('error', () => undefined);
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    socket.setTimeout(QUIET_MS);
  });
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return text;
}

/** Status lines, one for each answer on the connection. */
const statuses = (text: string): number[] => [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
const post = (headers: string, body: string): string => `POST /mcp HTTP/1.1\r\n${headers}\r\n${body}`;
const sized = (body: string): string => `${GOOD}Content-Length: ${Buffer.byteLength(body)}\r\n`;

/** It goes on, and no request has come through that should not have. */
async function stillWell(calls: number): Promise<void> {
  expect(fixture.port.requests.length).toBe(calls);
  expect(await send(url, 'POST', JSON_TYPE, LIST)).toMatchObject({ status: 200 });
  expect(fixture.logged.filter((line) => /HTTP request failed|Internal/.test(line))).toEqual([]);
}

describe('requests that hide in requests', () => {
  const chunked = `${Buffer.byteLength(CODE).toString(16)}\r\n${CODE}\r\n0\r\n\r\n`;
  test.each([
    ['two lengths that differ', post(`${sized(CODE)}Content-Length: 4\r\n`, CODE)],
    ['a length and chunks', post(`${sized(CODE)}Transfer-Encoding: chunked\r\n`, chunked)],
    ['chunks that are no chunks', post(`${GOOD}Transfer-Encoding: chunked\r\n`, `zz\r\n${CODE}\r\n0\r\n\r\n`)],
    ['a chunk with a sign', post(`${GOOD}Transfer-Encoding: chunked\r\n`, `+${chunked}`)],
    ['an encoding that is nearly chunked', post(`${GOOD}Transfer-Encoding: xchunked\r\n`, chunked)],
    ['chunks before another encoding', post(`${GOOD}Transfer-Encoding: chunked, identity\r\n`, chunked)],
    ['a length with a sign', post(`${GOOD}Content-Length: +${Buffer.byteLength(CODE)}\r\n`, CODE)],
    ['a length in hexadecimal', post(`${GOOD}Content-Length: 0x10\r\n`, CODE)],
    ['a space before the colon of a header', post(`${GOOD}Content-Length : ${Buffer.byteLength(CODE)}\r\n`, CODE)],
    ['a folded header', post(`${GOOD}X-A: 1\r\n Content-Length: 5\r\nContent-Length: ${Buffer.byteLength(CODE)}\r\n`, CODE)],
    ['a NUL in a header', post(`X-A: \0\r\n${sized(CODE)}`, CODE)],
    ['a carriage return in a header', post(`X-A: a\rb\r\n${sized(CODE)}`, CODE)],
    ['a second request line in the target', `POST /mcp HTTP/1.1\r\nPOST /mcp HTTP/1.1\r\n${sized(CODE)}\r\n${CODE}`],
    ['no version', `POST /mcp\r\n${sized(CODE)}\r\n${CODE}`],
    ['a version that there is not', `POST /mcp HTTP/9.9\r\n${sized(CODE)}\r\n${CODE}`],
    ['the beginning of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['two hosts', post(`Host: evil.example\r\n${sized(CODE)}`, CODE)],
    ['two hosts that are both ours', post(`Host: localhost\r\n${sized(CODE)}`, CODE)],
    ['no host', post(sized(CODE).replace('Host: localhost\r\n', ''), CODE)],
    ['an older version without a host', `POST /mcp HTTP/1.0\r\n${sized(CODE).replace('Host: localhost\r\n', '')}\r\n${CODE}`],
    ['a foreign host in the target', `POST http://evil.example/mcp HTTP/1.1\r\n${sized(CODE)}\r\n${CODE}`],
    ['a tunnel', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('%s: refused, and no run begins', async (_, bytes) => {
    const before = fixture.port.requests.length;
    const answered = statuses(await raw(bytes));
    expect(answered.filter((status) => status < 400)).toEqual([]);
    await stillWell(before);
  });

  test('requests in a row on one connection get one answer each, in their order', async () => {
    const before = fixture.port.requests.length;
    const text = await raw(
      [1, 2, 3].map((id) => post(sized(callBody({ code: `return ${id}` }, id)), callBody({ code: `return ${id}` }, id))).join(''),
    );
    expect(statuses(text)).toEqual([200, 200, 200]);
    expect([...text.matchAll(/"id":(\d)/g)].map(([, id]) => id)).toEqual(['1', '2', '3']);
    await stillWell(before + 3);
  });
});

describe('headers', () => {
  test('an Origin behind thousands of other headers is still seen', async () => {
    const before = fixture.port.requests.length;
    const many = 'a:\r\n'.repeat(2_100);
    expect(statuses(await raw(post(`Host: localhost\r\n${many}Origin: https://evil.example\r\n${sized(CODE).slice(17)}`, CODE)))).toEqual([
      403,
    ]);
    await stillWell(before);
  });

  test.each([
    ['more bytes of headers than there may be', 431, `POST /mcp HTTP/1.1\r\nX-A: ${'a'.repeat(16_400)}\r\n`],
    ['an expectation that nobody knows', 417, post(`Expect: a-miracle\r\n${sized(CODE)}`, CODE)],
    ['an upgrade to a socket', 405, 'GET /mcp HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['a trace', 405, 'TRACE /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['two origins, one of them ours', 400, post(`Origin: http://localhost\r\nOrigin: https://evil.example\r\n${sized(CODE)}`, CODE)],
    ['a form, as a page may send one unasked', 415, post(sized(CODE).replace('application/json', 'text/plain'), CODE)],
    ['a character set that nobody has', 415, post(sized(CODE).replace('application/json', 'application/json; charset=utf-7'), CODE)],
    ['a compressed body', 415, post(`Content-Encoding: gzip\r\n${sized(CODE)}`, CODE)],
  ])('%s: answered with %i', async (_, status, bytes) => {
    const before = fixture.port.requests.length;
    expect(statuses(await raw(bytes))).toEqual([status]);
    await stillWell(before);
  });

  test.each(['/mcp/../health', '/%6dcp', '//mcp', '/mcp%00', '/mcp;a=b', '/health/../mcp'])(
    'the path %s is no other way in',
    async (path) => {
      const before = fixture.port.requests.length;
      expect(statuses(await raw(`POST ${path} HTTP/1.1\r\nOrigin: https://evil.example\r\n${sized(CODE)}\r\n${CODE}`))).toEqual([403]);
      await stillWell(before);
    },
  );
});

describe('messages', () => {
  const own = (name: string): string => rpc('tools/call', { name, arguments: { code: 'return 1' } });
  test.each([
    ['a tool by the name of a property of all objects', own('constructor')],
    ['a tool by the name of a prototype', own('__proto__')],
    ['a prompt by the name of a property of all objects', rpc('prompts/get', { name: 'toString' })],
    ['a resource by such a name', rpc('resources/read', { uri: '__proto__' })],
    ['a method by such a name', rpc('constructor', {})],
    ['a method of ours that is not of the protocol', rpc('_oncancel', {})],
    ['no method', '{"jsonrpc":"2.0","id":1}'],
    ['an answer to a request that was never made', '{"jsonrpc":"2.0","id":99,"result":{}}'],
    ['an identifier that is an object', '{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}'],
    ['no identifier and no notification', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}'],
    ['another version of JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"tools/list"}'],
    ['parameters that are a list', '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[1]}'],
    ['a cursor that is an object', rpc('tools/list', { cursor: { $gt: '' } })],
  ])('%s: an answer or an error of the protocol, and nothing runs', async (_, body) => {
    const before = fixture.port.requests.length;
    const { status, body: text } = await send(url, 'POST', JSON_TYPE, body);
    expect(status).toBeLessThan(500);
    expect(text).not.toMatch(/"result":\{"content"|node_modules|\.ts:|file:\/\//);
    await stillWell(before);
  });

  test('a prototype in a message changes nothing', async () => {
    const before = fixture.port.requests.length;
    const body = `{"jsonrpc":"2.0","id":1,"__proto__":{"leak":1},"method":"tools/call","params":{"name":"execute_code","arguments":{"code":"return 1","__proto__":{"session":"new"}},"__proto__":{"leak":1}}}`;
    await send(url, 'POST', JSON_TYPE, body);
    expect('leak' in {}).toBe(false);
    expect(fixture.port.requests.length).toBeLessThanOrEqual(before + 1);
  });

  test.each([1e21, -1, 0.5, 'a'.repeat(100_000), '\u2028"\r\n\r\ndata: {}', '__proto__'])(
    'the identifier %j comes back as it came',
    async (id) => {
      const { body } = await send(url, 'POST', JSON_TYPE, JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list', params: {} }));
      const text = body.startsWith('{') ? body : (/^data: ([^\n]*)$/m.exec(body)?.[1] ?? '');
      expect(JSON.parse(text)).toMatchObject({ id });
    },
  );
});

test('many connections that never finish their request do not hold up one that does', async () => {
  const slow = Array.from({ length: 300 }, () => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    socket.write('POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{');
    return socket;
  });
  await Promise.all(slow.map((socket) => once(socket, 'connect')));
  expect(await send(url, 'POST', JSON_TYPE, LIST)).toMatchObject({ status: 200 });
  for (const socket of slow) socket.destroy();
});
