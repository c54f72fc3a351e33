import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import { PNG } from './canned-port.ts';
import { connect, LANES } from './clients.ts';
import type { CallAnswer, TestClient } from './clients.ts';
import { eventually, startFixture } from './http-fixture.ts';
import type { HttpFixture } from './http-fixture.ts';

function output(answer: CallAnswer) {
  return executeOutputSchema.parse(answer.structuredContent);
}

describe.each(LANES)('execute_code over HTTP with the %s', (lane) => {
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

  test('is the one tool, with schemas, annotations and a description that names the functions', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['execute_code', 'search_tools', 'wait_execution', 'cancel_execution']);
    expect(tools[0]?.description).toContain('- listIssues({ repo: string }) // Lists issues');
    expect(tools[0]?.inputSchema).toMatchObject({ type: 'object', required: ['code'] });
    expect(tools[0]?.outputSchema).toMatchObject({ type: 'object', required: ['status', 'executionId'] });
    expect(tools[0]?.annotations).toMatchObject({ readOnlyHint: false, destructiveHint: true, openWorldHint: true });
  });

  test('returns the result as structured content and as a short text', async () => {
    const answer = await client.call({ code: 'echo', input: { a: [1, 2] } });
    expect(answer.isError ?? false).toBe(false);
    expect(output(answer)).toMatchObject({ status: 'completed', result: { a: [1, 2] }, session: 'ses_test', executionId: 'exec_1' });
    expect(answer.content).toHaveLength(1);
    expect(answer.content[0]?.text).toContain('completed');
  });

  test('passes every argument on', async () => {
    await client.call({ code: 'echo', input: 1, session: 'ses_x', limits: { timeoutMs: 100, servers: ['github'] } });
    expect(fixture.port.requests.at(-1)).toEqual({
      code: 'echo',
      input: 1,
      session: 'ses_x',
      limits: { timeoutMs: 100, servers: ['github'] },
    });
  });

  test('passes images on as content and leaves a placeholder in the result', async () => {
    const answer = await client.call({ code: 'image' });
    expect(answer.content[1]).toEqual({ type: 'image', mimeType: 'image/png', data: PNG });
    expect(output(answer).result).toEqual({ type: 'image', mimeType: 'image/png', bytes: 70, contentIndex: 1 });
  });

  test('answers a failed run as a tool error with structured content', async () => {
    const answer = await client.call({ code: 'ho ho' });
    expect(answer.isError).toBe(true);
    expect(output(answer).error).toMatchObject({ code: 'ERR_BUNDLE_SYNTAX', location: { line: 1, column: 3, source: 'ho ho' } });
    expect(answer.content[0]?.text).toBe('failed: ERR_BUNDLE_SYNTAX; the error is in structuredContent.error');
  });

  test('answers arguments that do not fit as a tool error that names the nearest right key', async () => {
    const answer = await client.call({ cod: 'echo' });
    expect(answer.isError).toBe(true);
    const { error } = output(answer);
    expect(error?.code).toBe('ERR_SERVER_INPUT');
    expect(JSON.stringify(error)).toContain('Did you mean \\"code\\"?');
  });

  test('tells the agent to try again when the sandbox is busy', async () => {
    const { error } = output(await client.call({ code: 'busy' }));
    expect(error).toMatchObject({ code: 'ERR_EXECUTE_BUSY', hint: expect.stringContaining('again') });
  });

  test('shows nothing of an unexpected error and logs all of it', async () => {
    const answer = await client.call({ code: 'crash' });
    expect(output(answer).error?.code).toBe('ERR_INTERNAL');
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(fixture.logged.join('\n')).toContain('/secret/place/token.txt');
  });

  test('cancels the run when the client cancels the request, and goes on serving', async () => {
    const abort = new AbortController();
    const code = `wait:${lane}`;
    const call = client.call({ code }, { signal: abort.signal });
    await eventually(() => fixture.port.requests.some((request) => request.code === code));
    abort.abort();
    await expect(call).rejects.toBeInstanceOf(Error);
    await eventually(() => fixture.port.aborted.includes(code));
    expect(output(await client.call({ code: 'echo', input: 4 })).result).toBe(4);
  });

  test('cancels only the request that was cancelled', async () => {
    const abort = new AbortController();
    const cancelled = client.call({ code: 'wait:first' }, { signal: abort.signal });
    const other = client.call({ code: 'sleep:150' });
    await eventually(() => fixture.port.requests.some(({ code }) => code === 'wait:first'));
    abort.abort();
    await expect(cancelled).rejects.toBeInstanceOf(Error);
    expect(output(await other).result).toBe('slept');
  });

  test('reports progress that rises, at most five times in a second, and not after the end', async () => {
    const seen: number[] = [];
    const begin = Date.now();
    const answer = await client.call({ code: 'progress:100' }, { onprogress: ({ progress }) => seen.push(progress) });
    const seconds = (Date.now() - begin) / 1_000;
    expect(output(answer).result).toBe('reported');
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen.length).toBeLessThanOrEqual(1 + Math.ceil(seconds * 5));
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    const late: number[] = [];
    await client.call({ code: 'late-progress' }, { onprogress: ({ progress }) => late.push(progress) });
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(late).toEqual([]);
  });

  test('asks for no progress when the client does not want any', async () => {
    expect(output(await client.call({ code: 'progress:2' })).result).toBe('silent');
  });

  test('serves two clients at once, each with its own answers', async () => {
    const second = await connect(lane, { url: fixture.server.url });
    const calls = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? client : second).call({ code: 'echo', input: index }));
    expect((await Promise.all(calls)).map((answer) => output(answer).result)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    await second.close();
  });
});
