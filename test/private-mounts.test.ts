import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { refusePrivateMounts } from '../src/private-mounts.ts';
import { cli } from './cli/run-cli.ts';
import { temporary, writeConfig } from './e2e/harness.ts';

const folder = await temporary();
const at = (...names: string[]): string => join(folder.path, ...names);
beforeAll(async () => {
  for (const name of ['project/docs', 'project-2', 'elsewhere']) await mkdir(at(...name.split('/')), { recursive: true });
  await symlink(at('project'), at('link'));
});
afterAll(() => folder[Symbol.asyncDispose]());

const check = (mounts: Record<string, string>, cache: string): Promise<void> =>
  refusePrivateMounts({ mounts, generatedDir: at('generated') }, cache);
const refused: unknown = expect.objectContaining({ code: 'ERR_CONFIG_INVALID', message: expect.stringContaining('mounts.bad') });

test('a mount that the cache folder is in is refused, through links too', async () => {
  for (const bad of ['/', folder.path, at('project'), at('project', 'cache'), at('link')]) {
    await expect(check({ good: at('elsewhere'), bad }, at('project', 'cache'))).rejects.toEqual(refused);
  }
  await expect(check({ bad: at('project') }, at('link', 'cache'))).rejects.toEqual(refused);
});

test('folders beside it and below it may be mounted', async () => {
  const mounts = { docs: at('project', 'docs'), other: at('project-2'), far: at('elsewhere') };
  await expect(check(mounts, at('project', 'cache'))).resolves.toBeUndefined();
  await expect(check(mounts, at('project', 'cache', 'new', 'deep'))).resolves.toBeUndefined();
});

test('nor may the folder of the wrappers be one', async () => {
  const config = { mounts: {}, generatedDir: at('project') };
  await expect(refusePrivateMounts(config, at('project', 'cache'))).rejects.toMatchObject({
    message: expect.stringContaining('generatedDir'),
  });
});

test('such a config does not start', async () => {
  const config = await writeConfig(at('project'), { mounts: { home: '.' }, mcpServers: {} });
  const { code, stderr } = await cli(['run', '-', '--config', config], { stdin: 'return 1' });
  expect(code).toBe(1);
  expect(stderr).toContain('ERR_CONFIG_INVALID');
  expect(stderr).toContain('mounts.home');
});
