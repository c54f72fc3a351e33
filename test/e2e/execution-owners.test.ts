import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openKeyRegister } from '../../src/access/key-register.ts';
import { openAuditRegister } from '../../src/audit/audit-register.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { createLog } from '../../src/log.ts';
import { openSandbox, type OpenSandbox } from '../../src/open-sandbox.ts';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import type { ExecuteOptions, ExecuteRequest } from '../../src/server/sandbox-port.ts';
import { LIMIT_VALUES } from '../policy/policies.ts';
import { temporary, writeConfig } from './harness.ts';
import { until } from './processes.ts';

/** A sandbox in this process, where a run can be anybody's, that is closed and opened again. */

const SLEEP = (ms: number): string => `await new Promise((resolve) => setTimeout(resolve, ${ms}));`;
const OPEN = new AbortController().signal;

let folder: Awaited<ReturnType<typeof temporary>>;
let cache = '';
let sandbox: OpenSandbox;

async function open(limits: object = {}): Promise<void> {
  const quiet = {
    check: 'off',
    log: { level: 'silent' },
    auth: { keys: true },
    audit: {},
    limits: { hibernateAfterMs: 0, ...limits },
    executions: { group: 'owners' },
    mcpServers: {},
  };
  const config = await loadConfig({ file: await writeConfig(folder.path, quiet), environment: {} });
  const options = { cacheDirectory: cache, installDirectory: folder.path, environment: {}, version: '1' };
  sandbox = await openSandbox({ config, ...options, log: createLog(config.log) });
}

beforeAll(async () => {
  folder = await temporary();
  cache = join(folder.path, 'cache');
  await open();
});
afterAll(async () => {
  await sandbox.close();
  await folder[Symbol.asyncDispose]();
});

async function execute(code: string, more: Partial<ExecuteRequest> = {}, who: Partial<ExecuteOptions> = {}): Promise<ExecuteOutput> {
  return (await sandbox.port.execute({ code, ...more }, { signal: OPEN, ...who })).structured;
}

async function wait({ executionId }: Pick<ExecuteOutput, 'executionId'>, timeoutMs: number, principal?: string): Promise<ExecuteOutput> {
  return (await sandbox.port.waitExecution({ executionId, timeoutMs }, { signal: OPEN, ...(principal && { principal }) })).structured;
}

describe('an execution of a principal', () => {
  test('is as unknown to another one as one that never was', async () => {
    const own = { principal: 'key:ann' };
    const running = await execute(SLEEP(60_000), { answerAfterMs: 10 }, own);
    const never = { executionId: 'exe_00000000-0000-4000-8000-000000000000' };
    const answers = [await wait(running, 0, 'key:bob'), await wait(never, 0, 'key:bob')].map(({ error }) => error);
    expect(answers).toMatchObject([{ code: 'ERR_EXECUTION_UNKNOWN' }, { code: 'ERR_EXECUTION_UNKNOWN' }]);
    const cancel = (principal: string): ReturnType<typeof sandbox.port.cancelExecution> =>
      sandbox.port.cancelExecution(running.executionId, { signal: OPEN, principal });
    expect((await cancel('key:bob')).structured.error?.code).toBe('ERR_EXECUTION_UNKNOWN');
    expect(await sandbox.port.executionState(running.executionId, 'key:bob')).toBeUndefined();
    expect(await sandbox.port.listExecutions('key:bob', 10)).toEqual([]);
    expect(await sandbox.port.executionState(running.executionId, 'key:ann')).toMatchObject({ status: expect.stringMatching(/ing$/) });
    expect((await cancel('key:ann')).structured.error?.code).toBe('ERR_EXECUTE_CANCELLED');
    expect(await sandbox.port.listExecutions('key:ann', 10)).toMatchObject([{ executionId: running.executionId, status: 'cancelled' }]);
  });

  test('ends when its key is revoked, also while no server runs; one that expires, or another of the same name, ends nothing', async () => {
    const register = openKeyRegister(join(cache, 'keys.db'));
    const [first, second, third] = [1, 2, 3].map(() => register.create({ name: 'ann' }));
    const brief = register.create({ name: 'ann', expires: Date.now() + 2_000 });
    const begin = (credential = ''): Promise<ExecuteOutput> =>
      execute(`${SLEEP(4_000)} return "ended";`, { answerAfterMs: 10 }, { principal: 'key:ann', credential });
    const [live, left, good] = [await begin(first?.id), await begin(second?.id), await begin(third?.id)];
    const late = await begin(brief.id);
    register.revoke(first?.id ?? '');
    expect((await wait(live, 20_000, 'key:ann')).error?.code).toBe('ERR_EXECUTE_CANCELLED');
    await sandbox.close();
    register.revoke(second?.id ?? '');
    register.close();
    await open();
    expect((await wait(left, 20_000, 'key:ann')).error?.code).toBe('ERR_EXECUTE_CANCELLED');
    expect(await wait(good, 20_000, 'key:ann')).toMatchObject({ status: 'completed', result: 'ended' });
    // Its key has expired before it has ended.
    expect(await wait(late, 20_000, 'key:ann')).toMatchObject({ status: 'completed', result: 'ended' });
    const ends = [live, left, good, late].map(async ({ executionId }) => {
      await until('the line is there', () => auditOf(executionId).length > 0);
      return auditOf(executionId);
    });
    expect(await Promise.all(ends)).toEqual([['ERR_EXECUTE_CANCELLED'], ['ERR_EXECUTE_CANCELLED'], ['ok'], ['ok']]);
  });
});

