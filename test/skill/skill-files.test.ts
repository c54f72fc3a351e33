import { mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSkillFiles, type SkillFiles } from '../../src/skill/skill-files.ts';
import { createSkillStore, type SkillStore } from '../../src/skill/skill-store.ts';

const CODE = 'import { readFile } from "ampoule"; return readFile("skills/one.ts");';
let directory: string;
let store: SkillStore;
let files: SkillFiles;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ampoule-skill-files-'));
  store = createSkillStore({ mode: 'on', maxSkills: 10 });
  files = createSkillFiles({ directory, store });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function save(name: string, code: string, principal = 'ada'): void {
  store.save({ name, principal, description: 'x', code, exports: [], depends: { tools: [], skills: [] } });
}

async function read(folder: string | undefined): Promise<Record<string, string>> {
  const path = join(directory, folder ?? '-');
  const names = await readdir(path);
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(path, name), 'utf8')] as const)));
}

test("a folder has the skills of its principal as they are now, and nobody else's", async () => {
  save('one', '// 1');
  save('two', '// 2');
  save('one', '// of bob', 'bob');
  expect(await read(files.folderFor(CODE, 'ada'))).toEqual({ 'one.ts': '// 1', 'two.ts': '// 2' });
  expect(await read(files.folderFor(CODE, 'bob'))).toEqual({ 'one.ts': '// of bob' });
  store.remove('two');
  save('one', '// 3');
  expect(await read(files.folderFor(CODE, 'ada'))).toEqual({ 'one.ts': '// 3' });
  expect((await stat(directory)).mode & 0o077).toBe(0);
});

test('what lies there from another time goes, and a link is not written through', async () => {
  save('one', '// 1');
  const folder = join(directory, files.folderFor(CODE, 'ada') ?? '');
  await writeFile(join(folder, 'old.ts'), '// old');
  await writeFile(join(directory, 'target'), '// target');
  await rm(join(folder, 'one.ts'));
  await symlink(join(directory, 'target'), join(folder, 'one.ts'));
  const again = createSkillFiles({ directory, store });
  expect(await read(again.folderFor(CODE, 'ada'))).toEqual({ 'one.ts': '// 1' });
  expect(await readFile(join(directory, 'target'), 'utf8')).toBe('// target');
});

test('code that reads no skill gets no folder, and costs no look at the store', () => {
  store.close();
  expect(files.folderFor('import { one } from "skills/one"; return one;', 'ada')).toBeUndefined();
  expect(files.folderFor('import { readFile } from "ampoule"; return readFile("servers/a/b.ts");', 'ada')).toBeUndefined();
});

test('a file that another process is writing stays, and one that it left behind goes', async () => {
  save('one', '// 1');
  const folder = join(directory, files.folderFor(CODE, 'ada') ?? '');
  await writeFile(join(folder, 'one.ts.a.new'), '//');
  await writeFile(join(folder, 'one.ts.b.new'), '//');
  await utimes(join(folder, 'one.ts.b.new'), 1, 1);
  save('two', '// 2');
  expect(Object.keys(await read(files.folderFor(CODE, 'ada'))).sort()).toEqual(['one.ts', 'one.ts.a.new', 'two.ts']);
});
