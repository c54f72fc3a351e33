import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { CallAnswer } from '../../src/upstream/call.ts';
import type { Upstreams } from '../../src/upstream/upstreams.ts';
import { connect, fixture, isAlive, never, server, until } from './harness.ts';

async function connected(more: Parameters<typeof fixture>[2] = {}, maxToolResultBytes = 1024 * 1024): Promise<Upstreams> {
  const upstreams = connect({ answers: fixture('answers', [], more) }, { maxToolResultBytes });
  await upstreams.settled();
  return upstreams;
}

function call(upstreams: Upstreams, tool: string, args: Record<string, unknown> = {}, signal = never()): Promise<CallAnswer> {
  return upstreams.call({ server: 'answers', tool, arguments: args }, signal);
}

test('a call that takes too long fails in time and is cancelled upstream', async () => {
  const upstreams = await connected({ timeoutMs: 300 });
  const startedAt = performance.now();
  const answer = await call(upstreams, 'never');
  expect(answer).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_TIMEOUT', message: expect.stringContaining('300 ms') } });
  expect(performance.now() - startedAt).toBeLessThan(1_500);
  expect(await call(upstreams, 'cancelled')).toMatchObject({ ok: true, value: expect.stringMatching(/^\{"cancelled":\[\d+\]\}$/) });
});

test('a cancelled call fails at once and is cancelled upstream', async () => {
  const upstreams = await connected();
  const abort = new AbortController();
  const answer = call(upstreams, 'never', {}, abort.signal);
  await sleep(50);
  const startedAt = performance.now();
  abort.abort();
  expect(await answer).toMatchObject({ ok: false, error: { code: 'ERR_EXECUTE_CANCELLED' } });
  expect(performance.now() - startedAt).toBeLessThan(500);
  expect(await call(upstreams, 'cancelled')).toMatchObject({ ok: true, value: expect.stringMatching(/^\{"cancelled":\[\d+\]\}$/) });
  expect(await call(upstreams, 'text', {}, abort.signal)).toMatchObject({ ok: false, error: { code: 'ERR_EXECUTE_CANCELLED' } });
});

test('a server that dies in the middle of calls fails all of them at once, and is started again', async () => {
  const upstreams = await connected();
  const startedAt = performance.now();
  const answers = await Promise.all([call(upstreams, 'never'), call(upstreams, 'crash')]);
  for (const answer of answers) expect(answer).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_CLOSED' } });
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await until(() => server(upstreams, 'answers').state === 'retrying');
  expect(server(upstreams, 'answers').reason).toBe('the process ended with exit code 7');
  await until(() => server(upstreams, 'answers').state === 'ready');
  expect(await call(upstreams, 'text')).toEqual({ ok: true, value: '"plain"' });
});

test('an answer just under the limit passes and one just over it does not', async () => {
  const upstreams = await connected({}, 10_000);
  expect(await call(upstreams, 'big', { bytes: 9_998 })).toMatchObject({ ok: true });
  expect(await call(upstreams, 'big', { bytes: 9_999 })).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_TOO_LARGE' } });
});

test('an answer over what is read at all fails alone: the connection and other calls go on', async () => {
  const upstreams = await connected();
  const other = call(upstreams, 'never');
  const answer = await call(upstreams, 'big', { bytes: 20 * 1024 * 1024 });
  expect(answer).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_TOO_LARGE' } });
  expect(await call(upstreams, 'text')).toEqual({ ok: true, value: '"plain"' });
  expect(await Promise.race([other, sleep(100, 'still running')])).toBe('still running');
});

test('a server that floods without a line end is ended', async () => {
  const upstreams = connect({ flood: fixture('flood') });
  await upstreams.settled();
  const before = process.memoryUsage().rss;
  const answer = await upstreams.call({ server: 'flood', tool: 'flood', arguments: {} }, never());
  expect(answer).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_TOO_LARGE' } });
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  await until(() => server(upstreams, 'flood').state === 'retrying');
  expect(server(upstreams, 'flood').reason).toContain('without a line end');
});

test('answers that are no tool results are protocol errors', async () => {
  const upstreams = await connected({ env: { SECRET: 'my-secret-value' } });
  for (const tool of ['empty', 'number', 'blocks']) {
    expect(await call(upstreams, tool)).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_PROTOCOL' } });
  }
  expect(await call(upstreams, 'refuse')).toEqual({
    ok: false,
    error: { code: 'ERR_UPSTREAM_PROTOCOL', message: 'the server "answers" answered with error -32602: no such thing as this, ***' },
  });
});

test('an answer with millions of values or endless nesting is refused before it costs much', async () => {
  const upstreams = await connected();
  const startedAt = performance.now();
  expect(await call(upstreams, 'commas')).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_TOO_LARGE' } });
  expect(await call(upstreams, 'nested')).toMatchObject({ ok: false, error: { code: 'ERR_UPSTREAM_PROTOCOL' } });
  expect(await call(upstreams, 'text')).toMatchObject({ ok: true });
  expect(performance.now() - startedAt).toBeLessThan(3_000);
});

test('structured content against its own schema is delivered, and the patterns in the schema are not run', async () => {
  const upstreams = await connected();
  expect(await call(upstreams, 'lies')).toEqual({ ok: true, value: '{"n":"not a number"}' });
});

test('arguments reach the server as they are', async () => {
  const upstreams = await connected();
  const args = JSON.parse('{"__proto__":{"a":1},"constructor":2,"text":"\\ud800 \\u0000 é","deep":[[{}]]}') as Record<string, unknown>;
  const answer = await call(upstreams, 'echo', args);
  expect(answer).toEqual({ ok: true, value: JSON.stringify(args) });
});

test('closing ends the servers and all that they started, however they resist', async () => {
  const upstreams = connect({ launcher: fixture('launcher') });
  await upstreams.settled();
  const answer = await upstreams.call({ server: 'launcher', tool: 'pids', arguments: {} }, never());
  const { pids } = JSON.parse(answer.ok ? answer.value : '{}') as { pids: number[] };
  expect(pids.map(isAlive)).toEqual([true, true]);
  await upstreams.close();
  await until(() => !pids.some(isAlive), 2_000);
  expect(await upstreams.call({ server: 'launcher', tool: 'pids', arguments: {} }, never())).toMatchObject({
    ok: false,
    error: { code: 'ERR_UPSTREAM_UNAVAILABLE' },
  });
});