/** How often it has ended, and how. */
function auditOf(execution: string): string[] {
  const register = openAuditRegister(join(cache, 'audit.db'));
  try {
    return register.last({ execution, kind: 'run' }, 10).map(({ line }) => line.code ?? 'ok');
  } finally {
    register.close();
  }
}

test('begins and ends once in the audit, whatever lies between', async () => {
  const begun = await execute(`${SLEEP(1_500)} return 1;`, { answerAfterMs: 10 });
  await sandbox.close();
  await open();
  expect(await wait(begun, 20_000)).toMatchObject({ status: 'completed', result: 1 });
  const register = openAuditRegister(join(cache, 'audit.db'));
  const look = (): number => register.last({ execution: begun.executionId, kind: 'run' }, 10).length;
  await until('the line is there', () => look() > 0);
  expect(look()).toBe(1);
  expect(register.last({ execution: begun.executionId, kind: 'run' }, 1)[0]?.line.ms).toBeGreaterThan(1_400);
  register.close();
});

test('has its end told by the next server, once, where its own was killed before it had', async () => {
  const told = await execute('return 1;');
  const lost = await execute('throw new Error("no");', {}, { principal: 'key:ann' });
  await sandbox.close();
  const audit = new DatabaseSync(join(cache, 'audit.db'));
  audit.prepare("DELETE FROM lines WHERE kind = 'run' AND execution = ?").run(lost.executionId);
  audit.close();
  for (let time = 0; time < 2; time++) {
    await open();
    await until('its line is there', () => auditOf(lost.executionId).length > 0);
    await execute('return 2;');
    await sandbox.close();
    expect([auditOf(told.executionId), auditOf(lost.executionId)]).toEqual([['ok'], ['ERR_EXECUTE_THROWN']]);
  }
  await open();
  const register = openAuditRegister(join(cache, 'audit.db'));
  const [line] = register.last({ execution: lost.executionId }, 1);
  register.close();
  expect(line?.line).toMatchObject({ kind: 'run', principal: 'key:ann', fuel: lost.usage.fuel, calls: 0, ms: expect.any(Number) });
  expect(line?.line.program).toMatch(/^[0-9a-f]{16,}$/);
});

