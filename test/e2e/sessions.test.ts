import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { createLog } from '../../src/log.ts';
import { openSandbox } from '../../src/open-sandbox.ts';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import { openSessionRegister } from '../../src/session/session-register.ts';
import { cli } from '../cli/run-cli.ts';
import { connect, LANES, type Lane, type TestClient } from '../server/clients.ts';
import { answerOf, MAIN, startAmpoule, temporary, writeConfig, type Ampoule, type Answer } from './harness.ts';
import { living, until } from './processes.ts';

const CONFIG = { mcpServers: {}, log: { level: 'warn', format: 'json' } };
const READ = 'import { getState } from "ampoule"; return getState();';
const COUNT = 'import { getState } from "ampoule"; const s = getState<{ n?: number }>(); s.n = (s.n ?? 0) + 1; return s.n;';
/** Sets what `input.set` has, then waits. */
const SET =
  'import { setState, sleep } from "ampoule"; for (const [key, value] of input.set) setState(key, value ?? undefined); await sleep(input.ms ?? 0); return "done";';
const NEVER = `ses_${'0'.repeat(32)}`;

const call = async (client: TestClient, code: string, args: Record<string, unknown> = {}): Promise<Answer> =>
  answerOf(await client.call({ code, ...args }));

let ampoule: Ampoule;
beforeAll(async () => void (ampoule = await startAmpoule(CONFIG)));
afterAll(() => ampoule.stop());

/** The handle of a new session with a state. */
async function begun(state: Record<string, unknown> = {}): Promise<string> {
  const { output } = await ampoule.execute(SET, { input: { set: Object.entries(state) }, session: 'new' });
  expect(output.session).toMatch(/^ses_/);
  return output.session ?? '';
}

describe.each(LANES)('over Streamable HTTP, %s', (lane) => {
  test('a session begins with "new", goes on by its handle, and is no session without', async () => {
    const client = await ampoule.connect(lane);
    const first = await call(client, COUNT, { session: 'new' });
    expect(first.output).toMatchObject({ status: 'completed', result: 1, session: expect.stringMatching(/^ses_[\w-]{32}$/) });
    expect(first.output.warnings).toBeUndefined();
    const { session } = first.output;
    expect((await call(client, COUNT, { session })).output).toMatchObject({ result: 2, session });
    const without = await call(client, COUNT);
    expect(without.output).toMatchObject({ status: 'completed', result: 1 });
    expect(without.output).not.toHaveProperty('session');
    expect((await call(client, READ, { session })).output.result).toEqual({ n: 2 });
    expect((await call(client, READ, { session: 'new' })).output.result).toEqual({});
  });

  test('a run without a session that changed the state is told, in text too', async () => {
    const client = await ampoule.connect(lane);
    const { output, text } = await call(client, COUNT);
    expect(output.warnings).toEqual([{ code: 'WARN_STATE_NOT_KEPT', message: expect.stringContaining('pass session: "new" to keep it') }]);
    expect(`${text}${JSON.stringify(output)}`).toContain('pass session');
    expect((await call(client, READ)).output).not.toHaveProperty('warnings');
  });

  test.each([
    ['that never was', NEVER],
    ['that is garbage', 'my session'],
    ['with a NUL', `ses_${'0'.repeat(31)}\u0000`],
    ['of 10 KB', 'ses_'.repeat(2_560)],
  ])('a handle %s is refused before anything runs', async (_name, session) => {
    const { output, isError } = await call(await ampoule.connect(lane), 'return 1;', { session });
    expect(isError).toBe(true);
    expect(output).toMatchObject({ status: 'failed', calls: [], error: { code: 'ERR_SESSION_UNKNOWN' } });
    expect(output.error?.message).toContain('24 hours after its last use');
    expect(output.error?.hint).toContain('"new"');
    expect(output).not.toHaveProperty('session');
    expect(JSON.stringify(output).length).toBeLessThan(2_000);
  });
});

