import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKeyRegister } from '../../src/access/key-register.ts';
import { JSON_TYPE, rpc, send } from '../server/raw-http.ts';
import { envelope, MODERN, read, type RpcAnswer } from '../server/task-client.ts';
import { Place } from './executions.ts';
import type { Ampoule } from './harness.ts';
import { until } from './processes.ts';

/** A server with two keys, and whoever has the one knows all ids of the other. */

const LEGACY = '2025-11-25';
const CAPABILITIES = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } };
const NEVER = 'exe_00000000-0000-4000-8000-000000000000';
const SLEEPS = 'await new Promise((resolve) => setTimeout(resolve, 300_000));';
const ASKS = 'import * as gates from "servers/gates"; return await gates.make({ name: "asked" });';
const LONG = 'return Array.from({ length: 500 }, (_, n) => `secret ${n}`);';
const MOST = 6;
const MiB = 1024 * 1024;

let place: Place;
let ampoule: Ampoule;
let [ann, ben] = ['', ''];

beforeAll(async () => {
  place = await Place.open();
  ampoule = await place.start({
    auth: { keys: true },
    limits: { hibernateAfterMs: 0, maxResultBytes: 1_024, maxWaitingRuns: MOST, maxStoredBytes: 4 * MiB },
    policies: { default: 'allow', servers: { gates: { tools: { make: { policy: 'ask' } } } } },
  });
  const register = openKeyRegister(join(place.directory, 'cache', 'keys.db'));
  [ann, ben] = [register.create({ name: 'ann' }).key, register.create({ name: 'ben' }).key];
  register.close();
});
afterAll(async () => {
  await ampoule.stop();
  await place[Symbol.asyncDispose]();
});

async function ask(key: string, version: string, method: string, params: Record<string, unknown>): Promise<RpcAnswer> {
  const name = params['name'] ?? params['taskId'] ?? params['uri'];
  const headers = { ...JSON_TYPE, 'mcp-protocol-version': version, authorization: `Bearer ${key}` };
  const modern = { 'mcp-method': method, ...(typeof name === 'string' && { 'mcp-name': name }) };
  const whole = version === MODERN ? { ...params, _meta: envelope(CAPABILITIES) } : params;
  return read((await send(ampoule.url, 'POST', { ...headers, ...(version === MODERN && modern) }, rpc(method, whole))).body);
}

async function call(key: string, tool: string, args: object, more: object = {}, version = LEGACY): Promise<Record<string, unknown>> {
  const { result } = await ask(key, version, 'tools/call', { name: tool, arguments: args, ...more });
  return (result?.['structuredContent'] ?? {}) as Record<string, unknown>;
}

async function begin(key: string, code: string): Promise<string> {
  const { executionId, status } = await call(key, 'execute_code', { code, wait: 'return-when-waiting' });
  expect(status).toMatch(/^(?:waiting|completed)$/);
  return String(executionId);
}

/** What is said about an execution, without its id. */
const said = (answer: unknown, id: string): string => JSON.stringify(answer).replaceAll(id, 'ID');

