import { fileURLToPath } from 'node:url';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './http-fixture.ts';
import { ASKED, failing, startTasks, TOOL } from './task-fixture.ts';

const PROGRAM = fileURLToPath(new URL('./stdio-program.ts', import.meta.url));

const { server, port, begun, nextId } = await startTasks();
afterAll(() => server.close());

describe('tasks of 2025-11-25 with the v1 client', () => {
  let client: OldClient;
  beforeAll(async () => {
    client = new OldClient({ name: 'test', version: '1' });
    await client.connect(new OldHttp(new URL(server.url)));
    await client.listTools();
  });
  afterAll(() => client.close());

  /** All that the stream of a call says. */
  async function stream(args: Record<string, unknown>, meanwhile?: () => Promise<void>) {
    const messages: { type: string; task?: object; result?: object; error?: Error }[] = [];
    const done = (async () => {
      for await (const message of client.experimental.tasks.callToolStream({ name: 'execute_code', arguments: args })) {
        messages.push(message);
      }
    })();
    await meanwhile?.();
    await done;
    return messages;
  }

  test('are offered, and execute_code may be one', async () => {
    expect(client.getServerCapabilities()?.tasks).toEqual({ list: {}, cancel: {}, requests: { tools: { call: {} } } });
    const { tools } = await client.listTools();
    expect(tools.map(({ name, execution }) => [name, execution?.taskSupport])).toEqual([
      ['execute_code', 'optional'],
      ['search_tools', undefined],
      ['wait_execution', undefined],
      ['cancel_execution', undefined],
    ]);
  });

  test('run from their creation to their result, whatever the call says of its answer', async () => {
    const id = nextId();
    const messages = await stream({ code: `job:${id}`, wait: 'completed', answerAfterMs: 60_000 }, async () => {
      await begun(id);
      port.executions.finish(id, 'completed', port.completes({ a: 1 }));
    });
    expect(messages[0]).toMatchObject({ type: 'taskCreated', task: { taskId: id, ttl: 60_000, pollInterval: 1_000 } });
    expect(messages.at(-1)).toMatchObject({
      type: 'result',
      result: {
        structuredContent: { status: 'completed', executionId: id, result: { a: 1 } },
        _meta: { 'io.modelcontextprotocol/related-task': { taskId: id } },
      },
    });
  });

  test('say what they wait for, and are listed and cancelled', async () => {
    const id = nextId();
    const { tasks } = client.experimental;
    await client.callTool({ name: 'execute_code', arguments: { code: `job:${id}`, answerAfterMs: 10 } });
    port.executions.park(id, [TOOL]);
    expect(await tasks.getTask(id)).toMatchObject({
      status: 'working',
      statusMessage: 'Waits for github.list_issues',
      pollInterval: 5_000,
    });
    expect((await tasks.listTasks()).tasks[0]).toMatchObject({ taskId: id, status: 'working' });
    expect(await tasks.cancelTask(id)).toMatchObject({ taskId: id, status: 'cancelled' });
    await expect(tasks.cancelTask(id)).rejects.toThrow('The task has ended: it is cancelled.');
    expect(await tasks.getTaskResult(id, CallToolResultSchema)).toMatchObject({ isError: true });
  });

  test('that wait for the operator go on working, because this client cannot be asked', async () => {
    const id = nextId();
    await client.callTool({ name: 'execute_code', arguments: { code: `job:${id}`, answerAfterMs: 10 } });
    port.executions.park(id, [ASKED]);
    const task = await client.experimental.tasks.getTask(id);
    expect(task).toMatchObject({ status: 'working', statusMessage: expect.stringContaining('`ampoule approvals`') as string });
  });

  test('fail when the program fails, with the reason', async () => {
    const id = nextId();
    await client.callTool({ name: 'execute_code', arguments: { code: `job:${id}`, answerAfterMs: 10 } });
    port.executions.finish(id, 'failed', failing('ERR_EXECUTE_THROWN'));
    expect(await client.experimental.tasks.getTask(id)).toMatchObject({
      status: 'failed',
      statusMessage: 'ERR_EXECUTE_THROWN: It went wrong.',
    });
    const result = await client.experimental.tasks.getTaskResult(id, CallToolResultSchema);
    expect(result).toMatchObject({ isError: true, structuredContent: { error: { code: 'ERR_EXECUTE_THROWN' } } });
  });

  test.each([
    [{ code: 'ho ho' }, 'ERR_BUNDLE_SYNTAX: Unexpected token\nCorrect the code at the location'],
    [{ cod: 'x' }, 'ERR_SERVER_INPUT: Unknown argument "cod"'],
    [{ code: 'job:exe_no', answerAfterMs: 9 }, 'ERR_SERVER_INPUT: Argument "answerAfterMs" must be'],
    [{ code: 'job:exe_no', answerAfterMs: 'soon' }, 'ERR_SERVER_INPUT: Argument "answerAfterMs" must be'],
    [{ code: 'crash' }, 'ERR_INTERNAL: Something went wrong inside the sandbox.'],
  ])('that fail before they are one are errors that say why: %j', async (args, words) => {
    const [message] = await stream(args);
    expect(message?.error?.message).toContain(words);
  });

  test('result of one that goes on comes with its end', async () => {
    const id = nextId();
    await client.callTool({ name: 'execute_code', arguments: { code: `job:${id}`, answerAfterMs: 10 } });
    const result = client.experimental.tasks.getTaskResult(id, CallToolResultSchema);
    await eventually(() => port.executions.waits === 1);
    port.executions.finish(id, 'completed', port.completes('end'));
    expect(await result).toMatchObject({ structuredContent: { result: 'end' } });
  });

  test.each(['getTask', 'cancelTask'] as const)('%s knows nothing of an id that never was', async (method) => {
    await expect(client.experimental.tasks[method]('exe_nobody')).rejects.toThrow('ERR_EXECUTION_UNKNOWN: there is no task by that id.');
  });

  test('are plain answers of runs of which nothing is kept', async () => {
    const params = { name: 'execute_code', arguments: { code: 'echo', input: 7 }, task: {} };
    const answer = await client.request({ method: 'tools/call', params }, CallToolResultSchema);
    expect(answer.structuredContent).toMatchObject({ status: 'completed', result: 7 });
  });

  test('are refused of other tools, and lists have one page', async () => {
    const call = client.request({ method: 'tools/call', params: { name: 'search_tools', arguments: {}, task: {} } }, CallToolResultSchema);
    await expect(call).rejects.toThrow('The tool search_tools cannot be called as a task.');
    await expect(client.experimental.tasks.listTasks('2')).rejects.toThrow('one page');
  });
});

test('tasks of 2025-11-25 over stdio ask the user of the client while their result is waited for', async () => {
  const client = new OldClient({ name: 'test', version: '1' }, { capabilities: { elicitation: {} } });
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
    action: 'accept',
    content: { approve: params.message === 'May it drop?' },
  }));
  await client.connect(new OldStdio({ command: process.execPath, args: [PROGRAM] }));
  await client.listTools();
  const messages: { type: string; task?: { status: string }; result?: object }[] = [];
  for await (const message of client.experimental.tasks.callToolStream({ name: 'execute_code', arguments: { code: 'asks:exe_a' } })) {
    messages.push(message);
  }
  expect(messages.at(-2)?.task?.status).toBe('input_required');
  expect(messages.at(-1)?.result).toMatchObject({ structuredContent: { result: { granted: true } } });
  await client.close();
});
