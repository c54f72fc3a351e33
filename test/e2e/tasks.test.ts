import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { expect, test } from 'vitest';
import { envelope, sendModern } from '../server/task-client.ts';
import { kill, Place } from './executions.ts';
import { until } from './processes.ts';

const SLEEPS = 'await new Promise((resolve) => setTimeout(resolve, 2_500)); return "slept";';
const ASKS = 'import * as gates from "servers/gates"; return await gates.make({ name: "made" });';
const CONFIG = {
  limits: { hibernateAfterMs: 0 },
  policies: { default: 'allow', servers: { gates: { tools: { make: { policy: 'ask' } } } } },
};
const CAPABILITIES = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } };

async function connectOld(url: string): Promise<OldClient> {
  const client = new OldClient({ name: 'test', version: '1' });
  await client.connect(new OldHttp(new URL(url)));
  await client.listTools();
  return client;
}

/** The id of a task of the v1 client, which then does not look at it any more. */
async function beginOld(client: OldClient, code: string): Promise<string> {
  for await (const message of client.experimental.tasks.callToolStream({ name: 'execute_code', arguments: { code } })) {
    if (message.type === 'taskCreated') return message.task.taskId;
  }
  throw new Error('There was no task');
}

function modern(url: string, method: string, params: object): Promise<Record<string, unknown>> {
  return sendModern(url, { method, params: { ...params, _meta: envelope(CAPABILITIES) } }).then(({ result = {} }) => result);
}

test('tasks of both revisions survive that the server is killed, with their questions', async () => {
  await using place = await Place.open();
  const first = await place.start(CONFIG);
  const before = await connectOld(first.url);
  const sleeping = await beginOld(before, SLEEPS);
  const { taskId: asking } = await modern(first.url, 'tools/call', { name: 'execute_code', arguments: { code: ASKS } });
  await before.close();
  await kill(first);

  const second = await place.start(CONFIG);
  const { url } = second;
  const client = await connectOld(url);
  const { tasks } = client.experimental;
  expect((await tasks.listTasks()).tasks.map(({ taskId }) => taskId)).toEqual([asking, sleeping]);
  const get = (): Promise<Record<string, unknown>> => modern(url, 'tasks/get', { taskId: asking });
  await until('the question is asked again', async () => (await get())['status'] === 'input_required');
  const { inputRequests = {} } = (await get()) as { inputRequests?: object };
  expect(Object.values(inputRequests)).toMatchObject([{ params: { message: expect.stringContaining('gates.make') as string } }]);
  const inputResponses = Object.fromEntries(Object.keys(inputRequests).map((id) => [id, { action: 'accept', content: { approve: true } }]));
  place.open('made');
  expect(await modern(url, 'tasks/update', { taskId: asking, inputResponses })).toMatchObject({ resultType: 'complete' });
  await until('it has completed', async () => (await get())['status'] === 'completed');
  expect(await get()).toMatchObject({ result: { structuredContent: { result: { name: 'made' } } } });
  expect(place.sent('made')).toEqual(['make']);
  expect(await tasks.getTaskResult(sleeping, CallToolResultSchema)).toMatchObject({ structuredContent: { result: 'slept' } });
  await client.close();
  await second.stop();
});
