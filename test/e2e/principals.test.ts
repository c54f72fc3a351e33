import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAuditRegister } from '../../src/audit/audit-register.ts';
import { cli } from '../cli/run-cli.ts';
import { openAudited, type AuditedSandbox } from './audited-sandbox.ts';
import { fixture, startAmpoule, temporary, writeConfig } from './harness.ts';
import { until } from './processes.ts';

const CONFIG = {
  check: 'off',
  mcpServers: { mail: fixture('office') },
  principals: {
    'key:few-*': { runsPerMinute: 2, toolCallsPerMinute: 3 },
    'key:one': { concurrentRuns: 1 },
    'key:fuel': { fuelPerHour: 60_000_000 },
    'key:reader': { policies: { servers: { mail: { tools: { create: { policy: 'deny' } } } } } },
    'key:strict': { policies: { mode: 'replace', default: 'deny', servers: { mail: { tools: { read: { policy: 'allow' } } } } } },
  },
};

let sandbox: AuditedSandbox;
beforeAll(async () => {
  sandbox = await openAudited(CONFIG);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

describe('limits of principals', () => {
  test('runs over the rate are refused with a code and a time, and are in the audit', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => sandbox.execute('key:few-1', 'return 1;')));
    const refused = all.filter(({ status }) => status === 'failed');
    expect(refused).toHaveLength(2);
    expect(refused[0]?.error).toMatchObject({
      code: 'ERR_QUOTA_RUNS',
      message: expect.stringContaining('may begin 2 runs in a minute (principals["key:few-*"].runsPerMinute). Try again in '),
      retryAfterMs: expect.any(Number),
    });
    expect((await sandbox.execute('key:few-2', 'return 1;')).result).toBe(1);
    expect((await sandbox.lines({ principal: 'key:few-1', code: 'ERR_QUOTA_RUNS' }))[0]).toMatchObject({ kind: 'run' });
  });

  test('a call over the rate is an error that a program can catch, and nothing is sent', async () => {
    const code = `import { customer } from "servers/mail"; const codes = [];
      for (let n = 0; n < 5; n++) try { await customer({}); codes.push("ok"); } catch (error) { codes.push(error.code + " " + error.hint); }
      return codes;`;
    const { result } = await sandbox.execute('key:few-3', code);
    expect(result).toEqual([
      'ok',
      'ok',
      'ok',
      expect.stringMatching(/^ERR_QUOTA_CALLS Wait \d+ ms/),
      expect.stringMatching(/^ERR_QUOTA_CALLS/),
    ]);
  });

  test.each<[string, string]>([
    ['completes', 'return 1;'],
    ['throws', 'throw 1;'],
    ['is stopped', 'for (;;);'],
    ['does not compile', 'return (;'],
  ])('a run that %s gives its place back', async (_how, code) => {
    const together = await Promise.all([1, 2].map(() => sandbox.execute('key:one', code, { limits: { fuel: 50_000_000 } })));
    expect(together.map(({ error }) => error?.code).filter((found) => found === 'ERR_QUOTA_CONCURRENT')).toHaveLength(1);
    expect((await sandbox.execute('key:one', 'return 1;')).result).toBe(1);
  });

  test('a run that is cancelled, and one that ends on another executor than it began on, give their places back', async () => {
    const controller = new AbortController();
    const cancelled = sandbox.execute(
      'key:one',
      'await new Promise((done) => setTimeout(done, 60_000));',
      {},
      { signal: controller.signal },
    );
    setTimeout(() => controller.abort(), 100);
    expect((await cancelled).error?.code).toBe('ERR_EXECUTE_CANCELLED');
    const code = `import { read } from "servers/mail"; await read({}); for (;;);`;
    const moved = sandbox.execute('key:one', code, { limits: { fuel: 20_000_000_000 } });
    await sandbox.lines({ tool: 'read', principal: 'key:one' });
    sandbox.killExecutor();
    expect((await moved).error?.code).toBe('ERR_EXECUTE_FUEL');
    expect((await sandbox.execute('key:one', 'return 1;')).result).toBe(1);
  });

  test('a run that waits for a person leaves its place to another, and ends by its own time', async () => {
    const approver = { ask: () => new Promise<never>(() => undefined) };
    const code = `import { remove } from "servers/mail"; await remove({});`;
    const waiting = sandbox.execute('key:one', code, { limits: { waitMs: 3_000 } }, { approver });
    const isLetIn = async (): Promise<boolean> => (await sandbox.execute('key:one', 'return 1;')).result === 1;
    await until('another run is let in', isLetIn);
    expect((await waiting).error?.code).toBe('ERR_EXECUTE_WAITING_TIME');
    expect(await isLetIn()).toBe(true);
  });

  test('fuel of the hour ends a run, and the next one does not begin', async () => {
    const first = await sandbox.execute('key:fuel', 'for (;;);');
    expect(first.error).toMatchObject({ code: 'ERR_QUOTA_FUEL', retryAfterMs: expect.any(Number) });
    expect(first.usage.fuel).toBeGreaterThan(55_000_000);
    const second = await sandbox.execute('key:fuel', 'return 1;');
    expect(second.error).toMatchObject({
      code: 'ERR_QUOTA_FUEL',
      message: expect.stringContaining('principals["key:fuel"].fuelPerHour'),
    });
    expect((await sandbox.execute('key:other', 'return 1;')).result).toBe(1);
  });

  test('policies of a principal hold for it alone, in calls and in what it finds', async () => {
    const code = `import { create } from "servers/mail"; try { await create({ title: "x" }); return "ok"; } catch (error) { return error.code; }`;
    expect((await sandbox.execute('key:reader', code)).result).toBe('ERR_CALL_DENIED');
    expect((await sandbox.execute('key:strict', code)).result).toBe('ERR_CALL_DENIED');
    expect((await sandbox.execute('key:free', code)).result).toBe('ok');
    const notes = async (principal: string): Promise<boolean> => {
      const { hits } = await sandbox.port.search({ query: 'create', detail: 'summary', limit: 20, server: 'mail' }, principal);
      return hits.some(({ name, note }) => name === 'create' && note === 'denied by the operator');
    };
    expect(await notes('key:reader')).toBe(true);
    expect(await notes('key:free')).toBe(false);
    expect((await sandbox.execute('key:strict', 'import { read } from "servers/mail"; await read({}); return "read";')).result).toBe(
      'read',
    );
  });
});

