import { afterAll, describe, expect, test } from 'vitest';
import { connectTasks, envelope, MODERN, sendModern } from './task-client.ts';
import { failing, startTasks, TOOL } from './task-fixture.ts';

const TASKS = { extensions: { 'io.modelcontextprotocol/tasks': {} } };

const { server, port, begun, nextId } = await startTasks();
afterAll(() => server.close());

describe.concurrent.each(['2025-11-25', MODERN] as const)('tasks of %s with the official tasks client', (revision) => {
  test('run from their creation to their result', async () => {
    await using client = await connectTasks(revision, server.url);
    const id = nextId();
    const execution = await client.session.callTool('execute_code', { code: `job:${id}` }, { task: { preference: 'prefer' } });
    expect(execution.kind).toBe('task');
    port.executions.finish(id, 'completed', port.completes({ b: 2 }));
    const { outcome } = await execution.settle();
    expect(outcome).toMatchObject({ status: 'completed', result: { structuredContent: { executionId: id, result: { b: 2 } } } });
  });

  test('are cancelled', async () => {
    await using client = await connectTasks(revision, server.url);
    const id = nextId();
    const execution = await client.session.callTool('execute_code', { code: `job:${id}` }, { task: { preference: 'prefer' } });
    await execution.cancel();
    expect((await execution.settle()).outcome.status).toBe('cancelled');
    expect(port.executions.state(id)).toBe('cancelled');
  });
});

describe.concurrent('questions of tasks of 2026-07-28', () => {
  test.each([
    [{ action: 'accept', content: { approve: true } }, { granted: true }],
    [{ action: 'decline' }, { granted: false, reason: 'refused' }],
  ] as const)('are put before the user of the client, who says %j', async (said, result) => {
    const heard: string[] = [];
    await using client = await connectTasks(MODERN, server.url, (message) => {
      heard.push(message);
      return said;
    });
    const execution = await client.session.callTool('execute_code', { code: `asks:${nextId()}` });
    expect((await execution.settle()).outcome).toMatchObject({ result: { structuredContent: { result } } });
    expect(heard).toEqual(['May it drop?']);
  });

  test('go to the operator where the client has no user to ask, and answers to others change nothing', async () => {
    const id = nextId();
    await sendModern(server.url, {
      method: 'tools/call',
      params: { name: 'execute_code', arguments: { code: `asks:${id}` }, _meta: envelope(TASKS) },
    });
    const get = async (capabilities: object) =>
      (await sendModern(server.url, { method: 'tasks/get', params: { taskId: id, _meta: envelope(capabilities) } })).result;
    expect(await get(TASKS)).toMatchObject({ status: 'working', statusMessage: expect.stringContaining('`ampoule approvals`') as string });
    const inputRequests = { apr_1: { method: 'elicitation/create', params: { message: 'May it drop?' } } };
    expect(await get({ ...TASKS, elicitation: {} })).toMatchObject({ status: 'input_required', inputRequests });
    const inputResponses = { apr_other: { action: 'accept', content: { approve: true } } };
    const update = await sendModern(server.url, {
      method: 'tasks/update',
      params: { taskId: id, inputResponses, _meta: envelope(TASKS) },
    });
    expect(update.result).toMatchObject({ resultType: 'complete' });
    expect(await get({ ...TASKS, elicitation: {} })).toMatchObject({ status: 'input_required' });
  });
});

describe.concurrent('tasks of 2026-07-28', () => {
  const get = (taskId: string, capabilities: object = TASKS) =>
    sendModern(server.url, { method: 'tasks/get', params: { taskId, _meta: envelope(capabilities) } });
  const call = (args: object, capabilities: object = TASKS, name = 'execute_code') =>
    sendModern(server.url, { method: 'tools/call', params: { name, arguments: args, _meta: envelope(capabilities) } });

  test('are offered as an extension, and nothing is left of the older ones', async () => {
    const { result } = await sendModern(server.url, { method: 'server/discover', params: { _meta: envelope({}) } });
    const capabilities = result?.['capabilities'] as { extensions: object; tasks?: unknown };
    expect(capabilities.extensions).toHaveProperty(['io.modelcontextprotocol/tasks'], {});
    expect(capabilities.tasks).toBeUndefined();
    const list = await sendModern(server.url, { method: 'tools/list', params: { _meta: envelope({}) } });
    expect(JSON.stringify(list)).not.toContain('taskSupport');
    for (const method of ['tasks/result', 'tasks/list']) {
      const answer = await sendModern(server.url, { method, params: { taskId: 'x', _meta: envelope(TASKS) } });
      expect(answer.error?.code).toBe(-32_601);
    }
  });

  test('are made of runs that go on, and of no others', async () => {
    const id = nextId();
    expect((await call({ code: 'echo', input: 5 })).result).toMatchObject({ resultType: 'complete', structuredContent: { result: 5 } });
    expect((await call({ code: `job:${id}` })).result).toMatchObject({
      resultType: 'task',
      taskId: id,
      status: 'working',
      ttlMs: 60_000,
      pollIntervalMs: 1_000,
    });
    expect((await get(id)).result).toMatchObject({ resultType: 'complete', taskId: id, status: 'working' });
  });

  test('are not made where the caller wants to be answered itself, nor for clients without them', async () => {
    const plain = async (args: object, capabilities?: object) => (await call(args, capabilities)).result?.['resultType'];
    expect(await plain({ code: `job:${nextId()}`, answerAfterMs: 10 })).toBe('complete');
    expect(await plain({ code: `job:${nextId()}`, answerAfterMs: 10 }, {})).toBe('complete');
    const id = nextId();
    const answer = call({ code: `job:${id}`, wait: 'return-when-waiting' });
    await begun(id);
    port.executions.park(id, [TOOL]);
    expect((await answer).result).toMatchObject({ resultType: 'complete', structuredContent: { status: 'waiting' } });
  });

  test('have completed when the program failed, and failed when we did', async () => {
    const [thrown, internal] = [nextId(), nextId()];
    for (const id of [thrown, internal]) await call({ code: `job:${id}` });
    port.executions.finish(thrown, 'failed', failing('ERR_EXECUTE_THROWN'));
    port.executions.finish(internal, 'failed', failing('ERR_INTERNAL'));
    expect((await get(thrown)).result).toMatchObject({ status: 'completed', result: { resultType: 'complete', isError: true } });
    const { result } = await get(internal);
    expect(result).toMatchObject({ status: 'failed', error: { code: -32_603 } });
    expect(result).not.toHaveProperty('result');
  });

  test('are for clients that have the extension', async () => {
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const params = { taskId: 'exe_1', inputResponses: {}, _meta: envelope({}) };
      expect((await sendModern(server.url, { method, params })).error).toMatchObject({
        code: -32_021,
        data: { requiredCapabilities: TASKS },
      });
    }
  });

  test('that never were are unknown', async () => {
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const params = { taskId: 'exe_nobody', inputResponses: {}, _meta: envelope(TASKS) };
      expect((await sendModern(server.url, { method, params })).error?.code).toBe(-32_602);
    }
  });
});
