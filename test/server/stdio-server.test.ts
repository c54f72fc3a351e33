import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { executeOutputSchema } from '../../src/result/output-schema.ts';
import { serveStdio } from '../../src/server/stdio-server.ts';
import type { StdioServerOptions } from '../../src/server/stdio-server.ts';
import { createCannedPort, LIMIT_DEFAULTS } from './canned-port.ts';
import { connect, LANES } from './clients.ts';
import { eventually } from './http-fixture.ts';

const PROGRAM = new URL('stdio-program.ts', import.meta.url).pathname;

describe.each(LANES)('execute_code over stdio with the %s', (lane) => {
  test('lists, runs, reports progress, cancels, waits and ends', async () => {
    const client = await connect(lane, { program: PROGRAM });
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
      'execute_code',
      'search_tools',
      'wait_execution',
      'cancel_execution',
    ]);
    const answer = await client.call({ code: 'echo', input: { deep: [true, null] } });
    expect(executeOutputSchema.parse(answer.structuredContent).result).toEqual({ deep: [true, null] });
    const seen: number[] = [];
    await client.call({ code: 'progress:60' }, { onprogress: ({ progress }) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(1);
    const abort = new AbortController();
    const call = client.call({ code: 'wait' }, { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(call).rejects.toBeInstanceOf(Error);
    expect((await client.call({ code: 'echo', input: 5 })).structuredContent).toMatchObject({ result: 5 });
    const executionId = 'exe_stdio';
    const asking = await client.call({ code: `asks:${executionId}`, wait: 'return-when-waiting' });
    expect(asking.structuredContent).toMatchObject({ status: 'waiting', executionId, waiting: [{ kind: 'approval', approval: 'apr_1' }] });
    const now = await client.callTool('wait_execution', { executionId, timeoutMs: 0 });
    expect(now.structuredContent).toEqual(asking.structuredContent);
    const ended = await client.callTool('cancel_execution', { executionId });
    expect(ended.structuredContent).toMatchObject({ status: 'failed', error: { code: 'ERR_EXECUTE_CANCELLED' } });
    await client.close();
  });
});

describe('the stdio program', () => {
  const children: ChildProcessWithoutNullStreams[] = [];
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));
  const start = (): ChildProcessWithoutNullStreams => {
    const child = spawn(process.execPath, [PROGRAM]);
    children.push(child);
    return child;
  };

  test('ends with code 0 when stdin closes, in the middle of a run too', async () => {
    const child = start();
    child.stdin.write(`${JSON.stringify(initialize)}\n`);
    await once(child.stdout, 'data');
    child.stdin.end(`${call({ code: 'wait' })}\n`);
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(0);
  });

  test('reads messages that come byte by byte, in the middle of characters too', async () => {
    const child = start();
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const input = 'ü€😀\u2028';
    for (const byte of Buffer.from(`${JSON.stringify(initialize)}\n${call({ code: 'echo', input }, 2)}\n`)) {
      await new Promise<void>((resolve) => child.stdin.write(Buffer.of(byte), () => resolve()));
    }
    await eventually(() => text.includes('"id":2'));
    expect(text).toContain('ü€😀');
  });

  test('writes nothing but MCP messages to stdout, whatever it reads', async () => {
    const child = start();
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const lines = ['{', 'nonsense', '[]', '{"jsonrpc":"2.0","method":5}', JSON.stringify(initialize), call({ code: 'crash' }, 2)];
    // Split at odd places, so that messages never arrive in one piece.
    for (const piece of `${lines.join('\n')}\n`.match(/[^]{1,7}/g) ?? []) child.stdin.write(piece);
    const text = (): string => Buffer.concat(chunks).toString();
    await eventually(() => text().includes('ERR_INTERNAL'));
    const messages = text()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { jsonrpc: string; id: number });
    expect(messages.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
    expect(messages.map(({ id }) => id).slice(-2)).toEqual([1, 2]);
  });
});

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } },
};

function call(args: unknown, id = 3): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'execute_code', arguments: args } });
}

function serve(options: Partial<StdioServerOptions> = {}) {
  const port = createCannedPort();
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const silent = (): void => undefined;
  const log = { info: silent, warn: silent, error: silent };
  const server = serveStdio({ port, serverInfo: { name: 'a', version: '1' }, limits: LIMIT_DEFAULTS, log, stdin, stdout, ...options });
  let written = '';
  stdout.on('data', (chunk: Buffer) => (written += chunk.toString()));
  return { port, stdin, server, written: () => written };
}

describe('serveStdio', () => {
  test('cancels the run and sends nothing more when stdin closes', async () => {
    const { port, stdin, server, written } = serve();
    stdin.write(`${JSON.stringify(initialize)}\n${call({ code: 'wait' })}\n`);
    await eventually(() => port.requests.length === 1);
    stdin.end();
    await server.closed;
    expect(port.aborted).toEqual(['wait']);
    expect(written()).not.toContain('"id":3');
  });

  test('answers what is running with ERR_SERVER_CLOSING when it is closed', async () => {
    const { port, stdin, server, written } = serve();
    stdin.write(`${JSON.stringify(initialize)}\n${call({ code: 'wait' })}\n`);
    await eventually(() => port.requests.length === 1);
    await server.close();
    await server.closed;
    expect(written()).toContain('ERR_SERVER_CLOSING');
  });

  test('sends no progress after the answer, and none that still waited for its turn', async () => {
    const { stdin, server, written } = serve();
    const withToken = (code: string, id: number): string => {
      const params = { name: 'execute_code', arguments: { code }, _meta: { progressToken: id } };
      return `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params })}\n`;
    };
    stdin.write(`${JSON.stringify(initialize)}\n${withToken('late-progress', 5)}${withToken('progress:3', 6)}`);
    await eventually(() => written().includes('"id":5') && written().includes('"id":6'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written()).toContain('"progressToken":6,"progress":1');
    expect(written()).not.toContain('too late');
    expect(written()).not.toContain('step 3');
    await server.close();
  });

  test('goes on after a message that is nested thousands of levels deep', async () => {
    const { stdin, server, written } = serve();
    const deep = call({ code: 'echo', input: 'DEEP' }).replace('"DEEP"', `${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    stdin.write(`${JSON.stringify(initialize)}\n${deep}\n${call({ code: 'echo', input: 'fine' }, 8)}\n`);
    await eventually(() => written().includes('"id":8'));
    expect(written()).toContain('fine');
    await server.close();
  });

  test('ends when a message is over the limit', async () => {
    const { stdin, server } = serve({ maxBodyBytes: 1_000 });
    stdin.write('x'.repeat(2_000));
    await expect(server.closed).resolves.toBeUndefined();
  });

  test('tells the client when the tool description changed', async () => {
    const { port, stdin, server, written } = serve();
    stdin.write(`${JSON.stringify(initialize)}\n${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
    await eventually(() => written().includes('"id":1'));
    port.describeAs({ wrappers: { hash: 'cd', files: new Map(), tools: [] }, catalog: { servers: [] } });
    server.toolsChanged();
    await eventually(() => written().includes('notifications/tools/list_changed'));
    stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 9, method: 'tools/list' })}\n`);
    await eventually(() => written().includes('"id":9'));
    expect(written()).toContain('No MCP server is connected');
    await server.close();
  });
});
