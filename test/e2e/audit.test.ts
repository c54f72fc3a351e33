import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExecuteRequest } from '../../src/server/sandbox-port.ts';
import { openSessionRegister } from '../../src/session/session-register.ts';
import { openAudited, type AuditedSandbox } from './audited-sandbox.ts';
import { fixture } from './harness.ts';

const CONFIG = {
  mcpServers: {
    mail: fixture('office'),
    web: fixture('office'),
    gone: { command: process.execPath, args: ['-e', 'process.exit(1)'] },
  },
  policies: {
    servers: { mail: { tools: { create: { maxCalls: 1 }, post: { policy: 'deny' } } }, web: { tools: { remove: { policy: 'ask' } } } },
    dataFlow: [{ from: ['mail.*'], to: ['web.*'] }],
  },
  skills: 'on',
  audit: { file: 'lines.jsonl' },
};

let sandbox: AuditedSandbox;
beforeAll(async () => {
  sandbox = await openAudited(CONFIG);
});
afterAll(() => sandbox[Symbol.asyncDispose]());

describe('every ending of a run has its line', () => {
  test('completed, with who, what, time and fuel, and no values', async () => {
    const code = `import { create } from "servers/mail"; await create({ title: "top secret" }); return "top " + "result";`;
    const output = await sandbox.execute('key:a', code, { input: { pin: 'secret input' }, session: 'new' });
    expect(output.status).toBe('completed');
    const run = await sandbox.runOf(output);
    expect(run).toEqual({
      time: expect.any(Number),
      kind: 'run',
      principal: 'key:a',
      execution: output.executionId,
      session: expect.stringMatching(/^[\da-f]{16}$/),
      program: expect.stringMatching(/^[\da-f]{64}$/),
      ms: expect.any(Number),
      fuel: output.usage.fuel,
      calls: 1,
    });
    const register = openSessionRegister({ file: join(sandbox.directory, 'cache', 'sessions.db'), sessionTtlMs: 60_000 });
    expect([...register.list({ principal: 'key:a' })].map(({ id }) => id)).toEqual([run?.session]);
    register.close();
    expect(await sandbox.callsOf(output)).toEqual([
      {
        time: expect.any(Number),
        kind: 'call',
        principal: 'key:a',
        execution: output.executionId,
        server: 'mail',
        tool: 'create',
        arguments: expect.stringMatching(/^[\da-f]{64}$/),
        ms: expect.any(Number),
      },
    ]);
    const bytes = Buffer.concat(['audit.db', 'audit.db-wal'].map((name) => readFileSync(join(sandbox.directory, 'cache', name)))).toString(
      'latin1',
    );
    const file = readFileSync(join(sandbox.directory, 'lines.jsonl'), 'utf8');
    expect(file).toContain(output.executionId);
    for (const value of ['top secret', 'top result', 'secret input', output.session ?? 'no session']) {
      expect(bytes).not.toContain(value);
      expect(file).not.toContain(value);
    }
  });

  test.each<[string, string, Omit<ExecuteRequest, 'code'>]>([
    ['ERR_EXECUTE_THROWN', 'throw new Error("no");', {}],
    ['ERR_EXECUTE_FUEL', 'for (;;);', { limits: { fuel: 50_000_000 } }],
    ['ERR_EXECUTE_ACTIVE_TIME', 'for (;;);', { limits: { timeoutMs: 20 } }],
    ['ERR_EXECUTE_NEVER_SETTLES', 'await new Promise(() => {});', {}],
    ['ERR_BUNDLE_SYNTAX', 'return (;', {}],
    ['ERR_SESSION_UNKNOWN', 'return 1;', { session: `ses_${'x'.repeat(32)}` }],
  ])('%s', async (expected, code, more) => {
    const output = await sandbox.execute('key:a', code, more);
    expect(output.error?.code).toBe(expected);
    expect(await sandbox.runOf(output)).toMatchObject({ code: expected, principal: 'key:a', fuel: output.usage.fuel });
  });

  test('cancelled while it computes, with the fuel that it has used', async () => {
    const controller = new AbortController();
    const running = sandbox.execute('key:a', 'for (;;);', {}, { signal: controller.signal });
    setTimeout(() => controller.abort(), 150);
    const output = await running;
    expect(output.error?.code).toBe('ERR_EXECUTE_CANCELLED');
    const run = await sandbox.runOf(output);
    expect(run).toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
    expect(run?.fuel).toBeGreaterThan(0);
  });

  test('on another executor than it began on, once, and its call too', async () => {
    const code = `import { read } from "servers/mail"; await read({}); for (;;);`;
    const running = sandbox.execute('key:a', code, { limits: { fuel: 20_000_000_000 } });
    await sandbox.lines({ server: 'mail', tool: 'read', principal: 'key:a' });
    sandbox.killExecutor();
    const output = await running;
    expect(output.error?.code).toBe('ERR_EXECUTE_FUEL');
    expect(await sandbox.runOf(output)).toMatchObject({ code: 'ERR_EXECUTE_FUEL' });
    expect(await sandbox.callsOf(output)).toHaveLength(1);
    expect((await sandbox.execute('key:a', 'return 2 + 2;')).result).toBe(4);
  });
});