describe('what belongs to the executions of one key', () => {
  test('is to another one as if it never was, by whatever tool or method of whatever revision, and nothing happens to it', async () => {
    const ids = [await begin(ann, SLEEPS), await begin(ann, ASKS), await begin(ann, LONG)];
    const [asleep = '', asking = ''] = ids;
    const question = await ask(ann, MODERN, 'tasks/get', { taskId: asking });
    expect(question.result).toMatchObject({ status: 'input_required' });
    const inputResponses = Object.fromEntries(
      Object.keys(question.result?.['inputRequests'] ?? {}).map((id) => [id, { action: 'accept', content: { approve: true } }]),
    );
    const tries: ((id: string) => Promise<unknown>)[] = [
      (executionId) => call(ben, 'wait_execution', { executionId, timeoutMs: 0 }),
      (executionId) => call(ben, 'wait_execution', { executionId, timeoutMs: 50 }, {}, MODERN),
      (executionId) => call(ben, 'wait_execution', { executionId, timeoutMs: 50 }, { inputResponses }, MODERN),
      (executionId) => call(ben, 'cancel_execution', { executionId }),
      (executionId) => call(ben, 'cancel_execution', { executionId }, {}, MODERN),
      ...['tasks/get', 'tasks/cancel', 'tasks/result'].map((method) => (taskId: string) => ask(ben, LEGACY, method, { taskId })),
      ...['tasks/get', 'tasks/cancel'].map((method) => (taskId: string) => ask(ben, MODERN, method, { taskId })),
      (taskId) => ask(ben, MODERN, 'tasks/update', { taskId, inputResponses }),
    ];
    for (const attempt of tries) {
      const never = said(await attempt(NEVER), NEVER);
      expect(never).toContain('ERR_EXECUTION_UNKNOWN');
      for (const id of ids) expect(said(await attempt(id), id)).toBe(never);
    }
    expect((await ask(ben, LEGACY, 'tasks/list', {})).result).toEqual({ tasks: [] });
    const listed = (await ask(ann, LEGACY, 'tasks/list', {})).result?.['tasks'] as { taskId: string; status: string }[];
    expect(new Map(listed.map(({ taskId, status }) => [taskId, status]))).toEqual(
      new Map([asleep, asking, ids[2]].map((id, n) => [id, n < 2 ? 'working' : 'completed'])),
    );
    expect(place.sent('asked')).toEqual([]);

    expect(await ask(ann, MODERN, 'tasks/update', { taskId: asking, inputResponses })).toMatchObject({ result: {} });
    place.open('asked');
    expect(await call(ann, 'wait_execution', { executionId: asking, timeoutMs: 20_000 })).toMatchObject({ result: { name: 'asked' } });
    expect(await call(ann, 'cancel_execution', { executionId: asleep })).toMatchObject({ error: { code: 'ERR_EXECUTE_CANCELLED' } });
  });

  test('with the name that a request for answers is come back with, is of use to nobody else: not to wait, and not to agree', async () => {
    const first = await ask(ann, MODERN, 'tools/call', {
      name: 'execute_code',
      arguments: { code: ASKS.replace('asked', 'stolen'), wait: 'return-when-waiting' },
    });
    const { requestState, inputRequests = {} } = first.result as { requestState?: string; inputRequests?: object };
    const executionId = /^exe_[\w-]{36}/.exec(requestState ?? '')?.[0] ?? '';
    const inputResponses = Object.fromEntries(
      Object.keys(inputRequests).map((id) => [id, { action: 'accept', content: { approve: true } }]),
    );
    expect([requestState, Object.keys(inputResponses).length]).toEqual([expect.any(String), 1]);
    for (const [name, args] of [
      ['execute_code', { code: 'return 1;' }],
      ['wait_execution', { executionId }],
    ] as const) {
      const answer = await ask(ben, MODERN, 'tools/call', { name, arguments: args, requestState, inputResponses });
      expect(answer.error?.code).toBe(-32_602);
    }
    const own = await call(ann, 'wait_execution', { executionId, timeoutMs: 0 });
    expect(own).toMatchObject({ status: 'waiting', waiting: [{ kind: 'approval' }] });
    expect(place.sent('stolen')).toEqual([]);
    await call(ann, 'cancel_execution', { executionId });
  });
});

test('runs of one key that wait leave those of another room in the store', async () => {
  const large = (key: string): Promise<Record<string, unknown>> =>
    call(key, 'execute_code', { code: SLEEPS, input: 'x'.repeat(0.7 * MiB), wait: 'return-when-waiting' });
  const hers = [await large(ann), await large(ann)];
  expect(hers.map(({ status }) => status)).toEqual(['waiting', 'waiting']);
  const refused = (await large(ann))['error'] as { code: string; message: string };
  expect([refused.code, refused.message]).toEqual(['ERR_EXECUTION_FULL', expect.stringContaining(`limits.maxStoredBytes (${4 * MiB})`)]);
  expect(await call(ben, 'execute_code', { code: 'return 1;' })).toMatchObject({ result: 1 });
  const his = await begin(ben, SLEEPS);
  for (const { executionId } of hers) await call(ann, 'cancel_execution', { executionId });
  expect(await call(ann, 'execute_code', { code: 'return 1;' })).toMatchObject({ result: 1 });
  await call(ben, 'cancel_execution', { executionId: his });
});

test('runs of one key that wait leave room for those of another, up to the limit of all', async () => {
  const all: [key: string, id: string][] = [];
  const fill = async (key: string): Promise<unknown> => {
    for (;;) {
      const { executionId, status, error } = await call(key, 'execute_code', { code: SLEEPS, wait: 'return-when-waiting' });
      if (status !== 'waiting') return (error as { code: string }).code;
      all.push([key, String(executionId)]);
    }
  };
  expect(await fill(ann)).toBe('ERR_EXECUTION_FULL');
  const hers = all.length;
  expect(hers).toBeLessThan(MOST);
  expect(await call(ben, 'execute_code', { code: 'return 1;' })).toMatchObject({ result: 1 });
  expect(await fill(ben)).toBe('ERR_EXECUTION_FULL');
  expect(all.length).toBeGreaterThan(hers);
  expect(all.length).toBeLessThanOrEqual(MOST);
  for (const [key, executionId] of all) await call(key, 'cancel_execution', { executionId });
  await until('there is room again', async () => (await call(ann, 'execute_code', { code: 'return 1;' }))['result'] === 1);
});
