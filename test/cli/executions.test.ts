import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addExecutionCommands } from '../../src/cli/executions-commands.ts';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { temporary, writeConfig } from '../e2e/harness.ts';
import { COMPLETED, LIMITS, newExecution, sentCall, START, USAGE, waitOf } from '../execution/stored-executions.ts';
import { inProcess } from './in-process.ts';
import { cli, type CliResult } from './run-cli.ts';

const folder = await temporary();
const TIME = 1_700_000_000_000;
let config = '';
/** As a server that runs has it. */
let store: ExecutionStore;
beforeAll(async () => {
  config = await writeConfig(folder.path, { mcpServers: {} });
  let now = TIME;
  store = openExecutions({
    file: join(folder.path, 'cache', 'executions.db'),
    group: 'test',
    limits: { ...LIMITS, executionTtlMs: 1e12 },
    now: () => (now += 250),
  });
  await story();
  await store.create(newExecution('exe_sleeping', { principal: 'key:ann', createdAt: TIME + 10_000 }));
  await store.hibernated('exe_sleeping', waitOf({ pending: [2], nextTimer: TIME + 86_400_000 }), new Uint8Array(4_321));
  await store.create(newExecution('exe_failed', { createdAt: TIME + 20_000 }));
  await store.ended('exe_failed', {
    status: 'failed',
    code: 'ERR_EXECUTE_THROWN',
    usage: USAGE,
    response: JSON.stringify({ structured: { error: { code: 'ERR_EXECUTE_THROWN', message: 'no' } } }),
  });
});
afterAll(async () => {
  await store.close();
  await folder[Symbol.asyncDispose]();
});

const CODE = 'import { send } from "servers/mail";\nreturn send({ to: "ann" });';

/** One with everything in it. */
async function story(): Promise<void> {
  const id = 'exe_story';
  const request = JSON.stringify({
    version: 1,
    code: CODE,
    input: { n: 1, evil: '\u001b[2J' },
    session: 'ses_secret',
    credential: 'key_secret',
  });
  await store.create(newExecution(id, { createdAt: TIME, request }));
  const context = JSON.stringify({
    version: 1,
    session: { handle: 'ses_secret' },
    phases: { check: 12.000_001 },
    warnings: [{ code: 'WARN_LOCALE', message: 'a locale\nexecution  exe_other' }],
  });
  await store.start(id, { ...START, context });
  await store.call(id, sentCall(1, { stage: 'asked', at: TIME + 600 }));
  const approval = {
    id: 'apr_1',
    executionId: id,
    principal: 'local',
    call: 1,
    kind: 'approve',
    server: 'mail',
    tool: 'send',
    arguments: '{}',
    text: 't',
    askedAt: TIME + 600,
  } as const;
  await store.ask(approval);
  await store.decide('apr_1', { granted: true, by: 'operator', at: TIME + 1_000 });
  await store.call(id, sentCall(1, { at: TIME + 1_100 }));
  await store.call(id, sentCall(1, { at: TIME + 1_100 }));
  await store.hibernated(id, waitOf({ pending: [1], at: TIME + 1_200 }), new Uint8Array(999));
  store.status(id, 'running');
  await store.answered(id, sentCall(1), { ok: true, value: JSON.stringify(`sent\u001b[2J${'x'.repeat(500)}`) });
  await store.restarted(id);
  const structured = {
    status: 'completed',
    session: 'ses_secret',
    result: 'done\u202e',
    logs: [{ level: 'info', message: 'hello' }],
    usage: { phases: { check: 12, run: 3 } },
  };
  await store.ended(id, { ...COMPLETED, response: JSON.stringify({ structured }) });
}

/** A process of its own takes a second to start: the same command line in this one. */
const executions = (...args: string[]): Promise<CliResult> => inProcess(addExecutionCommands, folder.path, config, ['executions', ...args]);

async function ids(...args: string[]): Promise<string[]> {
  const { stdout } = await executions('list', '--json', ...args);
  return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
}

