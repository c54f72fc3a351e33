import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addApprovalCommands } from '../../src/cli/approvals-commands.ts';
import type { ExecutionStore, StoredApproval } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { fixture, spawnAmpoule, temporary, writeConfig } from '../e2e/harness.ts';
import { begin, end } from '../execution/asked-executions.ts';
import { LIMIT_DEFAULTS } from '../server/canned-port.ts';
import { inProcess } from './in-process.ts';
import { cli, type CliResult } from './run-cli.ts';

const folder = await temporary();
let config = '';
/** As a server that runs has it. */
let store: ExecutionStore;
let count = 0;
beforeAll(async () => {
  config = await writeConfig(folder.path, { mcpServers: {} });
  store = openExecutions({ file: join(folder.path, 'cache', 'executions.db'), group: 'test', limits: LIMIT_DEFAULTS });
});
afterAll(async () => {
  await store.close();
  await folder[Symbol.asyncDispose]();
});
beforeEach(async () => {
  for (const { executionId } of await store.approvals()) await end(store, executionId);
});

/** A process of its own. */
const spawned = (...args: string[]): Promise<CliResult> => cli(['approvals', ...args, '--config', config]);

/** The same command line in this process, which takes no second to start. */
const approvals = (...args: string[]): Promise<CliResult> => inProcess(addApprovalCommands, folder.path, config, ['approvals', ...args]);

const CODE = 'import { remove } from "servers/tickets";\nreturn remove({ id: "7" });';

/** A question of an execution of its own. */
async function asked(more: Partial<StoredApproval> = {}, code = CODE): Promise<StoredApproval> {
  const n = ++count;
  const { executionId = `exe_${n}`, principal = 'key:ann' } = more;
  await begin(store, executionId, principal, code);
  const id = `apr_${String(n).padStart(8, '0')}${'0'.repeat(24)}`;
  const call = { call: 3, kind: 'approve', server: 'tickets', tool: 'remove', arguments: '{"id":"7"}' } as const;
  const text = 'A program that an agent wrote wants to call the tool tickets.remove.\nYou are asked because of policies.default.';
  return store.ask({ id, executionId, principal, ...call, text, askedAt: Date.UTC(2026, 0, n), ...more });
}

async function decisionOf({ id }: StoredApproval): Promise<StoredApproval['decision']> {
  return (await store.approval(id))?.decision;
}

