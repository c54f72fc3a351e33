import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openAuditRegister } from '../../src/audit/audit-register.ts';
import { openAudited } from './audited-sandbox.ts';
import { fixture, spawnAmpoule, temporary, writeConfig } from './harness.ts';
import { until } from './processes.ts';

test('values are there when the operator asks, without secrets and personal data', async () => {
  await using audited = await openAudited({
    mcpServers: { mail: fixture('office', { env: { OFFICE_TOKEN: 'hunter2-hunter2' } }) },
    policies: { personalData: { servers: ['mail'] } },
    audit: { values: true },
  });
  const code = `import { customer, post } from "servers/mail"; const found = await customer({});
    await post({ text: "to " + found.email + " with hunter2-hunter2" }); return found.email;`;
  expect(await audited.execute('local', code, { input: { n: 1 } })).toMatchObject({ status: 'completed' });
  // A clean end writes everything.
  await audited.close();
  const told = await audited.lines({});
  const run = told.find(({ kind }) => kind === 'run');
  expect(run?.values).toMatchObject({
    program: expect.stringContaining('servers/mail'),
    input: '{"n":1}',
    result: expect.stringMatching(/‹email_/),
  });
  const posted = told.find(({ tool }) => tool === 'post');
  expect(posted?.values?.['arguments']).toMatch(/to ‹email_\w+› with \*\*\*/);
  const everything = JSON.stringify(told);
  for (const value of ['hunter2', 'jo.doe@example.org', '4111 1111']) expect(everything).not.toContain(value);
});

test('where nothing may run unrecorded, the beginning of a run is there when everything is killed', async () => {
  await using other = await temporary();
  const config = await writeConfig(other.path, {
    mcpServers: { mail: fixture('office') },
    check: 'off',
    log: { level: 'warn', format: 'json' },
    audit: { onFailure: 'refuse', file: 'lines.jsonl' },
  });
  const [program, file, store] = ['program.ts', 'lines.jsonl', 'cache/audit.db'].map((name) => join(other.path, name));
  writeFileSync(program ?? '', 'import { read } from "servers/mail"; await read({}); for (;;);');
  const child = spawnAmpoule(['run', program ?? '', '--config', config]);
  const ended = new Promise((resolve) => child.once('close', resolve));
  await until('the run has begun', () => existsSync(file ?? '') && readFileSync(file ?? '', 'utf8').includes('"tool":"read"'));
  child.kill('SIGKILL');
  await ended;
  const register = openAuditRegister(store ?? '');
  expect(register.last({}, 10).map(({ line: { kind } }) => kind)).toEqual(['begin', 'call']);
  register.close();
});

test('where nothing may run unrecorded, nothing runs while the disk takes nothing', async () => {
  await using audited = await openAudited({ mcpServers: {}, skills: 'on', audit: { onFailure: 'refuse' } });
  const run = async (): Promise<string | undefined> => (await audited.execute('local', 'return 1;')).error?.code;
  expect(await run()).toBeUndefined();
  const locked = new DatabaseSync(join(audited.directory, 'cache', 'audit.db'));
  locked.exec('BEGIN EXCLUSIVE');
  expect(await run()).toBe('ERR_AUDIT_STORE');
  const options = { signal: new AbortController().signal };
  expect((await audited.port.saveSkill({ name: 'one', description: 'x', code: 'export const one = 1;' }, options)).isError).toBe(true);
  locked.exec('ROLLBACK');
  locked.close();
  await expect.poll(run, { timeout: 5_000 }).toBeUndefined();
});