describe('a run that fails', () => {
  test('begins no session, and changes none', async () => {
    const failed = await ampoule.execute('import { setState } from "ampoule"; setState("n", 1); throw new Error("no");', {
      session: 'new',
    });
    expect(failed.output).toMatchObject({ status: 'failed', error: { code: 'ERR_EXECUTE_THROWN' } });
    expect(failed.output).not.toHaveProperty('session');
    for (const code of [
      'const n: number = "x"; return n;',
      'return (;',
      'import { setState } from "ampoule"; setState("f", { toJSON() { throw 1 } });',
    ]) {
      const { output } = await ampoule.execute(code, { session: 'new' });
      expect(output.status).toBe('failed');
      expect(output).not.toHaveProperty('session');
    }
    const session = await begun({ n: 1 });
    const later = await ampoule.execute('import { setState } from "ampoule"; setState("n", 2); throw new Error("no");', { session });
    expect(later.output).toMatchObject({ status: 'failed', session });
    expect(await ampoule.result(READ, { session })).toEqual({ n: 1 });
  });
});

describe('runs of a session at the same time', () => {
  test('each keep what they changed under keys of their own', async () => {
    const session = await begun({ gone: 1, kept: 1 });
    const runs = [[['a', 1]], [['b', { deep: [1] }]], [['gone', null]]].map((set) =>
      ampoule.execute(SET, { input: { set, ms: 300 }, session }),
    );
    expect((await Promise.all(runs)).map(({ output }) => output.error ?? output.status)).toEqual(['completed', 'completed', 'completed']);
    expect(await ampoule.result(READ, { session })).toEqual({ kept: 1, a: 1, b: { deep: [1] } });
  });

  test('that changed the same key end in a conflict for the later one, which names it and keeps nothing', async () => {
    const session = await begun();
    const runs = [1, 2].map((n) =>
      ampoule.execute(SET, {
        input: {
          set: [
            ['same', n],
            [`own${n}`, n],
          ],
          ms: n * 400,
        },
        session,
      }),
    );
    const [first, second] = await Promise.all(runs);
    expect(first?.output.status).toBe('completed');
    expect(second).toMatchObject({ isError: true, output: { status: 'failed', session, error: { code: 'ERR_SESSION_CONFLICT' } } });
    expect(second?.output.error?.message).toContain('"same"');
    expect(second?.output.error?.message).not.toContain('own2');
    expect(await ampoule.result(READ, { session })).toEqual({ same: 1, own1: 1 });
  });

  test('that count up from the same number conflict too, so that no count is lost', async () => {
    const session = await begun();
    const runs = [1, 2].map((n) => ampoule.execute(SET, { input: { set: [['same', { a: 1 }]], ms: n * 200 }, session }));
    expect((await Promise.all(runs)).map(({ output }) => output.status).sort()).toEqual(['completed', 'failed']);
  });
});