describe('ampoule executions list', () => {
  test('shows what runs, waits and has ended, the newest first, beside a server that runs', async () => {
    const { code, stdout, stderr } = await cli(['executions', '--config', config]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^ID +PRINCIPAL +STATUS +CREATED +ENDED +CALLS +FUEL +ASLEEP +BYTES$/),
      expect.stringMatching(/^exe_failed +local +failed ERR_EXECUTE_THROWN +2023-11-14T22:13:40Z +2023-[-\dT:]+Z +1 +1,000 +0 +0$/),
      expect.stringMatching(/^exe_sleeping +key:ann +waiting +2023-11-14T22:13:30Z +- +1 +1,000 +1 +4,321$/),
      expect.stringMatching(/^exe_story +local +completed +2023-11-14T22:13:20Z +2023-[-\dT:]+Z +1 +1,000 +1 +0$/),
      '3 executions.',
      '',
    ]);
  });

  test('is filtered', async () => {
    expect(await ids()).toEqual(['exe_failed', 'exe_sleeping', 'exe_story']);
    expect(await ids('--status', 'waiting')).toEqual(['exe_sleeping']);
    expect(await ids('--status', 'completed,failed')).toEqual(['exe_failed', 'exe_story']);
    expect(await ids('--principal', 'key:ann')).toEqual(['exe_sleeping']);
    expect(await ids('--since', '2023-11-14T22:13:30Z')).toEqual(['exe_failed', 'exe_sleeping']);
    expect(await ids('--since', '1h')).toEqual([]);
    expect(await ids('--limit', '1')).toEqual(['exe_failed']);
    const last = async (...args: string[]): Promise<string | undefined> => (await executions('list', ...args)).stdout.split('\n').at(-2);
    expect(await last('--limit', '2')).toBe('2 executions; there are older ones: --limit shows more.');
    expect(await last('--limit', '3')).toBe('3 executions.');
    expect(await executions('list', '--principal', 'nobody')).toEqual({ code: 0, stdout: 'No execution matches.\n', stderr: '' });
  });

  test.each([
    ['--status', 'done'],
    ['--since', 'yesterday\u001b[2J'],
    ['--limit', '0'],
    ['--limit', '100001'],
  ])('refuses %s %j and says what it expects', async (...args) => {
    const { code, stdout, stderr } = await executions('list', ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^ERR_CLI_USAGE\n {2}--\w+ expects /);
    expect(stderr).not.toContain('\u001b');
  });

  test('says so when there are none, and makes no store where there was none', async () => {
    await using other = await temporary();
    const fresh = await writeConfig(other.path, { mcpServers: {} });
    const file = join(other.path, 'cache', 'executions.db');
    const where = `There is no ${file} yet. If a server runs, name its config file with --config.\n`;
    for (const filter of [[], ['--status', 'waiting']]) {
      expect(await executions('list', ...filter, '--config', fresh)).toEqual({ code: 0, stdout: 'No executions.\n', stderr: where });
    }
    expect(await executions('list', '--json', '--config', fresh)).toEqual({ code: 0, stdout: '[]\n', stderr: where });
    for (const command of ['show', 'cancel']) {
      const { code, stderr } = await executions(command, 'x', '--config', fresh);
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^ERR_EXECUTION_UNKNOWN\n/)]);
      expect(stderr.endsWith(where)).toBe(true);
    }
    expect(existsSync(file)).toBe(false);
  });
});

