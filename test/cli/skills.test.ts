import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addSkillCommands } from '../../src/cli/skill-commands.ts';
import type { NewSkill } from '../../src/skill/skill.ts';
import { createSkillStore, type SkillStore } from '../../src/skill/skill-store.ts';
import { temporary, writeConfig } from '../e2e/harness.ts';
import { inProcess } from './in-process.ts';
import { cli, type CliResult } from './run-cli.ts';

const folder = await temporary();
let config = '';
/** As a server that runs has it. */
let store: SkillStore;
beforeAll(async () => {
  config = await writeConfig(folder.path, { mcpServers: {}, skills: 'ask' });
  store = createSkillStore({
    file: join(folder.path, 'cache', 'skills.db'),
    mode: 'ask',
    maxSkills: 100,
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
  });
});
afterAll(async () => {
  store.close();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => new Set(store.all().map(({ name }) => name)).forEach((name) => store.remove(name)));

function skills(...args: string[]): Promise<CliResult> {
  return inProcess(addSkillCommands, folder.path, config, ['skills', ...args]);
}

function save(name: string, more: Partial<NewSkill> = {}): number {
  const exports = [{ name: 'run', kind: 'function' as const, signature: 'run(): void' }];
  const depends = { tools: [{ server: 'mail', tool: 'send', hash: 'h' }], skills: [{ name: 'other', version: 3 }] };
  return store.save({
    name,
    principal: 'ada',
    description: `Does ${name}.`,
    code: `export function run() {} // ${name}\n`,
    exports,
    depends,
    ...more,
  }).version;
}

test('list shows every skill with the version in use and those that wait', async () => {
  expect((await skills('list')).stdout).toBe('No skills.\n');
  save('triage');
  store.decide('triage', 1, 'approved');
  save('triage', { code: 'export const run = 1;\n' });
  save('sort', { description: 'Two\nlines \u001B[31m' });
  expect((await skills('list')).stdout).toBe(
    [
      'NAME    APPROVED  WAITING  PRIVATE  DESCRIPTION',
      String.raw`sort    -         1        -        Two lines \u001b[31m`,
      'triage  1         2        -        Does triage.',
      '2 skills.\n',
    ].join('\n'),
  );
  expect(JSON.parse((await skills('list', '--json')).stdout)).toEqual([
    { name: 'sort', description: 'Two\nlines \u001B[31m', approved: null, waiting: [1], private: [], versions: 1 },
    { name: 'triage', description: 'Does triage.', approved: 1, waiting: [2], private: [], versions: 2 },
  ]);
});

test('show gives what waits, and how to approve exactly that; nothing in it reaches the terminal', async () => {
  save('triage');
  store.decide('triage', 1, 'approved');
  expect((await skills('show', 'triage')).stdout).toMatch(/^skill +triage@1, approved\n/u);
  save('triage', { code: 'export const a = "\u001B[2J";\n// \u202E hidden\n' });
  const { stdout } = await skills('show', 'triage');
  expect(stdout).toBe(
    [
      'skill        triage@2, waiting',
      'saved        2026-01-02T03:04:05.000Z by ada',
      'description  Does triage.',
      'exports      run(): void',
      'tools        mail.send',
      'imports      other@3',
      '',
      String.raw`  export const a = "\u001b[2J";`,
      String.raw`  // \u202e hidden`,
      '  ',
      'To approve exactly this: ampoule skills approve triage@2\n',
    ].join('\n'),
  );
  expect((await skills('show', 'triage@1')).stdout).toContain('triage@1, approved');
  expect(JSON.parse((await skills('show', 'triage@1', '--json')).stdout)).toMatchObject({
    version: 1,
    state: 'approved',
    code: expect.stringContaining('run()'),
  });
});

describe('approve', () => {
  test('takes the one version that waits, or the one that is named', async () => {
    save('triage');
    expect(await skills('approve', 'triage')).toEqual({
      code: 0,
      stdout: 'triage, version 1: approved. Version 1 is in use.\n',
      stderr: '',
    });
    expect(store.find('triage', 'bob')?.version).toBe(1);
    save('triage', { code: 'export const run = 2;\n' });
    save('triage', { code: 'export const run = 3;\n' });
    const both = await skills('approve', 'triage');
    expect(both.code).toBe(1);
    expect(both.stderr).toMatch(/ERR_SKILL_UNKNOWN\n.*More than one version of "triage" waits\.\n.*triage@3, triage@2/u);
    expect(JSON.parse((await skills('approve', 'triage@2', '--json')).stdout)).toMatchObject({ version: 2, state: 'approved', inUse: 2 });
  });

  test('of nothing that waits, of what there is not, or of no reference is an error that says so', async () => {
    save('triage');
    await skills('reject', 'triage');
    expect(await skills('approve', 'triage')).toMatchObject({ code: 1, stderr: expect.stringContaining('No version of "triage" waits.') });
    expect(await skills('approve', 'triaje')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ERR_SKILL_UNKNOWN\n.*\n.*Did you mean "triage"\?/u),
    });
    expect(await skills('approve', 'triage@7')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no version 7.*\n.*There are: 1\./u),
    });
    expect(await skills('approve', 'triage@latest')).toMatchObject({ code: 2, stderr: expect.stringContaining('ERR_CLI_USAGE') });
    expect(await cli(['skills', 'approve', '--config', config])).toMatchObject({ code: 2 });
  });
});

test('reject takes a version out of use, history tells it, remove takes all away', async () => {
  save('triage');
  await skills('approve', 'triage@1');
  expect((await skills('reject', 'triage@1')).stdout).toBe('triage, version 1: rejected. No version is approved.\n');
  expect((await skills('history', 'triage')).stdout).toMatch(
    /^VERSION +STATE +SAVED +BY +DECIDED +SIZE\ntriage@1 +rejected +2026-01-02T03:04:05\.000Z +ada +\d{4}-.*Z +\d+ bytes\n$/u,
  );
  expect((await skills('remove', 'triage')).stdout).toBe('triage: removed with 1 version.\n');
  expect(await skills('remove', 'triage')).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_SKILL_UNKNOWN') });
});

test('looking makes no file', async () => {
  await using empty = await temporary();
  const file = await writeConfig(empty.path, { mcpServers: {} });
  expect(await cli(['skills', 'list', '--config', file])).toMatchObject({ code: 0, stdout: 'No skills.\n' });
  expect(existsSync(join(empty.path, 'cache', 'skills.db'))).toBe(false);
});
