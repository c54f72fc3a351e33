import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import { PNG } from './canned-port.ts';
import { connect, LANES } from './clients.ts';
import type { CallAnswer, TestClient } from './clients.ts';
import { eventually, startFixture } from './http-fixture.ts';
import type { HttpFixture } from './http-fixture.ts';
import { JSON_TYPE, send } from './raw-http.ts';

/** Ids of canned executions, one for each test. */
let ids = 0;
const nextId = (): string => `exe_${++ids}`;

function structured(answer: CallAnswer): Record<string, unknown> {
  return answer.structuredContent ?? {};
}

const TOOL = { kind: 'tool', call: 3, server: 'github', tool: 'list_issues', since: 1_000 } as const;

describe.each(LANES)('runs that go on, over HTTP with the %s', (lane) => {
  let fixture: HttpFixture;
  let client: TestClient;
  beforeAll(async () => {
    fixture = await startFixture();
    client = await connect(lane, { url: fixture.server.url });
  });
  afterAll(async () => {
    await client.close();
    await fixture.server.close();
  });

  test('have two tools, with annotations, without a second copy of the output schema', async () => {
    const { tools } = await client.listTools();
    const [wait, cancel] = ['wait_execution', 'cancel_execution'].map((name) => tools.find((tool) => tool.name === name));
    expect(wait?.annotations).toMatchObject({ readOnlyHint: true });
    expect(cancel?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true, idempotentHint: true });
    expect([wait?.outputSchema, cancel?.outputSchema]).toEqual([undefined, undefined]);
    expect(wait?.inputSchema).toMatchObject({ required: ['executionId'] });
  });

  test('are answered after the time that was asked for, waited for, and answered as execute_code answers', async () => {
    const id = nextId();
    const early = await client.call({ code: `job:${id}`, answerAfterMs: 10 });
    expect(structured(early)).toEqual({ status: 'waiting', executionId: id, next: expect.stringContaining('wait_execution') as string });
    expect(early.isError ?? false).toBe(false);
    const answer = client.callTool('wait_execution', { executionId: id });
    await eventually(() => fixture.port.executions.waits === 1);
    fixture.port.executions.finish(id, 'completed', fixture.port.completes({ type: 'image', mimeType: 'image/png', data: PNG }));
    const { content, structuredContent } = await answer;
    expect(content[1]).toEqual({ type: 'image', mimeType: 'image/png', data: PNG });
    expect(executeOutputSchema.parse(structuredContent)).toMatchObject({
      status: 'completed',
      executionId: id,
      logs: [{ message: 'hello' }],
    });
    const same = await client.callTool('wait_execution', { executionId: id, timeoutMs: 0 });
    expect([same.content, same.structuredContent]).toEqual([content, structuredContent]);
  });

  test('are answered when they wait, with what for, where that is what was asked for', async () => {
    const id = nextId();
    const answer = client.call({ code: `job:${id}`, wait: 'return-when-waiting' });
    await eventually(() => fixture.port.executions.waits === 1);
    fixture.port.executions.park(id, [TOOL]);
    const waiting = [{ kind: 'tool', call: 3, server: 'github', tool: 'list_issues', since: '1970-01-01T00:00:01.000Z' }];
    expect(structured(await answer)).toMatchObject({ status: 'waiting', executionId: id, waiting });
    const now = await client.callTool('wait_execution', { executionId: id, timeoutMs: 0 });
    expect(structured(now)).toMatchObject({ status: 'waiting', waiting });
  });

  test('are ended by cancel_execution, once, and stay as they ended', async () => {
    const id = nextId();
    await client.call({ code: `job:${id}`, answerAfterMs: 10 });
    const ended = await client.callTool('cancel_execution', { executionId: id });
    expect(structured(ended)).toMatchObject({ status: 'failed', executionId: id, error: { code: 'ERR_EXECUTE_CANCELLED' } });
    // To whoever asked for it, and to nobody else, it is no error.
    expect(ended.isError).toBe(false);
    expect((await client.callTool('wait_execution', { executionId: id })).isError).toBe(true);
    for (const tool of ['cancel_execution', 'wait_execution']) {
      expect(structured(await client.callTool(tool, { executionId: id }))).toEqual(structured(ended));
    }
    expect(fixture.port.executions.state(id)).toBe('cancelled');
  });

  test('that have ended are not cancelled any more', async () => {
    const id = nextId();
    await client.call({ code: `job:${id}`, answerAfterMs: 10 });
    fixture.port.executions.finish(id, 'completed', fixture.port.completes(5));
    expect(structured(await client.callTool('cancel_execution', { executionId: id }))).toMatchObject({ status: 'completed', result: 5 });
  });

  test('do not end with a wait that is given up', async () => {
    const id = nextId();
    await client.call({ code: `job:${id}`, answerAfterMs: 10 });
    const controller = new AbortController();
    const wait = client.callTool('wait_execution', { executionId: id }, { signal: controller.signal });
    await eventually(() => fixture.port.executions.waits === 1);
    controller.abort();
    await expect(wait).rejects.toThrow(/abort/i);
    await eventually(() => fixture.port.executions.waits === 0);
    expect(fixture.port.executions.state(id)).toBe('running');
  });

  test('can be waited for while they still have their first request, and by several at once', async () => {
    const id = nextId();
    const first = client.call({ code: `job:${id}` });
    await eventually(() => fixture.port.executions.waits === 1);
    const others = [1, 2].map(() => client.callTool('wait_execution', { executionId: id }));
    await eventually(() => fixture.port.executions.waits === 3);
    fixture.port.executions.finish(id, 'completed', fixture.port.completes('all'));
    for (const answer of [first, ...others]) expect(structured(await answer)).toMatchObject({ status: 'completed', result: 'all' });
  });

  test('can be cancelled while they still have their first request, which is told so', async () => {
    const id = nextId();
    const first = client.call({ code: `job:${id}` });
    await eventually(() => fixture.port.executions.waits === 1);
    const cancelled = await client.callTool('cancel_execution', { executionId: id });
    expect(structured(cancelled)).toMatchObject({ error: { code: 'ERR_EXECUTE_CANCELLED' } });
    expect(structured(await first)).toEqual(structured(cancelled));
  });

  test('end with their first request as long as it is not answered', async () => {
    const id = nextId();
    const controller = new AbortController();
    const first = client.call({ code: `job:${id}` }, { signal: controller.signal });
    await eventually(() => fixture.port.executions.waits === 1);
    controller.abort();
    await expect(first).rejects.toThrow(/abort/i);
    await eventually(() => fixture.port.executions.state(id) === 'cancelled');
  });

  test('tell that they go on to who asked for progress', async () => {
    const id = nextId();
    await client.call({ code: `job:${id}`, answerAfterMs: 10 });
    const told: number[] = [];
    const wait = client.callTool('wait_execution', { executionId: id }, { onprogress: ({ progress }) => void told.push(progress) });
    await eventually(() => told.length > 0);
    fixture.port.executions.finish(id, 'completed', fixture.port.completes(1));
    await wait;
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });

  test('send the lines of their log to who asked for them', async () => {
    const listening = await connect(lane, { url: fixture.server.url });
    const id = nextId();
    await listening.setLogLevel('info');
    await listening.call({ code: `job:${id}`, answerAfterMs: 10 });
    fixture.port.executions.finish(id, 'completed', fixture.port.completes(1));
    await listening.callTool('wait_execution', { executionId: id });
    await eventually(() => listening.logged().length === 1);
    expect(listening.logged()[0]).toMatchObject({ level: 'info', data: 'hello' });
    await listening.close();
  });

  test.each([
    ['wait_execution', {}, 'Argument "executionId" must be the executionId of an earlier answer, not missing.'],
    ['wait_execution', { executionId: '' }, 'Argument "executionId" must be the executionId of an earlier answer, not "".'],
    ['wait_execution', { executionId: '../x' }, 'Argument "executionId" must be the executionId of an earlier answer, not "../x".'],
    ['wait_execution', { executionId: 'e'.repeat(101) }, 'Argument "executionId" must be the executionId of an earlier answer, not "eeee'],
    ['wait_execution', { executionId: 5 }, 'Argument "executionId" must be the executionId of an earlier answer, not 5.'],
    ['wait_execution', { executionId: 'e', timeoutMs: -1 }, 'Argument "timeoutMs" must be a whole number from 0 to 86400000 (ms), not -1.'],
    ['wait_execution', { executionId: 'e', timeoutMs: 86_400_001 }, 'Argument "timeoutMs" must be a whole number from 0 to 86400000'],
    [
      'wait_execution',
      { executionId: 'e', timeoutMs: 1.5 },
      'Argument "timeoutMs" must be a whole number from 0 to 86400000 (ms), not 1.5.',
    ],
    ['wait_execution', { executionId: 'e', timeoutMS: 1 }, 'Unknown argument "timeoutMS". Did you mean "timeoutMs"?'],
    ['cancel_execution', {}, 'Argument "executionId" must be the executionId of an earlier answer, not missing.'],
    ['cancel_execution', { executionId: 'e', force: true }, 'Unknown argument "force". Known are "executionId".'],
  ])('%s refuses %j by name, value and fix', async (tool, args, words) => {
    const answer = await client.callTool(tool, args);
    expect(answer.isError).toBe(true);
    const error = structured(answer)['error'] as { code: string; message: string; hint: string };
    expect(error.code).toBe('ERR_SERVER_INPUT');
    expect(error.message).toContain(words);
    expect(error.hint).toBe(`Correct the arguments of ${tool}.`);
  });

  test.each(['wait_execution', 'cancel_execution'])('%s knows nothing of an id that never was', async (tool) => {
    const answer = await client.callTool(tool, { executionId: 'exe_nobody' });
    expect(structured(answer)).toMatchObject({ status: 'failed', error: { code: 'ERR_EXECUTION_UNKNOWN' } });
  });
});