describe('every ending of a call has its line', () => {
  test.each<[string, string, string]>([
    ['ERR_CALL_DENIED', 'mail', 'post({ x: 1 })'],
    ['ERR_CALL_TOOL', 'mail', 'fail({})'],
    ['ERR_CALL_APPROVAL', 'web', 'remove({})'],
  ])('%s', async (expected, server, call) => {
    const output = await sandbox.execute(
      'key:b',
      `import * as s from "servers/${server}"; try { await s.${call}; } catch (error) { return error.code; }`,
      {},
      { approver: { ask: () => Promise.resolve({ granted: false, reason: 'refused' }) } },
    );
    expect(output.result).toBe(expected);
    expect(await sandbox.callsOf(output)).toMatchObject([{ server, code: expected, principal: 'key:b' }]);
    expect(await sandbox.runOf(output)).toMatchObject({ calls: 1 });
    expect(await sandbox.runOf(output)).not.toHaveProperty('code');
  });

  test('budgets, data flow, unknown servers and upstreams that are not there', async () => {
    const code = `import { create, read } from "servers/mail"; import { post } from "servers/web"; import { callTool } from "ampoule";
      const codes = [];
      const attempt = async (work) => { try { await work(); codes.push("ok"); } catch (error) { codes.push(error.code); } };
      await attempt(() => create({ title: "a" }));
      await attempt(() => create({ title: "b" }));
      const { mails } = await read({});
      await attempt(() => post({ text: mails[0].body }));
      await attempt(() => callTool("nowhere\\n{}", "t\\u2028ool", {}));
      await attempt(() => callTool("gone", "tool", {}));
      return codes;`;
    const output = await sandbox.execute('key:b', code);
    const codes = output.result as string[];
    expect(codes).toEqual(['ok', 'ERR_CALL_BUDGET', 'ERR_CALL_DATA_FLOW', 'ERR_CALL_UNKNOWN_SERVER', 'ERR_UPSTREAM_UNAVAILABLE']);
    const told = await sandbox.callsOf(output, 6);
    expect(told.map(({ code: told_ }) => told_ ?? 'ok')).toEqual(['ok', codes[1], 'ok', codes[2], codes[3], codes[4]]);
    expect(told[4]).toMatchObject({ server: 'nowhere\n{}', tool: 't\u2028ool' });
    // A hostile name begins no line of its own.
    const file = readFileSync(join(sandbox.directory, 'lines.jsonl'), 'utf8');
    expect(file).not.toContain('\u2028');
    for (const line of file.trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  test('a person who was asked is named with what was answered', async () => {
    const code = `import { remove } from "servers/web"; try { await remove({}); return "removed"; } catch (error) { return error.code; }`;
    const answers = [{ granted: true as const }, { granted: false as const, reason: 'refused' as const }];
    const told: unknown[] = [];
    for (const answer of answers) {
      const output = await sandbox.execute('key:b', code, {}, { approver: { ask: () => Promise.resolve(answer) } });
      told.push(...(await sandbox.callsOf(output)).map(({ code: ended, approval, approvedBy }) => [ended, approval, approvedBy]));
    }
    const running = sandbox.execute('key:b', code);
    await sandbox.decide(true);
    const alone = await running;
    told.push(...(await sandbox.callsOf(alone)).map(({ code: ended, approval, approvedBy }) => [ended, approval, approvedBy]));
    expect(told).toEqual([
      [undefined, 'granted', 'key:b'],
      ['ERR_CALL_APPROVAL', 'refused', 'key:b'],
      [undefined, 'granted', 'operator'],
    ]);
  });

  test('a dry run is told as one', async () => {
    const output = await sandbox.execute('key:b', 'import { create } from "servers/mail"; return create({ title: "x" });', {
      dryRun: true,
    });
    expect(await sandbox.callsOf(output)).toMatchObject([{ tool: 'create', dryRun: true }]);
    expect(await sandbox.runOf(output)).toMatchObject({ dryRun: true });
  });
});

test('a saved skill, and one that was not, have a line', async () => {
  const options = { signal: new AbortController().signal, principal: 'key:skills' };
  await sandbox.port.saveSkill({ name: 'triage', description: 'x', code: 'export const one = 1;' }, options);
  await sandbox.port.saveSkill({ name: 'Bad Name', description: 'x', code: 'export const one = 1;' }, options);
  expect(await sandbox.lines({ principal: 'key:skills' }, 2)).toMatchObject([
    { kind: 'skill', action: 'save', subject: 'triage@1', program: expect.any(String) },
    { kind: 'skill', action: 'save', subject: 'Bad Name', code: 'ERR_SKILL_NAME' },
  ]);
});

test('the file is gone on with when it was rotated', async () => {
  const file = join(sandbox.directory, 'lines.jsonl');
  renameSync(file, `${file}.1`);
  const output = await sandbox.execute('key:a', 'return 1;');
  await sandbox.runOf(output);
  expect(readFileSync(file, 'utf8')).toContain(output.executionId);
});
