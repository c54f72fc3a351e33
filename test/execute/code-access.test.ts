import { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readFolder } from '../../src/read-access.ts';
import { executorFlags } from '../../src/execute/executor-flags.ts';
import { CHECKOUT, CODE, codeFile, PACKAGE } from '../support/code.ts';

let folder: string;
beforeAll(async () => (folder = await realpath(await mkdtemp(join(tmpdir(), 'ampoule-access-')))));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a process with these flags may read. */
function readable(flags: readonly string[], paths: readonly string[]): boolean[] {
  const code = `JSON.stringify(${JSON.stringify(paths)}.map((path) => process.permission.has('fs.read', path)))`;
  return JSON.parse(execFileSync(process.execPath, [...flags, '-p', code], { cwd: folder, encoding: 'utf8' })) as boolean[];
}

test('the executor may read its code, and neither what is beside it nor anything else of the project', () => {
  const paths = [
    codeFile('src/execute/executor/executor'),
    join(PACKAGE, 'package.json'),
    join(CHECKOUT, 'node_modules/piscina/package.json'),
  ];
  expect(readable(executorFlags(), paths)).toEqual([true, true, true]);
  const others = [
    'README.md',
    'ampoule.json',
    '.env',
    'src-of-others/a.ts',
    'node_modules/esbuild/package.json',
    'node_modules/zodiac/a.js',
  ];
  const outside = ['/etc/passwd', '/proc/self/environ', folder];
  const inside = [CHECKOUT, PACKAGE, CODE].flatMap((root) => others.map((path) => join(root, path)));
  expect(readable(executorFlags(), [...inside, ...outside])).toEqual([...inside, ...outside].map(() => false));
});

test.skipIf(CODE === CHECKOUT)(
  'packed, it may read the two files that it is made of, and neither our other code nor packages that are in these',
  () => {
    const own = ['executor', 'worker'].map((thread) => codeFile(`src/execute/${thread}/${thread}`));
    const others = [codeFile('src/main'), codeFile('src/bundle/scan-worker'), join(CODE, 'src', 'execute'), join(CODE, 'host-functions')];
    const packages = ['zod', 'undici', 'express'].map((name) => join(CHECKOUT, 'node_modules', name, 'package.json'));
    expect(readable(executorFlags(), own)).toEqual([true, true]);
    expect(readable(executorFlags(), [...others, ...packages])).toEqual([...others, ...packages].map(() => false));
    const folders = own.map((file) => readdirSync(dirname(file)));
    expect(folders).toEqual([['executor.js'], ['worker.js']]);
  },
);

test('a folder that is not there yet may be read when it is, and one that begins like it may not', () => {
  const flags = ['--permission', readFolder(join(folder, 'later'))];
  const paths = ['later/file', 'later/deep/er', 'later-not/file', 'late', 'file'].map((path) => join(folder, path));
  expect(readable(flags, paths)).toEqual([true, true, false, false, false]);
});

test('a path with a star is refused: it would stand for others', () => {
  expect(() => readFolder('/srv/a*b')).toThrow('"*"');
});

test('packages that are found by links, as some package managers have them, may be read where they are', async () => {
  // Packages in a store, links to them in the store's own node_modules, and the project beside.
  const [store, project] = [join(folder, 'store'), join(folder, 'a project')];
  await mkdir(join(project, 'node_modules'), { recursive: true });
  for (const name of ['piscina', 'zod', 'blake3']) {
    await cp(join(CHECKOUT, 'node_modules', name), join(store, name, 'node_modules', name), { recursive: true });
    await symlink(join(store, name, 'node_modules', name), join(project, 'node_modules', name));
  }
  for (const name of ['src', 'host-functions', 'package.json']) await cp(join(CHECKOUT, name), join(project, name), { recursive: true });
  const flagsUrl = pathToFileURL(join(project, 'src', 'execute', 'executor-flags.ts')).href;
  const code = `import { executorFlags } from '${flagsUrl}'; console.log(JSON.stringify(executorFlags()));`;
  await writeFile(join(folder, 'flags.mjs'), code);
  const flags = JSON.parse(execFileSync(process.execPath, [join(folder, 'flags.mjs')], { encoding: 'utf8' })) as string[];
  // It comes as far as its connection, which is not there.
  const entry = join(project, 'src', 'execute', 'executor', 'executor.ts');
  expect(() =>
    execFileSync(process.execPath, [...flags, entry], { stdio: ['ignore', 'ignore', 'pipe', 'ignore'], encoding: 'utf8' }),
  ).toThrow(/ERR_INVALID_FD_TYPE|EBADF/);
}, 30_000);