describe('runs that go on', () => {
  test('are told about in the text alone where answers are text', async () => {
    const { server, port } = await startFixture({ answers: 'text' });
    const client = await connect('v2 client, 2026-07-28', { url: server.url });
    const early = await client.call({ code: 'job:exe_text', answerAfterMs: 10 });
    expect(structured(early)).toEqual({ status: 'waiting', executionId: 'exe_text', restIn: 'text' });
    expect(early.content[0]?.text).toMatch(/^waiting: the run goes on; executionId: exe_text\nnext: .*wait_execution/);
    port.executions.finish('exe_text', 'completed', port.completes(5));
    const end = await client.callTool('wait_execution', { executionId: 'exe_text' });
    expect(end.content[0]?.text).toContain('result: 5');
    expect(structured(end)).not.toHaveProperty('result');
    await client.close();
    await server.close();
  });

  test('are answered with what they wait for when the server closes', async () => {
    const { server, port } = await startFixture();
    const client = await connect('v2 client, 2026-07-28', { url: server.url });
    const first = client.call({ code: 'job:exe_a' });
    await eventually(() => port.executions.waits === 1);
    port.executions.park('exe_a', [TOOL]);
    const wait = client.callTool('wait_execution', { executionId: 'exe_a' });
    await eventually(() => port.executions.waits === 2);
    await server.close();
    for (const answer of [first, wait]) expect(structured(await answer)).toMatchObject({ status: 'waiting', executionId: 'exe_a' });
    await client.close();
  });

  test('can be waited for by hundreds of requests at once, each with its answer', async () => {
    const { server, port } = await startFixture();
    port.executions.begin({ code: '' }, { signal: new AbortController().signal }, 'exe_many').catch(() => undefined);
    const headers = { ...JSON_TYPE, accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-11-25' };
    const params = { name: 'wait_execution', arguments: { executionId: 'exe_many' } };
    const waits = Array.from({ length: 200 }, (_, id) =>
      send(server.url, 'POST', headers, JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })),
    );
    await eventually(() => port.executions.waits === 201);
    port.executions.finish('exe_many', 'completed', port.completes('many'));
    for (const { status, body } of await Promise.all(waits)) expect([status, body.includes('"result":"many"')]).toEqual([200, true]);
    await server.close();
  });
});
