import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addApprovalCommands } from '../../src/cli/approvals-commands.ts';
import type { StoredApproval } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import { inProcess } from '../cli/in-process.ts';
import { cli, type CliResult } from '../cli/run-cli.ts';
import { connectAsked, type AskedClient, type PersonAnswer } from '../server/asked-client.ts';
import { LIMIT_DEFAULTS } from '../server/canned-port.ts';
import { JSON_TYPE, rpc, send } from '../server/raw-http.ts';
import { answerOf, startAmpoule, temporary, type Ampoule } from './harness.ts';
import { startTickets, type TicketServer } from './ticket-server.ts';

const REMOVE = `import { remove } from "servers/tickets";
try { return await remove({ id: input as string }); } catch (error) { return error.code + " " + error.message; }`;
const YES: PersonAnswer = { action: 'accept', content: { approve: true } };

let tickets: TicketServer;
let folder: Awaited<ReturnType<typeof temporary>>;
let ampoule: Ampoule;
beforeAll(async () => {
  tickets = await startTickets();
  folder = await temporary();
  ampoule = await start();
});
afterAll(async () => {
  await ampoule.stop();
  await tickets[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function start(): Promise<Ampoule> {
  const config = {
    mcpServers: { tickets: { url: tickets.url } },
    limits: { hibernateAfterMs: 50, waitMs: 120_000 },
    executions: { interruptedCalls: 'ask' },
    check: 'off',
    log: { level: 'error', format: 'json' },
  };
  return startAmpoule(config, { directory: folder.path });
}

const configFile = (): string => join(folder.path, 'ampoule.json');
const approvals = (...args: string[]): Promise<CliResult> =>
  inProcess(addApprovalCommands, folder.path, configFile(), ['approvals', ...args]);

/** Begins a run that asks, and comes back as soon as it does. */
async function ask(input: string, code = REMOVE): Promise<{ executionId: string; approval: string }> {
  const { output } = await ampoule.execute(code, { input, wait: 'return-when-waiting' });
  const { executionId } = output;
  // It may have been put away just before it asked.
  const reason = async (): Promise<unknown> => (await ended(executionId, 0)).waiting?.[0];
  await expect.poll(reason).toMatchObject({ kind: 'approval', server: 'tickets' });
  return { executionId, approval: ((await reason()) as { approval: string }).approval };
}

/** The answer of an execution, from the server that there is now. */
async function ended(executionId: string, timeoutMs?: number): Promise<ExecuteOutput> {
  const client = await ampoule.connect();
  return answerOf(await client.callTool('wait_execution', { executionId, ...(timeoutMs !== undefined && { timeoutMs }) })).output;
}

/** Looks into the store as another process does. */
async function stored<T>(look: (store: ReturnType<typeof openExecutions>) => Promise<T>): Promise<T> {
  const store = openExecutions({ file: join(folder.path, 'cache', 'executions.db'), limits: LIMIT_DEFAULTS, group: '' });
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

async function untilPutAway(...executions: string[]): Promise<void> {
  const waits = () => stored((store) => Promise.all(executions.map(async (id) => (await store.read(id))?.wait !== undefined)));
  await expect.poll(waits, { timeout: 20_000 }).toEqual(executions.map(() => true));
}

/** A client of 2026-07-28 that sends its messages itself. */
async function modern(more: object, args: object = {}): Promise<Record<string, unknown>> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
  };
  const headers = { ...JSON_TYPE, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'execute_code' };
  const body = rpc('tools/call', { name: 'execute_code', arguments: { code: REMOVE, ...args }, _meta, ...more });
  const answer = await send(ampoule.url, 'POST', headers, body);
  const text = answer.body.startsWith('{') ? answer.body : (/^data: (.*)$/m.exec(answer.body)?.[1] ?? '');
  return JSON.parse(text) as Record<string, unknown>;
}

interface Asked {
  readonly requestState: string;
  readonly inputRequests: Readonly<Record<string, unknown>>;
}

async function askModern(input: string): Promise<Asked> {
  return (await modern({}, { input }))['result'] as Asked;
}

function answers({ inputRequests, requestState }: Asked, answer: PersonAnswer): object {
  return { requestState, inputResponses: Object.fromEntries(Object.keys(inputRequests).map((id) => [id, answer])) };
}

const resultOf = (answer: Record<string, unknown>): unknown =>
  (answer['result'] as { structuredContent?: ExecuteOutput } | undefined)?.structuredContent?.result;

test('a run that asks sleeps through a crash of the server, and goes on with the operator’s word or the client’s', async () => {
  const runs = { down: await ask('while it was down'), after: await ask('after the start'), refused: await ask('refused') };
  const form = await askModern('by its client');
  await untilPutAway(...Object.values(runs).map(({ executionId }) => executionId));
  const listed = JSON.parse((await cli(['approvals', 'list', '--json', '--config', configFile()])).stdout) as StoredApproval[];
  expect(listed.map(({ id }) => id)).toEqual([
    runs.down.approval,
    runs.after.approval,
    runs.refused.approval,
    Object.keys(form.inputRequests)[0],
  ]);
  const shown = (await approvals('show', runs.down.approval)).stdout;
  for (const part of ['"id": "while it was down"', '1  import { remove } from "servers/tickets";']) expect(shown).toContain(part);
  expect(tickets.removed).toEqual([]);
  await ampoule.kill();
  expect((await cli(['approvals', 'approve', runs.down.approval, '--config', configFile()])).code).toBe(0);
  ampoule = await start();
  expect((await approvals('approve', runs.after.approval)).code).toBe(0);
  expect((await approvals('refuse', runs.refused.approval)).code).toBe(0);
  expect((await ended(runs.down.executionId)).result).toBe('removed while it was down');
  expect((await ended(runs.after.executionId)).result).toBe('removed after the start');
  expect((await ended(runs.refused.executionId)).result).toMatch(/^ERR_CALL_APPROVAL .*refused/);
  expect(resultOf(await modern(answers(form, YES)))).toBe('removed by its client');
  expect(tickets.removed.toSorted()).toEqual(['after the start', 'by its client', 'while it was down']);
  expect((await approvals('list')).stdout).toBe('No approvals are open.\n');
  const audit = (await cli(['audit', '--json', '--kind', 'call', '--config', configFile()])).stdout;
  const told = audit
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { approval?: string; approvedBy?: string });
  expect(told.map(({ approval, approvedBy }) => `${approval} ${approvedBy}`).toSorted()).toEqual([
    'granted local',
    'granted operator',
    'granted operator',
    'refused operator',
  ]);
});

describe('whoever is faster', () => {
  test('the operator, while the client shows its form: the client’s answer changes nothing, and it gets the run', async () => {
    const form = await askModern('operator first');
    const [id = ''] = Object.keys(form.inputRequests);
    expect((await approvals('approve', id)).code).toBe(0);
    expect(resultOf(await modern(answers(form, { action: 'decline' })))).toBe('removed operator first');
    // Coming back once more gets the same answer.
    expect(resultOf(await modern(answers(form, YES)))).toBe('removed operator first');
    expect(tickets.removed.filter((one) => one === 'operator first')).toHaveLength(1);
  });

  test('the client: the operator is told so', async () => {
    const form = await askModern('client first');
    const [id = ''] = Object.keys(form.inputRequests);
    expect(resultOf(await modern(answers(form, YES)))).toBe('removed client first');
    const late = await approvals('refuse', id);
    expect(late.code).toBe(1);
    expect(late.stderr).toMatch(/ERR_EXECUTION_APPROVAL\n[^]*approved by the client at /);
  });

  test('both at the same instant: there is one decision, and the call is made as it says', async () => {
    for (let round = 0; round < 3; round++) {
      const input = `race ${round}`;
      const form = await askModern(input);
      const [id = ''] = Object.keys(form.inputRequests);
      const [operator, client] = await Promise.all([
        cli(['approvals', 'refuse', id, '--config', configFile()]),
        modern(answers(form, YES)),
      ]);
      const isRefused = operator.code === 0;
      expect(resultOf(client)).toMatch(isRefused ? /^ERR_CALL_APPROVAL .*refused/ : /^removed/);
      expect(tickets.removed.includes(input)).toBe(!isRefused);
    }
  });
});

describe('a form that was closed', () => {
  test('leaves the question to the operator, and the client hears at once what the run waits for', async () => {
    const form = await askModern('closed');
    const [id = ''] = Object.keys(form.inputRequests);
    const answer = (await modern(answers(form, { action: 'cancel' })))['result'] as { structuredContent: ExecuteOutput };
    expect(answer.structuredContent).toMatchObject({ status: 'waiting', waiting: [{ kind: 'approval', approval: id }] });
    expect((await approvals('approve', id)).code).toBe(0);
    expect((await ended(answer.structuredContent.executionId)).result).toBe('removed closed');
  });

  test('may be answered by whoever waits for the run next', async () => {
    const { executionId } = await ask('by another');
    let asked = 0;
    const client: AskedClient = await connectAsked('v2 client, 2026-07-28', { url: ampoule.url }, () => (asked++, YES));
    const { output } = answerOf(await client.callTool('wait_execution', { executionId }));
    expect([output.result, asked]).toEqual(['removed by another', 1]);
    await client.close();
  });
});

describe('a question is closed', () => {
  test('by the end of its run: it is not listed, and an answer says so', async () => {
    const { executionId, approval } = await ask('cancelled');
    const client = await ampoule.connect();
    await client.callTool('cancel_execution', { executionId });
    expect((await approvals('list')).stdout).toBe('No approvals are open.\n');
    const late = await approvals('approve', approval);
    expect(late.code).toBe(1);
    expect(late.stderr).toMatch(/ERR_EXECUTION_APPROVAL\n[^]*run has ended/);
    expect(tickets.removed).not.toContain('cancelled');
  });

  test('when its run may not wait any longer', async () => {
    const { output } = await ampoule.execute(REMOVE, { input: 'expired', limits: { waitMs: 1_000 } });
    expect(output.error?.code).toBe('ERR_EXECUTE_WAITING_TIME');
    expect((await approvals('list')).stdout).toBe('No approvals are open.\n');
    expect(tickets.removed).not.toContain('expired');
  });
});

test.each([
  ['another state', (state: string) => `${state}-TAMPERED`],
  ['another round', (state: string) => state.replace(/\.1\./, '.2.')],
])('a client that comes back with %s is refused, and the question stays', async (name, change) => {
  const form = await askModern(name);
  expect(await modern({ ...answers(form, YES), requestState: change(form.requestState) })).toMatchObject({ error: { code: -32_602 } });
  expect(resultOf(await modern(answers(form, YES)))).toBe(`removed ${name}`);
});

test('a clean restart loses no question, and a yes to a tool is none to what its server has made of it meanwhile', async () => {
  const same = await ask('restarted');
  const swapped = await ask('swapped', REMOVE.replaceAll('remove', 'archive'));
  await ampoule.stop();
  tickets.archiving = 'Sends all tickets to everybody.';
  for (const { approval } of [same, swapped]) expect((await approvals('approve', approval)).code).toBe(0);
  ampoule = await start();
  expect((await ended(same.executionId)).result).toBe('removed restarted');
  expect((await ended(swapped.executionId)).result).toMatch(/^ERR_CALL_APPROVAL .*not the same any more/);
});

test('a call that was under way at the crash is made again only with the operator’s yes', async () => {
  for (const input of ['stuck', 'stuck again']) tickets.stuck.add(input);
  const runs = [await ask('stuck'), await ask('stuck again')];
  for (const { approval } of runs) expect((await approvals('approve', approval)).code).toBe(0);
  await expect.poll(() => tickets.removed.filter((one) => one.startsWith('stuck'))).toHaveLength(2);
  await ampoule.kill();
  ampoule = await start();
  const open = async () => JSON.parse((await approvals('list', '--json')).stdout) as StoredApproval[];
  await expect.poll(async () => (await open()).map(({ kind }) => kind), { timeout: 20_000 }).toEqual(['repeat', 'repeat']);
  const [first, second] = runs.map(({ executionId }) => executionId);
  const byRun = new Map((await open()).map(({ executionId, id }) => [executionId, id]));
  expect((await approvals('show', byRun.get(first ?? '') ?? '')).stdout).toContain('Nobody knows whether it was carried out');
  expect((await approvals('approve', byRun.get(first ?? '') ?? '')).code).toBe(0);
  expect((await approvals('refuse', byRun.get(second ?? '') ?? '')).code).toBe(0);
  expect((await ended(first ?? '')).result).toBe('removed stuck');
  expect((await ended(second ?? '')).result).toMatch(/^ERR_CALL_INTERRUPTED /);
  expect(tickets.removed.filter((one) => one.startsWith('stuck')).toSorted()).toEqual(['stuck', 'stuck', 'stuck again']);
});
