import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLastCall } from '../../src/server/last-call.ts';

let server: Server;
let lastCall: () => Promise<void>;
beforeEach(async () => {
  server = createServer((_req, res) => res.end('heard'));
  lastCall = createLastCall(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => server.closeAllConnections());

function port(): number {
  return (server.address() as AddressInfo).port;
}

/** What came back. */
function send(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const asked = request({ host: '127.0.0.1', port: port(), agent: false });
  asked.on('response', (response) => void response.on('data', (piece: Buffer) => resolve(piece.toString())));
  asked.on('error', (error) => resolve(error.message));
  asked.end();
  return promise;
}

test('what clients have sent before a server closes is heard, however many they are', async () => {
  const sent = Promise.all(Array.from({ length: 80 }, send));
  await sleep(1);
  await lastCall();
  server.close();
  expect(new Set(await sent)).toEqual(new Set(['heard']));
});

test('with nothing on its way it is over at once, and in half a second whoever keeps coming', async () => {
  let from = performance.now();
  await lastCall();
  expect(performance.now() - from).toBeLessThan(150);
  const over = new AbortController();
  const coming = (async () => {
    while (!over.signal.aborted) {
      connect(port(), '127.0.0.1').on('error', () => undefined);
      await sleep(3);
    }
  })();
  from = performance.now();
  await lastCall();
  expect(performance.now() - from).toBeLessThan(1_000);
  over.abort();
  await coming;
});