describe('ampoule executions show', () => {
  test('tells the story of one, and nothing in it moves the cursor or gives a session away', async () => {
    const { code, stdout } = await executions('show', 'exe_st');
    // Whoever forgets the word gets it all the same.
    expect((await executions('exe_st')).stdout).toBe(stdout);
    expect(code).toBe(0);
    for (const harm of ['\u001b', '\u202e', 'secret']) expect(stdout).not.toContain(harm);
    expect(stdout).toMatch(
      /^execution +exe_story\nprincipal +local\nstatus +completed\ncreated +2023-11-14T22:13:20Z\nended .* \(\d+\.\d+ s\)\nprogram +abababababab on engine cdcdcdcdcdcd\n/,
    );
    expect(stdout).toContain('\nSource:\n  1  import { send } from "servers/mail";\n  2  return send({ to: "ann" });\n');
    expect(stdout).toContain('"evil": "\\u001b[2J"');
    // A line of a stranger's is none of ours.
    expect(stdout).toContain('\nWarnings:\n  WARN_LOCALE: a locale\n  execution  exe_other\n');
    expect(stdout).toContain('\nPhases:\n  check 12 ms, run 3 ms\n');
    const story = stdout.slice(stdout.indexOf('Story:'), stdout.indexOf('Used:'));
    expect(
      story.match(
        /^ {2}\+\S+ s {2,}(begun|call 1 asks a person|call 1 decided|call 1 sent again|call 1 answered|call 1 |put away|goes on|begun again |ended)/gm,
      ),
    ).toHaveLength(10);
    expect(story.match(/asks a person/g)).toHaveLength(1);
    expect(story).toMatch(/\+0\.000 s +begun +by local\n/);
    expect(story).toMatch(/call 1 decided +apr_1: approved by operator\n/);
    expect(story).toMatch(/ call 1 sent again +mail\.send: no answer had come, and the operator has approved that\n/);
    expect(story).toMatch(/put away +999 bytes\n/);
    expect(story).toMatch(/call 1 answered +mail\.send after [\d.]+ m?s: "sent\\u001b\[2Jx+… \(\d+ more characters\)\n/);
    expect(story).toMatch(/ended +completed\n/);
    expect(stdout).toMatch(/Used:\n {2}fuel +1,000 +of 3 +33,333\.3 %\n {2}memory +0\.1 MB +of 4 MB/);
    expect(stdout).toMatch(/Log:\n {2}\{"level":"info","message":"hello"\}\n\nResult:\n {2}"done\\u202e"\n$/);
  });

  test('prints JSON, with whole texts', async () => {
    const { stdout } = await executions('show', 'exe_story', '--json');
    expect(stdout).not.toContain('secret');
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'exe_story',
      status: 'completed',
      source: CODE,
      input: { n: 1 },
      limits: START.limits,
      usage: USAGE,
      hibernations: 1,
      restarts: 1,
      isComplete: true,
      answer: { result: 'done\u202e' },
    });
    expect(stdout).toContain('x'.repeat(500));
  });

  test('says what a person is asked, and how to answer, before the run is put away and after', async () => {
    const id = 'exe_asking';
    await store.create(newExecution(id, { createdAt: 1 }));
    await store.call(id, sentCall(3, { stage: 'asked' }));
    await store.ask({
      id: 'apr_open',
      executionId: id,
      principal: 'local',
      call: 3,
      kind: 'approve',
      server: 'mail',
      tool: 'send',
      arguments: '{}',
      text: 't',
      askedAt: 2,
    });
    store.status(id, 'waiting');
    await store.glance(id);
    const { stdout: before } = await executions('show', id);
    expect(before).toMatch(/\nput away +never\nwaits for +a person's word about call 3 \(apr_open\)\n/);
    expect(before).toMatch(/ call 3 +mail\.send \{"to":"ann"\}\n/);
    expect(before.match(/asks a person/g)).toHaveLength(1);
    await store.call(id, sentCall(5, { stage: 'sent' }));
    await store.hibernated(id, waitOf({ pending: [3, 4, 5] }), new Uint8Array(5));
    const waits = 'call 3 (apr_open), call 4, call 5 (mail.send)';
    expect((await executions('show', id)).stdout).toContain(`\nwaits for    a person's word about ${waits}\n`);
    const { waitsFor } = JSON.parse((await executions('show', id, '--json')).stdout) as { waitsFor: object };
    expect(waitsFor).toEqual({
      calls: [{ call: 3, tool: 'mail.send' }, { call: 4 }, { call: 5, tool: 'mail.send' }],
      approvals: [{ id: 'apr_open', call: 3 }],
    });
    await store.ended(id, { ...COMPLETED, status: 'cancelled' });
  });

  test('tells of one that sleeps, and of a failure', async () => {
    expect((await executions('show', 'exe_sleeping')).stdout).toMatch(
      /\nstatus +waiting\n[^]*\nput away +once, now as 4,321 bytes\nwaits for +call 2, a timer at 2023-11-15T22:13:20Z\n/,
    );
    expect((await executions('show', 'exe_failed')).stdout).toMatch(
      /ended +failed ERR_EXECUTE_THROWN\n[^]*Error:\n {2}\{\n {4}"code": "ERR_EXECUTE_THROWN"/,
    );
  });

  test.each([
    ['none', /There is no execution "none"/],
    ['', /There is no execution ""/],
    ["' OR 1=1 --", /There is no execution/],
    ['exe_s', /2 executions begin with "exe_s"[^]*exe_sleeping, exe_story/],
  ])('of %j ends with 1', async (id, message) => {
    expect(await executions('show', id)).toEqual({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
  });
});

test.each([
  ['a newer version', (file: string) => newer(file), 'set another "cacheDir"'],
  ['no database', (file: string) => writeFileSync(file, 'x'.repeat(10_000)), 'cannot be opened'],
])('a file of %s is refused by its name', async (_name, make, message) => {
  await using other = await temporary();
  const fresh = await writeConfig(other.path, { mcpServers: {} });
  const file = join(other.path, 'cache', 'executions.db');
  make(file);
  const { code, stderr } = await executions('list', '--config', fresh);
  expect(code).toBe(1);
  for (const part of ['ERR_EXECUTION_STORE', file, message]) expect(stderr).toContain(part);
});

function newer(file: string): void {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
}
