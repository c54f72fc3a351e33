import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { parserFlags } from '../../src/bundle/parser-flags.ts';
import { Scanner } from '../../src/bundle/scanner.ts';
import { CHECKOUT, CODE, codeFile } from '../support/code.ts';
import { errorOf } from './fixture.ts';
import { endlessText, parsersOf } from './scanner-fixture.ts';

const PARENT = fileURLToPath(new URL('lonely-parent.ts', import.meta.url));
/** More than any text here takes on a busy machine. */
const LONG_MS = 50_000;
const scanner = new Scanner();
afterAll(() => scanner[Symbol.asyncDispose]());

async function worksStill(): Promise<void> {
  expect((await scanner.scan(`return 2 // ${Math.random()}`, LONG_MS)).kind).toBe('scan');
}

test('a text that takes more memory than there is for one ends in an error, and others go on meanwhile', async () => {
  // A statement takes a hundred times its text.
  const hungry = errorOf(scanner.scan('1;'.repeat(5_000_000), LONG_MS));
  const meanwhile = await Promise.race([hungry, worksStill()]);
  expect(meanwhile).toBeUndefined();
  const error = await hungry;
  expect([error.code, error.message]).toEqual(['ERR_BUNDLE_FAILED', 'The parser ended in the middle of this code.']);
  await worksStill();
});

test.each(['SIGABRT', 'SIGKILL', 'SIGSEGV'] as const)(
  'a parser that ends by %s is replaced, and its text gets an error',
  async (signal) => {
    await using lonely = new Scanner();
    await lonely.scan('return 1', LONG_MS);
    const others = parsersOf();
    const ended = errorOf(lonely.scan(endlessText(), LONG_MS));
    for (const pid of others) process.kill(pid, signal);
    expect(await ended).toMatchObject({ code: 'ERR_BUNDLE_FAILED', cause: new Error(signal) });
    expect((await lonely.scan('return 2', LONG_MS)).kind).toBe('scan');
    await worksStill();
  },
);

test('there are two at most, and none when they are closed', async () => {
  const before = parsersOf();
  const busy = new Scanner();
  busy.warm();
  const scans = Array.from({ length: 20 }, (_, index) => busy.scan(`return ${index}`, LONG_MS));
  await Promise.all(scans);
  const own = parsersOf().filter((pid) => !before.includes(pid));
  expect(own.length).toBeGreaterThan(0);
  expect(own.length).toBeLessThanOrEqual(2);
  const cut = [1, 2, 3].map(() => errorOf(busy.scan(endlessText(), LONG_MS)));
  await busy[Symbol.asyncDispose]();
  expect(parsersOf().filter((pid) => own.includes(pid))).toEqual([]);
  for (const error of await Promise.all(cut)) expect(error).toMatchObject({ code: 'ERR_BUNDLE_FAILED', message: 'The bundler is closed.' });
});

test('it has nothing of our environment', async () => {
  await worksStill();
  const [pid] = parsersOf();
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  expect(new Set(environment.map((line) => line.split('=')[0]))).toEqual(new Set(['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE']));
  expect(process.env['PATH']).toBeDefined();
});

test('it may read its code, and nothing else', () => {
  const ask = (right: string, path: string): boolean => {
    const code = `process.permission.has(${JSON.stringify(right)}, ${JSON.stringify(path)})`;
    return execFileSync(process.execPath, [...parserFlags(), '-p', code], { cwd: join(CODE, 'src'), encoding: 'utf8' }).trim() === 'true';
  };
  const own = codeFile('src/bundle/scan-worker');
  const parser = 'node_modules/@babel/parser/package.json';
  const others = [
    'README.md',
    'ampoule.json',
    'node_modules/zod/package.json',
    ...(CODE === CHECKOUT ? [] : [parser, codeFile('src/main')]),
  ];
  expect(ask('fs.read', own)).toBe(true);
  expect(others.filter((path) => ask('fs.read', resolve(CHECKOUT, path)))).toEqual([]);
  expect([ask('fs.read', '/etc/passwd'), ask('fs.write', join(CODE, 'src')), ask('child', '')]).toEqual([false, false, false]);
});

test('it does not outlive a process that is killed while it parses', async () => {
  const parent = spawn(process.execPath, [PARENT, 'parse'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(parent.stdout, 'data');
    const parsers = parsersOf(parent.pid);
    expect(parsers).toHaveLength(1);
    const [pid = 0] = parsers;
    // It is in the middle of the text: its thread computes.
    const before = cpuTicks(pid);
    await expect.poll(() => cpuTicks(pid), { timeout: 20_000 }).toBeGreaterThan(before + 10);
    parent.kill('SIGKILL');
    await expect.poll(() => cpuTicks(pid), { timeout: 20_000 }).toBe(-1);
  } finally {
    parent.kill('SIGKILL');
  }
});

/** Processor time of a process; -1 when there is no such process any more. */
function cpuTicks(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? -1 : Number(fields[11]) + Number(fields[12]);
  } catch {
    return -1;
  }
}

test.each([
  ['that has nothing else to do is not kept alive by it', 'idle'],
  ['that has nothing else to do lives to see its end', 'close'],
])('a process %s', async (_, doing) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [PARENT, doing], { timeout: LONG_MS });
  expect([stdout, stderr]).toEqual([`${doing}\n`, '']);
});

test('packages that are found by links, and theirs beside them, are read where they are', async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'ampoule-scanner-')));
  try {
    const [store, project] = [join(folder, 'store'), join(folder, 'a project')];
    for (const name of ['@babel/parser', 'fastest-levenshtein', 'regexpu-core']) await linkFromStore(name, store, project);
    for (const name of ['src', 'package.json']) await cp(join(CHECKOUT, name), join(project, name), { recursive: true });
    const url = pathToFileURL(join(project, 'src', 'bundle', 'scanner.ts')).href;
    const code = `import { Scanner } from ${JSON.stringify(url)}; console.log(JSON.stringify(await new Scanner().portRegExps('/\\\\p{Lu}/u', 50000)));`;
    await writeFile(join(folder, 'scan.mjs'), code);
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'scan.mjs')], { timeout: LONG_MS });
    expect(stdout).toMatch(/^\[\{"start":0,"end":9,"text":"\/\[A-Z/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** A package in a store, with links to what it depends on beside it, and a link to it for the one that imports it. */
async function linkFromStore(name: string, store: string, importer: string): Promise<void> {
  const place = join(store, name.replace('/', '+'), 'node_modules', name);
  await cp(join(CHECKOUT, 'node_modules', name), place, { recursive: true });
  const link = join(importer, 'node_modules', name);
  await mkdir(join(link, '..'), { recursive: true });
  await symlink(place, link);
  const { dependencies = {} } = JSON.parse(await readFile(join(place, 'package.json'), 'utf8')) as { dependencies?: object };
  const beside = join(store, name.replace('/', '+'));
  // What the parser's package depends on are types only.
  if (name !== '@babel/parser') for (const dependency of Object.keys(dependencies)) await linkFromStore(dependency, store, beside);
}
