import { expect, test } from 'vitest';
import type { CallAnswer } from '../../src/upstream/call.ts';
import type { Upstreams } from '../../src/upstream/upstreams.ts';
import { connect, fixture, isAlive, never, RecordedLog, server, until } from './harness.ts';

async function connected(): Promise<{ upstreams: Upstreams; log: RecordedLog }> {
  const log = new RecordedLog();
  const upstreams = connect({ hostile: fixture('hostile') }, { log });
  await upstreams.settled();
  return { upstreams, log };
}

function call(upstreams: Upstreams, tool: string, args: Record<string, unknown> = {}): Promise<CallAnswer> {
  return upstreams.call({ server: 'hostile', tool, arguments: args }, never());
}

function valueOf(answer: CallAnswer): unknown {
  return answer.ok ? JSON.parse(answer.value) : answer.error.code;
}

test('answers that were given twice, or that nobody asked for, change nothing', async () => {
  const { upstreams } = await connected();
  expect(valueOf(await call(upstreams, 'twice'))).toBe('first');
  expect(valueOf(await call(upstreams, 'plain'))).toBe('plain');
  expect(server(upstreams, 'hostile').state).toBe('ready');
});

test('an end in the middle of a line fails the call, and the next connection is a good one', async () => {
  const { upstreams } = await connected();
  expect(valueOf(await call(upstreams, 'half'))).toBe('ERR_UPSTREAM_CLOSED');
  await until(() => server(upstreams, 'hostile').state === 'ready');
  expect(valueOf(await call(upstreams, 'plain'))).toBe('plain');
});

test('an answer that comes byte by byte is put together, characters of several bytes too', async () => {
  const { upstreams } = await connected();
  expect(valueOf(await call(upstreams, 'slowly', { bytes: 3_000 }))).toBe('ü'.repeat(3_000));
});

test('bytes that are no UTF-8 become replacement characters', async () => {
  const { upstreams } = await connected();
  expect(valueOf(await call(upstreams, 'bytes'))).toMatch(/^a\ufffd+b$/);
});

test('keys of prototypes in an answer are keys, and change no object of ours', async () => {
  const { upstreams } = await connected();
  const answer = await call(upstreams, 'prototype');
  expect(answer.ok && answer.value).toContain('"__proto__":{"polluted":1}');
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test('of an answer that contradicts itself the structured part counts', async () => {
  const { upstreams } = await connected();
  expect(valueOf(await call(upstreams, 'contradicts'))).toEqual({ paid: true });
});

test('links in an answer are data: nobody follows them', async () => {
  const { upstreams } = await connected();
  expect(JSON.stringify(valueOf(await call(upstreams, 'links')))).toContain('file:///etc/passwd');
});

test('what it asks of us is refused, whatever its name', async () => {
  const { upstreams } = await connected();
  const { heard } = valueOf(await call(upstreams, 'asks')) as { heard: { id: string; error?: { code: number } }[] };
  expect(heard.map(({ id, error }) => [id, error?.code])).toEqual(
    ['sampling/createMessage', 'elicitation/create', 'roots/list', 'tools/call', '__proto__', 'constructor'].map((method) => [
      `ask ${method}`,
      -32601,
    ]),
  );
});

test('a server that asks without end and reads no answer is ended before its answers fill our memory', async () => {
  const { upstreams, log } = await connected();
  const before = process.memoryUsage().rss;
  expect(valueOf(await call(upstreams, 'pings'))).toBe('ERR_UPSTREAM_CLOSED');
  expect(process.memoryUsage().rss - before).toBeLessThan(500 * 1024 * 1024);
  await until(() => log.lines.some((line) => line.startsWith('warn') && line.includes('does not read what it is sent')));
  await until(() => server(upstreams, 'hostile').state === 'ready');
  expect(valueOf(await call(upstreams, 'plain'))).toBe('plain');
});

test.runIf(process.platform === 'linux').each(['close', 'crash'])(
  'processes in sessions of their own, and those without a parent, end with their server (%s)',
  async (end) => {
    const { upstreams } = await connected();
    const { pids } = valueOf(await call(upstreams, 'leaves')) as { pids: number[] };
    expect(pids.map(isAlive)).toEqual([true, true, true, true]);
    if (end === 'close') await upstreams.close();
    else await call(upstreams, 'crash');
    await until(() => !pids.some(isAlive));
  },
);