test('over HTTP a key has its own limits, and who is not let in is in the audit, without what was sent', async () => {
  await using other = await temporary();
  const config = await writeConfig(other.path, { mcpServers: {} });
  const made = await cli(['keys', 'create', 'ci', '--config', config]);
  expect(made.code).toBe(0);
  const key = made.stdout.trim();
  const ampoule = await startAmpoule(
    { mcpServers: {}, auth: { keys: true }, check: 'off', principals: { 'key:*': { runsPerMinute: 1 } }, log: { level: 'silent' } },
    { directory: other.path },
  );
  try {
    const call = async (bearer: string): Promise<{ status: number; text: string }> => {
      const response = await fetch(ampoule.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${bearer}`,
        },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'execute_code', arguments: { code: 'return 1;' } },
        }),
      });
      return { status: response.status, text: await response.text() };
    };
    const wrong = `${key.slice(0, -6)}AAAAAA`;
    expect((await call(wrong)).status).toBe(401);
    expect((await call(key)).text).toContain('completed');
    expect((await call(key)).text).toMatch(/ERR_QUOTA_RUNS/);
  } finally {
    await ampoule.stop();
  }
  const register = openAuditRegister(join(other.path, 'cache', 'audit.db'));
  const told = register
    .last({}, 20)
    .map(({ line: { kind, principal, code, from, subject } }) => [kind, principal ?? from, code ?? subject]);
  register.close();
  expect(told).toEqual([
    ['key', 'local', expect.stringMatching(/^ci /)],
    ['auth', expect.stringMatching(/127\.0\.0\.1$/), 'ERR_ACCESS_INVALID'],
    ['run', 'key:ci', undefined],
    ['run', 'key:ci', 'ERR_QUOTA_RUNS'],
  ]);
  const bytes = readFileSync(join(other.path, 'cache', 'audit.db')).toString('latin1');
  expect(bytes).not.toContain(key.slice(8, 24));
});