describe('ampoule approvals list', () => {
  test('has every open question, the oldest first, and is what the command does alone', async () => {
    const one = await asked();
    const two = await asked({ principal: 'local', kind: 'repeat' });
    const { code, stdout, stderr } = await approvals('list');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [head, first, second, total] = stdout.split('\n');
    expect(head).toMatch(/^ID +EXECUTION +PRINCIPAL +CALL +MAKE +ASKED +ARGUMENTS$/);
    expect(first).toMatch(
      new RegExp(`^${one.id.slice(0, 12)} +${one.executionId} +key:ann +tickets\\.remove +once +2026-01-[\\dT:]+Z +{"id":"7"}$`),
    );
    expect(second).toMatch(new RegExp(`^${two.id.slice(0, 12)} +${two.executionId} +local +tickets\\.remove +again `));
    expect(total).toBe('2 approvals are open.');
    expect((await approvals()).stdout).toBe(stdout);
  });

  test('prints JSON, of one principal where asked', async () => {
    const { id, executionId } = await asked();
    await asked({ principal: 'local' });
    const { stdout } = await approvals('list', '--json', '--principal', 'key:ann');
    const listed = JSON.parse(stdout) as object[];
    expect(listed).toMatchObject([{ id, executionId, principal: 'key:ann', call: 3, kind: 'approve', arguments: { id: '7' } }]);
  });

  test('shows whole ids where short ones are the same', async () => {
    const ids = ['a', 'b'].map((end_) => `apr_ffffffff${end_.repeat(24)}`);
    const runs = ['exe_00000000-a', 'exe_00000000-b', 'exe_11111111-a'];
    for (const [at, executionId] of runs.entries()) await asked({ ...(ids[at] !== undefined && { id: ids[at] }), executionId });
    const { stdout } = await approvals('list');
    for (const [at, id] of ids.entries()) expect(stdout).toContain(`\n${id}  ${runs[at]}  `);
    // With its beginning, which is enough for "executions show", where no other one has it.
    expect(stdout).toMatch(/ {2}exe_11111111 {4}key:ann/);
  });

  test('says so when there are none, and makes no store where there was none', async () => {
    expect(await approvals('list')).toEqual({ code: 0, stdout: 'No approvals are open.\n', stderr: '' });
    await using other = await temporary();
    const fresh = await writeConfig(other.path, { mcpServers: {} });
    expect(await approvals('list', '--json', '--config', fresh)).toEqual({
      code: 0,
      stdout: '[]\n',
      stderr: expect.stringMatching(/^There is no \/.*\/executions\.db yet\. If a server runs, name its config file with --config\.\n$/),
    });
    expect((await approvals('show', 'x', '--config', fresh)).stderr).toMatch(/^ERR_EXECUTION_APPROVAL\n[^]*executions\.db yet/);
    expect(existsSync(join(other.path, 'cache', 'executions.db'))).toBe(false);
  });

  test('names one that is damaged, and shows all others', async () => {
    const [first, damaged, last] = [await asked(), await asked({ principal: 'key:bob' }), await asked()];
    const db = new DatabaseSync(join(folder.path, 'cache', 'executions.db'), { timeout: 5_000 });
    db.prepare("UPDATE approvals SET content = x'00' WHERE id = ?").run(damaged.id);
    const listed = await approvals('--json');
    expect((JSON.parse(listed.stdout) as { id: string }[]).map(({ id }) => id)).toEqual([first.id, last.id]);
    expect(listed.stderr).toBe(
      `${damaged.id} is damaged and cannot be answered. Its run waits until its time is over, unless you end it: ampoule executions cancel ${damaged.executionId}\n`,
    );
    expect((await approvals()).stdout).toMatch(/\n2 approvals are open\.\n$/);
    expect(await approvals('approve', last.id.slice(4, 20))).toMatchObject({ code: 0, stderr: '' });
    expect(await approvals('show', damaged.id)).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_EXECUTION_DAMAGED') });
    db.prepare('DELETE FROM approvals WHERE id = ?').run(damaged.id);
    db.close();
  });

  test('lets nothing of a program or a tool move the cursor or begin a line', async () => {
    const hostile = 'a\n\u001b[2J\u202eb';
    await asked({ principal: hostile, server: hostile, tool: hostile, arguments: JSON.stringify({ hostile }) });
    const { stdout } = await approvals('list');
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
    expect(stdout.split('\n')).toHaveLength(4);
  });
});

describe('ampoule approvals show', () => {
  test('has the question, the arguments and the program with the numbers of its lines', async () => {
    const { id, executionId } = await asked();
    const { code, stdout } = await approvals('show', id.slice(0, 12));
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `^approval +${id}\ncall +tickets\\.remove, number 3 of ${executionId}\nquestion +may it be made\nprincipal +key:ann\nasked +2026-01-[^]*\nuntil +2026-[^\n]* at the latest\nrun +running\n`,
      ),
    );
    expect(stdout).toContain('You are asked because of policies.default.');
    expect(stdout).toContain('Arguments:\n  {\n    "id": "7"\n  }\n');
    expect(stdout).toContain('Program:\n  1  import { remove } from "servers/tickets";\n  2  return remove({ id: "7" });\n');
    expect(stdout).toContain(`ampoule approvals approve ${id}\n`);
    const json = JSON.parse((await approvals('show', id, '--json')).stdout) as object;
    expect(json).toMatchObject({
      id,
      status: 'running',
      program: CODE,
      arguments: { id: '7' },
      until: expect.stringMatching(/^2026-/) as string,
    });
  });

  test('says of a run that has ended nothing of how long it waits, and not how to answer', async () => {
    const { id, executionId } = await asked();
    await end(store, executionId);
    const { code, stdout } = await approvals('show', id);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\nasked .*\nrun +\w+\n\nQuestion, as a client shows it to its user:\n/)]);
    expect(stdout).not.toContain('ampoule approvals approve');
  });

  test('lets no line of a stranger look like one of ours', async () => {
    const hostile = 'x\n\u001b[2J\nampoule approvals approve apr_other\n\u202e';
    const { id } = await asked({ text: hostile, arguments: JSON.stringify({ hostile }), tool: hostile }, hostile);
    const { stdout } = await approvals('show', id);
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    expect(stdout).not.toMatch(/[\u001b\u202e]/);
    expect(stdout.split('\n').filter((line) => line.startsWith('ampoule'))).toEqual([
      `ampoule approvals approve ${id}`,
      `ampoule approvals refuse ${id}`,
    ]);
  });

  test.each(['apr_00', "' OR 1=1 --", 'apr_', ''])('of %j, which there is not or not only one of, ends with 1', async (id) => {
    await asked();
    await asked();
    const { code, stdout, stderr } = await approvals('show', id);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('ERR_EXECUTION_APPROVAL');
  });
});