describe('an operator', () => {
  const sessions = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli(['sessions', ...args, '--config', `${ampoule.directory}/ampoule.json`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };

  test('sees and ends a session while the server runs, which refuses it at once', async () => {
    const session = await begun({ note: 'for the operator' });
    const [entry] = JSON.parse(await sessions('list', '--json')) as { id: string; keys: number; principal: string }[];
    expect(entry).toMatchObject({ principal: 'local', keys: 1 });
    expect(await sessions('end', entry?.id ?? '')).toBe('1 session ended.\n');
    expect((await ampoule.execute(READ, { session })).output.error?.code).toBe('ERR_SESSION_UNKNOWN');
  });

  test('ends a session under a run that is on its way: what it changed is not kept, and it is told', async () => {
    const session = await begun();
    const slowly = READ.replace('return', 'await new Promise((done) => setTimeout(done, 1_500)); return');
    const [changes, reads] = [SET, slowly].map((code) => ampoule.execute(code, { input: { set: [['late', 1]], ms: 1_500 }, session }));
    await sleep(700);
    const register = openSessionRegister({ file: join(ampoule.directory, 'cache', 'sessions.db'), sessionTtlMs: 86_400_000 });
    expect(register.end('all')).toBeGreaterThan(0);
    register.close();
    expect((await changes)?.output.error?.code).toBe('ERR_SESSION_UNKNOWN');
    expect((await reads)?.output).toMatchObject({ status: 'completed', result: {} });
  });
});

test('a session of one principal is unknown to every other, in the same words as one that never was', async () => {
  await using folder = await temporary();
  const config = await loadConfig({ file: await writeConfig(folder.path, { mcpServers: {}, log: { level: 'silent' } }), environment: {} });
  const options = { cacheDirectory: join(folder.path, 'cache'), installDirectory: folder.path, environment: {}, version: '1' };
  const sandbox = await openSandbox({ config, ...options, log: createLog(config.log) });
  try {
    const as = async (principal: string, code: string, session: string): Promise<ExecuteOutput> =>
      (await sandbox.port.execute({ code, session }, { signal: new AbortController().signal, principal })).structured;
    const { session = '' } = await as('ann', COUNT, 'new');
    const [others, never] = await Promise.all([as('ben', READ, session), as('ben', READ, NEVER)]);
    expect(others.error?.code).toBe('ERR_SESSION_UNKNOWN');
    expect(JSON.stringify(others.error).replace(session.slice(0, 10), '')).toBe(
      JSON.stringify(never.error).replace(NEVER.slice(0, 10), ''),
    );
    expect((await as('ben', COUNT, 'new')).result).toBe(1);
    expect((await as('ann', COUNT, session)).result).toBe(2);
  } finally {
    await sandbox.close();
  }
});

test('a session whose time is over is refused, and the error names that time', async () => {
  const brief = await startAmpoule({ ...CONFIG, limits: { sessionTtlMs: 3_000 } });
  try {
    const { output } = await brief.execute(COUNT, { session: 'new' });
    const { session } = output;
    await sleep(1_600);
    expect(await brief.result(READ, { session })).toEqual({ n: 1 });
    await sleep(1_600);
    expect(await brief.result(READ, { session })).toEqual({ n: 1 });
    await sleep(3_100);
    const { output: late } = await brief.execute(READ, { session });
    expect(late.error).toMatchObject({ code: 'ERR_SESSION_UNKNOWN', message: expect.stringContaining('3 seconds after its last use') });
  } finally {
    await brief.stop();
  }
});

test('a server that is killed right after an answer has kept what it answered', async () => {
  await using folder = await temporary();
  const first = await startAmpoule(CONFIG, { directory: folder.path });
  const client = await first.connect();
  const { output } = await call(client, COUNT, { session: 'new' });
  await call(client, COUNT, { session: output.session });
  process.kill(first.pid, 'SIGKILL');
  await until('the server is gone', () => living([first.pid]).length === 0);
  await client.close().catch(() => undefined);
  const second = await startAmpoule(CONFIG, { directory: folder.path });
  try {
    expect(await second.result(COUNT, { session: output.session })).toBe(3);
  } finally {
    await second.stop();
  }
});

describe('over stdio', () => {
  test('a session outlives the process, also for a client of the other era', async () => {
    await using folder = await temporary();
    const config = await writeConfig(folder.path, { mcpServers: {}, log: { level: 'silent' } });
    const withClient = async <T>(lane: Lane, work: (client: TestClient) => Promise<T>): Promise<T> => {
      const client = await connect(lane, { program: MAIN, args: ['serve', '--stdio', '--config', config] });
      try {
        return await work(client);
      } finally {
        await client.close();
      }
    };
    const session = await withClient('v1 client', async (client) => {
      expect((await call(client, COUNT)).output.warnings).toMatchObject([{ code: 'WARN_STATE_NOT_KEPT' }]);
      return (await call(client, COUNT, { session: 'new' })).output.session;
    });
    await withClient('v2 client, 2026-07-28', async (client) => {
      expect((await call(client, COUNT, { session })).output).toMatchObject({ status: 'completed', result: 2, session });
      expect((await call(client, READ, { session: 'nobody' })).output.error?.code).toBe('ERR_SESSION_UNKNOWN');
    });
  });
});
