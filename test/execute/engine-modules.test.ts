import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { joinModules, readModules, splitModules } from '../../src/execute/engine-modules.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'ampoule-modules-'))));
afterAll(() => rm(folder, { recursive: true }));

test('an executor that is started again gets the modules of the first start, whatever became of the files', async () => {
  const paths = { 'a.wasm': join(folder, 'a.wasm'), 'b.wasm': join(folder, 'b.wasm') };
  await writeFile(paths['a.wasm'], 'first');
  await writeFile(paths['b.wasm'], 'other');
  const first = await readModules(paths);
  await writeFile(paths['a.wasm'], 'altered');
  expect(await readModules(paths)).toEqual(first);
  await rm(paths['b.wasm']);
  expect(await readModules(paths)).toEqual(first);
  const { parts, payload } = joinModules(first);
  expect(splitModules(parts, payload)).toEqual(first);
});

test('a start that failed because a file was missing can be tried again', async () => {
  const paths = { 'c.wasm': join(folder, 'c.wasm') };
  await expect(readModules(paths)).rejects.toThrow('ENOENT');
  await writeFile(paths['c.wasm'], 'there now');
  expect(Buffer.from((await readModules(paths)).get('c.wasm') ?? []).toString()).toBe('there now');
});
