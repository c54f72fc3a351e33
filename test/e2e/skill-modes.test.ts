import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { createLog } from '../../src/log.ts';
import { openSandbox } from '../../src/open-sandbox.ts';
import { LANES } from '../server/clients.ts';
import { startAmpoule, temporary, writeConfig, type Ampoule } from './harness.ts';
import { operator, save } from './skill-client.ts';

test('what one principal saved is nothing to another before it is approved: not found, not imported, not read', async () => {
  await using folder = await temporary();
  const config = await loadConfig({ file: await writeConfig(folder.path, { mcpServers: {}, skills: 'on' }), environment: {} });
  const options = { cacheDirectory: join(folder.path, 'cache'), installDirectory: folder.path, environment: {}, version: '0.0.0' };
  await using started = new AsyncDisposableStack();
  const sandbox = await openSandbox({ config, ...options, log: createLog(config.log) });
  started.defer(() => sandbox.close());
  const { port, skills } = sandbox;
  const { signal } = new AbortController();
  const saved = (principal: string, code: string) =>
    port.saveSkill({ name: 'shared', description: 'Secret of ann', code }, { signal, principal });
  const run = async (principal: string, code: string) => (await port.execute({ code }, { signal, principal })).structured;
  const found = async (principal: string) =>
    JSON.stringify(await port.search({ query: 'shared secret', detail: 'full', limit: 10 }, principal));
  const IMPORT = 'import { who } from "skills/shared"; return who;';
  const READ_FILE = 'import { readFile } from "ampoule"; return readFile("skills/shared.ts");';

  expect(await saved('ann', 'export const who = "ann";')).toMatchObject({ isError: false });
  expect(await run('ann', IMPORT)).toMatchObject({ status: 'completed', result: 'ann' });
  expect(await found('ann')).toContain('Secret of ann');
  const nothing = [await found('ben'), JSON.stringify(port.listSkills('ben')), JSON.stringify(await run('ben', READ_FILE))];
  nothing.push(
    JSON.stringify((await run('ben', IMPORT)).error),
    JSON.stringify((await run('ben', 'import { who } from "skills/shred"; return who;')).error),
  );
  for (const text of nothing) expect(text).not.toMatch(/Secret|\bann\b/u);
  // Nor is it what another name may have meant.
  expect(nothing.at(-1)).not.toContain('shared');
  expect(await run('ben', IMPORT)).toMatchObject({ status: 'failed', error: { code: 'ERR_BUNDLE_IMPORT' } });

  // The same text of a program is another program for whom the name is another skill.
  expect((await saved('ben', 'export const who = "ben";')).text).toContain('private');
  const both = await Promise.all(['ann', 'ben', 'ann', 'ben'].map((principal) => run(principal, IMPORT)));
  expect(both.map(({ result }) => result)).toEqual(['ann', 'ben', 'ann', 'ben']);
  expect((await run('ben', READ_FILE)).result).toBe('export const who = "ben";');
  skills.decide('shared', 1, 'approved');
  expect((await run('eve', IMPORT)).result).toBe('ann');
});

describe('in mode "ask"', () => {
  test('a skill waits for the operator, beside the running server; a restart loses nothing', async () => {
    await using folder = await temporary();
    const config = { mcpServers: {}, skills: 'ask' };
    const code = 'import { value } from "skills/asked"; return value;';
    const first = await startAmpoule(config, { directory: folder.path });
    try {
      const client = await first.connect();
      expect(await save(client, 'asked', 'export const value = 1;')).toMatch(/waiting\n.*ampoule skills approve asked@1/u);
      expect((await first.execute(code)).output.error).toMatchObject({ code: 'ERR_BUNDLE_IMPORT', message: 'There is no "skills/asked".' });
      expect((await operator(first, 'list')).stdout).toMatch(
        /^NAME +APPROVED +WAITING +PRIVATE +DESCRIPTION\nasked +- +1 +- +What asked does\.\n1 skill\.\n$/u,
      );
      expect((await operator(first, 'show', 'asked')).stdout).toMatch(
        /asked@1, waiting[^]*export const value = 1;[^]*ampoule skills approve asked@1\n$/u,
      );
      expect(await operator(first, 'approve', 'asked@1')).toMatchObject({
        code: 0,
        stdout: 'asked, version 1: approved. Version 1 is in use.\n',
      });
      expect(await first.result(code)).toBe(1);
      expect(await save(client, 'asked', 'export const value = 2;')).toContain('Until then version 1 stays in use.');
      expect(await first.result(code)).toBe(1);
    } finally {
      await first.stop();
    }
    const second = await startAmpoule(config, { directory: folder.path });
    try {
      expect(await second.result(code)).toBe(1);
      expect((await operator(second, 'approve', 'asked')).stdout).toContain('version 2: approved');
      expect(await second.result(code)).toBe(2);
      expect((await operator(second, 'reject', 'asked@2')).stdout).toContain('Version 1 is in use.');
      expect(await second.result(code)).toBe(1);
      const { stdout } = await operator(second, 'history', 'asked', '--json');
      expect(JSON.parse(stdout)).toMatchObject([
        { version: 2, state: 'rejected', principal: 'local' },
        { version: 1, state: 'approved' },
      ]);
      expect((await operator(second, 'remove', 'asked')).stdout).toBe('asked: removed with 2 versions.\n');
      expect((await second.execute(code)).output.error).toMatchObject({ code: 'ERR_BUNDLE_IMPORT' });
    } finally {
      await second.stop();
    }
  });
});

describe('in mode "off"', () => {
  let ampoule: Ampoule;
  beforeAll(async () => void (ampoule = await startAmpoule({ mcpServers: {} })));
  afterAll(() => ampoule.stop());

  test.each(LANES)('there is no such tool, and a call of it says why, %s', async (lane) => {
    const client = await ampoule.connect(lane);
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('save_skill');
    expect(await save(client, 'greet', 'export const a = 1;')).toMatch(/^failed: ERR_SKILL_OFF\n/u);
    expect((await ampoule.execute('import { greet } from "skills/greet"; return greet;')).output.error).toMatchObject({
      code: 'ERR_BUNDLE_IMPORT',
      hint: 'There are no skills here. Put the code into the program itself.',
    });
  });
});