test('that was cancelled in the moment in which its server lets go of it has ended, and does not go on with the next one', async () => {
  const asleep = await execute(`${SLEEP(60_000)} return 1;`, { wait: 'return-when-waiting' });
  const computes = await execute('for (;;);', { answerAfterMs: 10 });
  const cancelled = [asleep, computes].map(({ executionId }) => sandbox.port.cancelExecution(executionId, { signal: OPEN }));
  await sandbox.close();
  const told = await Promise.all(cancelled);
  expect(told.map(({ structured }) => structured.error?.code)).toEqual(['ERR_EXECUTE_CANCELLED', 'ERR_EXECUTE_CANCELLED']);
  await open();
  for (const one of [asleep, computes]) {
    expect(await wait(one, 0)).toMatchObject({ status: 'failed', error: { code: 'ERR_EXECUTE_CANCELLED' } });
    expect(await sandbox.port.executionState(one.executionId, 'local')).toMatchObject({ status: 'cancelled' });
  }
});

test('a session is changed once by an execution that ends a second time, because its end was not written down', async () => {
  const { session = '' } = await execute('import { setState } from "ampoule"; setState("n", 1);', { session: 'new' });
  const file = join(cache, 'executions.db');
  const withDatabase = (statement: string): void => {
    const database = new DatabaseSync(file, { timeout: 5_000 });
    database.exec(statement);
    database.close();
  };
  // As if the process had died between the two writes.
  withDatabase(`CREATE TRIGGER no_end BEFORE UPDATE OF ended ON executions BEGIN SELECT RAISE(ABORT, 'no end'); END`);
  const count = 'import { getState } from "ampoule"; const { n } = getState(); getState().n = n + 1; return n;';
  const first = await execute(count, { session });
  expect(first).toMatchObject({ status: 'completed', result: 1 });
  await sandbox.close();
  withDatabase('DROP TRIGGER no_end');
  const unfinished = new DatabaseSync(file, { readOnly: true });
  expect(unfinished.prepare('SELECT ended FROM executions WHERE id = ?').get(first.executionId)?.['ended']).toBeNull();
  unfinished.close();
  await open();
  // What others change meanwhile stays.
  expect(await execute('import { setState } from "ampoule"; setState("n", 7);', { session })).toMatchObject({ status: 'completed' });
  expect(await wait(first, 20_000)).toMatchObject({ status: 'completed', result: 1, session });
  expect(await execute('import { getState } from "ampoule"; return getState().n;', { session })).toMatchObject({ result: 7 });
});

test('what cannot be read of an execution ends it with a code, and stops no other', async () => {
  const good = await execute(`${SLEEP(1_000)} return "good";`, { answerAfterMs: 10 });
  await sandbox.close();
  const store = openExecutions({ file: join(cache, 'executions.db'), limits: LIMIT_VALUES, group: 'name:owners' });
  const bad = { executionId: 'exe_bad' };
  await store.create({ id: bad.executionId, principal: 'local', createdAt: 1, request: '{"version":99}' });
  await store.close();
  await open();
  expect((await wait(bad, 20_000)).error?.code).toBe('ERR_EXECUTION_DAMAGED');
  expect(await wait(good, 20_000)).toMatchObject({ status: 'completed', result: 'good' });
});

test('an execution that was accepted and had not begun is begun after a restart', async () => {
  await sandbox.close();
  const store = openExecutions({ file: join(cache, 'executions.db'), limits: LIMIT_VALUES, group: 'name:owners' });
  const request = JSON.stringify({ version: 1, code: 'return input * 2;', input: 21, session: 'new' });
  await store.create({ id: 'exe_early', principal: 'local', createdAt: Date.now(), request });
  await store.close();
  await open();
  expect(await wait({ executionId: 'exe_early' }, 20_000)).toMatchObject({
    status: 'completed',
    result: 42,
    session: expect.stringMatching(/^ses_/),
  });
});

test('a run that waits for longer than its session would last keeps it', async () => {
  await sandbox.close();
  await open({ sessionTtlMs: 4_000 });
  const { session = '' } = await execute('import { setState } from "ampoule"; setState("n", 1);', { session: 'new' });
  const code = `import { getState } from "ampoule"; ${SLEEP(6_000)} getState().n = 2;`;
  const waiting = await execute(code, { session, answerAfterMs: 10 });
  expect(await wait(waiting, 20_000)).toMatchObject({ status: 'completed', session });
});
