import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCAL } from '../../src/server/request-principal.ts';
import { boundConnections, WIRE_OPTIONS } from '../../src/server/http-wire.ts';
import { requestKey } from '../../src/server/legacy-lane.ts';
import { boundUnreadAnswers } from '../../src/server/unread-answers.ts';
import { eventually, startFixture, type HttpFixture } from './http-fixture.ts';
import { callBody, JSON_TYPE, LIST, rpc, send } from './raw-http.ts';

let fixture: HttpFixture;
let url: string;
beforeAll(async () => {
  fixture = await startFixture();
  ({ url } = fixture.server);
});
afterAll(() => fixture.server.close());

const HEADERS = 'Host: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n';
const LEGACY = 'MCP-Protocol-Version: 2025-11-25\r\n';

function request(body: string, more = ''): Buffer {
  return Buffer.from(`POST /mcp HTTP/1.1\r\n${HEADERS}${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** What is in use after a collection. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

function open(allowHalfOpen = false): { socket: Socket; text: () => string } {
  let text = '';
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen, noDelay: true });
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.on('error', () => undefined);
  return { socket, text: () => text };
}

describe('a message in pieces', () => {
  test.each([
    ['2025-11-25', LEGACY],
    ['no version', ''],
  ])('is read whole, at whichever byte it was cut (%s)', async (_, version) => {
    const bytes = request(callBody({ code: 'return "ü€😀"' }), `${version}Connection: close\r\n`);
    const before = fixture.port.requests.length;
    const answers = Array.from({ length: bytes.length - 1 }, async (__, at) => {
      const { socket, text } = open();
      const closed = once(socket, 'close');
      socket.write(bytes.subarray(0, at + 1), () => setTimeout(() => socket.write(bytes.subarray(at + 1)), 5));
      await closed;
      return /^HTTP\/1\.1 200 .*"id":1/s.test(text());
    });
    expect((await Promise.all(answers)).indexOf(false)).toBe(-1);
    const codes = new Set(fixture.port.requests.slice(before).map(({ code }) => code));
    expect([...codes]).toEqual(['return "ü€😀"']);
  });
});

describe('connections', () => {
  test('a client that asks for the end of the connection gets it right after its answer', async () => {
    const { socket, text } = open();
    const from = performance.now();
    socket.write(request(callBody({ code: 'return 1' }), `${LEGACY}Connection: close\r\n`));
    await once(socket, 'close');
    expect(text()).toContain('200 OK');
    expect(performance.now() - from).toBeLessThan(3_000);
  });

  test('a connection that its client has closed on its side is closed on ours too', async () => {
    const { socket, text } = open(true);
    socket.end(request(LIST));
    await once(socket, 'end');
    socket.destroy();
    expect(text()).toMatch(/^$|200 OK/);
    expect(await send(url, 'POST', JSON_TYPE, LIST)).toMatchObject({ status: 200 });
  });

  test('a connection is good for another request after one that was refused', async () => {
    const { socket, text } = open();
    socket.write(request('{"jsonrpc":'));
    await eventually(() => text().includes('Parse error'));
    socket.write(request(LIST));
    await eventually(() => text().includes('"tools"'));
    expect([...text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['400', '200']);
    socket.destroy();
  });

  test('a storm of clients that go in the middle leaves no connection and no run', async () => {
    const bytes = request(callBody({ code: 'return 1' }), LEGACY);
    const storm = Array.from({ length: 300 }, async (_, index) => {
      const { socket } = open();
      await once(socket, 'connect');
      socket.write(bytes.subarray(0, 1 + ((index * 37) % bytes.length)), () =>
        index % 2 === 0 ? socket.destroy() : socket.resetAndDestroy(),
      );
      await once(socket, 'close');
    });
    await Promise.all(storm);
    expect(await send(url, 'POST', JSON_TYPE, LIST)).toMatchObject({ status: 200 });
    expect(fixture.logged.filter((line) => /failed|Internal/.test(line))).toEqual([]);
  });

  test.each([17, 300])(
    'of %i requests in a row on one connection, none of them answered yet, sixteen begin and the rest is cut off',
    async (sent) => {
      const { socket } = open();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(Buffer.concat(Array.from({ length: sent }, () => request(callBody({ code: `wait:row of ${sent}` }), LEGACY))));
      await closed;
      expect(fixture.port.requests.filter(({ code }) => code === `wait:row of ${sent}`).length).toBe(16);
    },
  );

  test('an answer that nobody reads is dropped with its connection, and one that only takes its time is not', async () => {
    const large = 'x'.repeat(64 * 1024 * 1024);
    const server = createServer(WIRE_OPTIONS, (req, res) => {
      if (req.url === '/large') res.end(large);
      else setTimeout(() => res.end('late'), 400);
    });
    boundConnections(server, 100);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const stuck = connect(port, '127.0.0.1').on('error', () => undefined);
    stuck.pause();
    stuck.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const gone = once(server, 'connection').then(([socket]) => once(socket as Socket, 'close'));
    await gone;
    stuck.destroy();
    expect(await (await fetch(`http://127.0.0.1:${port}/late`)).text()).toBe('late');
    server.closeAllConnections();
    server.close();
  });

  test('of answers that nobody reads, also those that wait behind one, the largest go when they are too much together', async () => {
    const server = createServer(WIRE_OPTIONS, (req, res) => void res.end('x'.repeat(Number(req.url?.slice(1)))));
    boundUnreadAnswers(server, 40_000_000);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const ask = (bytes: number, times: number): { closed: Promise<unknown>; socket: Socket } => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.pause();
      socket.write(`GET /${bytes} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(times));
      return { socket, closed: once(server, 'connection').then(([own]) => once(own as Socket, 'close')) };
    };
    const small = ask(20_000_000, 1);
    await once(server, 'request');
    const large = ask(10_000_000, 10);
    await large.closed;
    let read = 0;
    small.socket.on('data', ({ length }) => (read += length)).resume();
    await eventually(() => read > 20_000_000);
    for (const { socket } of [small, large]) socket.destroy();
    server.closeAllConnections();
    server.close();
    expect(read).toBeLessThan(20_001_000);
  });

  test.runIf(process.platform !== 'win32').each([
    [64, 32],
    [1_000, 500],
  ])('of %i descriptors connections take at most %i: there is always one for a process', async (descriptors, connections) => {
    const wire = new URL('../../src/server/http-wire.ts', import.meta.url).href;
    const script = `import { createServer } from 'node:http'; import { boundConnections } from '${wire}';
      const server = createServer(); boundConnections(server); console.log(server.maxConnections);`;
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      `ulimit -n ${descriptors} && exec "$0" --input-type=module -e "$1"`,
      process.execPath,
      script,
    ]);
    expect(Number(stdout)).toBe(connections);
  });
});

describe('cancels', () => {
  const key = (id: unknown): string => requestKey(LOCAL, 'session', id);

  test('a request with an endless name is remembered by a short one, which is its own', () => {
    const long = 'n'.repeat(1_000_000);
    expect(key(long).length).toBeLessThan(600);
    expect(key(long)).toBe(key(long));
    expect(key(long)).not.toBe(key(`${long}n`));
    expect([key(1), key('1')]).toEqual(['["local","session",1]', '["local","session","1"]']);
    expect(requestKey({ ...LOCAL, id: 'key:other' }, 'session', long)).not.toBe(key(long));
  });

  test('a flood of cancels for what never comes does not fill memory', async () => {
    const name = 'n'.repeat(200_000);
    const before = heldBytes();
    for (let round = 0; round < 100; round++) {
      const cancel = (index: number): string =>
        JSON.stringify({
          jsonrpc: '2.0',
          method: 'notifications/cancelled',
          params: { requestId: `${round} ${index} ${name}` },
        });
      await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((n) => send(url, 'POST', { ...JSON_TYPE, 'mcp-session-id': 'flood' }, cancel(n))));
    }
    // Kept as they came they would be 160 MB.
    expect(heldBytes() - before).toBeLessThan(40 * 1024 * 1024);
  });
});

describe('odd values', () => {
  const withToken = (token: unknown): string =>
    rpc('tools/call', { name: 'execute_code', arguments: { code: 'return 1' }, _meta: { progressToken: token } });
  test.each([[null], [{}], [[]], [true], [1.5], [''], ['__proto__'], ['x'.repeat(10_000)]])(
    'a progress token %j makes an answer or a refusal, never a fault of ours',
    async (token) => {
      const { status, body } = await send(url, 'POST', JSON_TYPE, withToken(token));
      expect([200, 400]).toContain(status);
      expect(body).not.toMatch(/-32603|Internal/);
    },
  );

  test.each([
    '../../etc/passwd',
    '%2e%2e%2f%2e%2e',
    '..%5c..%5c',
    `${'0'.repeat(32)}%00`,
    `${'0'.repeat(32)}?offset=-1`,
    'x'.repeat(50_000),
  ])('nothing is read at ampoule://results/%s', async (path) => {
    const { body } = await send(url, 'POST', JSON_TYPE, rpc('resources/read', { uri: `ampoule://results/${path}` }));
    expect(body).toContain('"error"');
    expect(body).not.toMatch(/root:|ENOENT|\/tmp|-32603/);
  });
});