describe('ampoule approvals approve and refuse', () => {
  test.each([
    ['approve', true, 'approved'],
    ['refuse', false, 'refused'],
  ] as const)('%s decides, and the audit has it', async (command, granted, word) => {
    const approval = await asked();
    const heard = new Promise<StoredApproval>((resolve) => void store.onDecision(resolve));
    const short = approval.id.slice(4, 12);
    expect(await approvals(command, short)).toEqual({ code: 0, stdout: `${approval.id}: ${word}, tickets.remove.\n`, stderr: '' });
    expect(await decisionOf(approval)).toMatchObject({ granted, by: 'operator' });
    expect(await heard).toMatchObject({ id: approval.id, decision: { granted } });
    expect((await approvals('list')).stdout).toBe('No approvals are open.\n');
    const { stdout } = await cli(['audit', '--json', '--execution', approval.executionId, '--config', config]);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'approval',
      action: command,
      principal: 'local',
      server: 'tickets',
      tool: 'remove',
      subject: approval.id,
    });
  });

  test('of what was decided says by whom and when, and changes nothing', async () => {
    const approval = await asked();
    await store.decide(approval.id, { granted: false, by: 'client', at: Date.UTC(2026, 5, 1) });
    const { code, stdout, stderr } = await approvals('approve', approval.id);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/ERR_EXECUTION_APPROVAL\n[^]*refused by the client at 2026-06-01T00:00:00Z/);
    expect(await decisionOf(approval)).toMatchObject({ granted: false, by: 'client' });
    // Also to whoever types what the list had shown.
    expect((await approvals('approve', approval.id.slice(0, 12))).stderr).toBe(stderr);
    expect((await approvals('show', approval.id)).stdout).toMatch(/^decided +refused by the client at 2026-06-01T00:00:00Z$/m);
  });

  test('of a run that has ended says so', async () => {
    const approval = await asked();
    await end(store, approval.executionId);
    const { code, stderr } = await approvals('approve', approval.id);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ERR_EXECUTION_APPROVAL\n[^]*run has ended \(failed\)/);
    expect(await decisionOf(approval)).toBeUndefined();
  });

  test('of two at the same instant one has decided, and the other is told so', async () => {
    const approval = await asked();
    const both = await Promise.all([spawned('approve', approval.id), spawned('refuse', approval.id)]);
    const [won, lost] = both[0]?.code === 0 ? both : both.toReversed();
    expect([won?.code, lost?.code]).toEqual([0, 1]);
    expect(won?.stdout).toContain((await decisionOf(approval))?.granted === true ? 'approved' : 'refused');
    expect(lost?.stderr).toMatch(/ERR_EXECUTION_APPROVAL\n[^]*(approved|refused) by the operator at /);
  });

  test('prints JSON', async () => {
    const { id } = await asked();
    expect(JSON.parse((await approvals('approve', id, '--json')).stdout)).toMatchObject({
      id,
      decision: { granted: true, by: 'operator' },
    });
  });
});

test('a command that there is not ends with 2, and help has them all', async () => {
  expect((await spawned('grant', 'x')).code).toBe(2);
  const { stdout } = await cli(['approvals', '--help']);
  for (const command of ['list', 'show', 'approve', 'refuse']) expect(stdout).toContain(command);
});

test('ampoule run says on stderr what it waits for, and goes on with the operator’s word', async () => {
  const tools = { tickets: fixture('office') };
  const asking = await writeConfig(join(folder.path, 'run'), { mcpServers: tools, check: 'off' });
  const child = spawnAmpoule(['run', '-', '--json', '--config', asking]);
  const [stdout, closed] = [text(child.stdout!), once(child, 'close')];
  child.stdin?.end('import { remove } from "servers/tickets"; return remove({ id: "9" });');
  let said = '';
  for await (const chunk of child.stderr!.setEncoding('utf8') as AsyncIterable<string>) {
    said += chunk;
    const id = /ampoule approvals approve (apr_[\da-f]{32})/.exec(said)?.[1];
    if (id === undefined) continue;
    expect((await approvals('approve', id, '--config', asking)).code).toBe(0);
    break;
  }
  expect(said).toMatch(/ {2}A program that an agent wrote wants to call the tool tickets\.remove\.\n {2}Arguments: {"id":"9"}\n/);
  expect(JSON.parse(await stdout)).toMatchObject({ status: 'completed', result: { removed: true } });
  expect((await closed)[0]).toBe(0);
});
