import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Delta } from '../../src/component/delta.ts';
import { openDiskCache } from '../../src/component/disk-cache.ts';
import type { DiskCache } from '../../src/component/disk-cache.ts';
import { decodeProgram, encodeProgram } from '../../src/component/program-file.ts';

const run = promisify(execFile);
const CHILD = join(import.meta.dirname, 'disk-cache-child.ts');
const MiB = 1024 * 1024;

let parent: string;
let directory: string;
let messages: string[];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'ampoule-disk-cache-'));
  directory = join(parent, 'programs');
  messages = [];
});

afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

function open(maxBytes = MiB): Promise<DiskCache> {
  return openDiskCache({ directory, maxBytes, log: (message) => messages.push(message) });
}

function keyOf(name: string): string {
  return name.repeat(64).slice(0, 64);
}

function programOf(value: number, size = 1000): Delta {
  return { pages: 1, blocks: [{ offset: 0, bytes: new Uint8Array(size).fill(value) }] };
}

function put(cache: DiskCache, key: string, delta = programOf(1)): Promise<void> {
  return cache.put(key, encodeProgram(key, delta));
}

function pathOf(key: string): string {
  return join(directory, key.slice(0, 2), `${key}.program`);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all((await filesIn(folder)).map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Makes an entry look as if it was last used `minutes` ago. */
async function age(path: string, minutes: number): Promise<void> {
  const time = new Date(Date.now() - minutes * 60_000);
  await utimes(path, time, time);
}

test('a program that was put is got, also by the next process', async () => {
  const key = keyOf('a1');
  await put(await open(), key, programOf(7));
  const cache = await open();
  const program = await cache.get(key);
  expect(program && decodeProgram(program, key).blocks[0]?.bytes.every((byte) => byte === 7)).toBe(true);
  expect(await cache.get(keyOf('b2'))).toBeUndefined();
  expect(cache.statistics).toEqual({ hits: 1, misses: 1, damaged: 0, evicted: 0 });
  expect(messages).toEqual([]);
});

test('only its owner can read the folder and what is in it', async () => {
  await put(await open(), keyOf('a1'));
  expect((await stat(directory)).mode & 0o077).toBe(0);
  expect((await stat(pathOf(keyOf('a1')))).mode & 0o077).toBe(0);
});

test.each([
  ['flipped byte', (bytes: Buffer) => bytes.fill(bytes[200] === 0 ? 1 : 0, 200, 201)],
  ['missing half', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['missing everything', () => Buffer.alloc(0)],
  ['text behind its end', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
])('an entry with a %s is deleted, told and then made again', async (_, damage) => {
  const cache = await open();
  const key = keyOf('a1');
  await put(cache, key);
  await writeFile(pathOf(key), damage(await readFile(pathOf(key))));
  expect(await cache.get(key)).toBeUndefined();
  expect(await filesIn(directory)).toEqual([]);
  expect(cache.statistics.damaged).toBe(1);
  expect(messages).toEqual([expect.stringContaining('was deleted')]);
  await put(cache, key);
  expect(await cache.get(key)).toBeDefined();
});

test("an entry swapped with another program's is not used", async () => {
  const cache = await open();
  await put(cache, keyOf('a1'), programOf(1));
  await put(cache, keyOf('b2'), programOf(2));
  await rename(pathOf(keyOf('b2')), pathOf(keyOf('a1')));
  expect(await cache.get(keyOf('a1'))).toBeUndefined();
  expect(cache.statistics.damaged).toBe(1);
});

test('an entry larger than the whole cache may be is not read', async () => {
  const cache = await open(2000);
  await put(cache, keyOf('a1'));
  await writeFile(pathOf(keyOf('a1')), Buffer.alloc(2001));
  expect(await cache.get(keyOf('a1'))).toBeUndefined();
  expect(await filesIn(directory)).toEqual([]);
});

test('a link in the place of an entry is removed, and what it leads to is left alone', async () => {
  const cache = await open();
  const key = keyOf('a1');
  await put(cache, key);
  const outside = join(parent, 'outside');
  await rename(pathOf(key), outside);
  await symlink(outside, pathOf(key));
  expect(await cache.get(key)).toBeUndefined();
  expect(await filesIn(parent)).toEqual([outside]);
});

test('a link in the place of a folder is not followed, neither to read, to write, nor to evict', async () => {
  const cache = await open();
  const key = keyOf('a1');
  await put(cache, key);
  const outside = join(parent, 'outside');
  await rename(join(directory, 'a1'), outside);
  await symlink(outside, join(directory, 'a1'));
  const before = await filesIn(outside);
  expect(await cache.get(key)).toBeUndefined();
  await put(cache, keyOf('a1b'));
  await open(1);
  expect(await filesIn(outside)).toEqual(before);
});

test('a folder and a pipe in the place of an entry are misses', async () => {
  const cache = await open();
  await put(cache, keyOf('a1'));
  await rm(pathOf(keyOf('a1')));
  await mkdir(pathOf(keyOf('a1')));
  expect(await cache.get(keyOf('a1'))).toBeUndefined();
  await run('mkfifo', [pathOf(keyOf('a1'))]);
  expect(await cache.get(keyOf('a1'))).toBeUndefined();
  await put(cache, keyOf('a1'));
  expect(await cache.get(keyOf('a1'))).toBeDefined();
});

test('a full cache lets go of what was not used for longest, down to nine tenths', async () => {
  const bytes = encodeProgram(keyOf('0'), programOf(1)).length;
  const cache = await open(10 * bytes);
  for (const name of '0123456789') await put(cache, keyOf(name));
  expect(await filesIn(directory)).toHaveLength(10);
  for (let i = 0; i < 10; i++) await age(pathOf(keyOf(String(i))), 100 - i);
  expect(await cache.get(keyOf('0'))).toBeDefined();
  await put(cache, keyOf('a'));
  expect(await filesIn(directory)).toHaveLength(9);
  expect(await cache.get(keyOf('0'))).toBeDefined();
  expect(await cache.get(keyOf('1'))).toBeUndefined();
  expect(await cache.get(keyOf('2'))).toBeUndefined();
  expect(await cache.get(keyOf('a'))).toBeDefined();
  expect(cache.statistics.evicted).toBe(2);
});

test('the time of last use is written at most once a minute', async () => {
  const cache = await open();
  const path = pathOf(keyOf('a1'));
  await put(cache, keyOf('a1'));
  await age(path, 0.5);
  const before = (await stat(path)).mtimeMs;
  await cache.get(keyOf('a1'));
  expect((await stat(path)).mtimeMs).toBe(before);
  await age(path, 2);
  await cache.get(keyOf('a1'));
  expect(Date.now() - (await stat(path)).mtimeMs).toBeLessThan(30_000);
});

test('a program larger than the bound is not kept; one just as large is', async () => {
  const bytes = encodeProgram(keyOf('a'), programOf(1));
  const small = await open(bytes.length - 1);
  await small.put(keyOf('a'), bytes);
  expect(await filesIn(directory)).toEqual([]);
  const cache = await open(bytes.length);
  await cache.put(keyOf('a'), bytes);
  expect(await cache.get(keyOf('a'))).toBeDefined();
});

test('a cache that was left too large is brought under its bound when it is opened', async () => {
  const cache = await open();
  for (const name of '0123456789') await put(cache, keyOf(name));
  await open(3000);
  expect(await bytesIn(directory)).toBeLessThanOrEqual(2700);
});

test('a folder that vanished is a miss, told once, and not made again', async () => {
  const cache = await open();
  await rm(directory, { recursive: true });
  expect(await cache.get(keyOf('a1'))).toBeUndefined();
  await put(cache, keyOf('a1'));
  expect(await cache.get(keyOf('a1'))).toBeUndefined();
  expect(messages).toEqual([expect.stringContaining('ENOENT')]);
  expect(await readdir(parent)).toEqual([]);
});

test('a folder that cannot be made is a miss, told once', async () => {
  await writeFile(directory, 'a file');
  const cache = await open();
  await put(cache, keyOf('a1'));
  expect(await cache.get(keyOf('a1'))).toBeUndefined();
  expect(messages).toContainEqual(expect.stringContaining('does not work'));
  expect(messages.length).toBeLessThanOrEqual(2);
  expect(await readFile(directory, 'utf8')).toBe('a file');
});

test('parents of the folder are made too', async () => {
  directory = join(parent, 'one', 'two', 'three');
  const cache = await open();
  await put(cache, keyOf('a1'));
  expect(await cache.get(keyOf('a1'))).toBeDefined();
});

test.skipIf(process.platform !== 'linux')('a folder in a file system that takes no folders is a miss, told once, at once', async () => {
  directory = '/proc/ampoule/programs';
  const cache = await open();
  expect(await cache.get(keyOf('a1'))).toBeUndefined();
  expect(messages).toEqual([expect.stringContaining('ENOENT')]);
});

test.skipIf(process.getuid?.() === 0)('a read-only folder still gives what is in it, and says once that nothing can be added', async () => {
  await put(await open(), keyOf('a1'));
  await age(pathOf(keyOf('a1')), 5);
  await chmod(join(directory, 'a1'), 0o500);
  await chmod(directory, 0o500);
  try {
    const cache = await open();
    await put(cache, keyOf('b2'));
    await put(cache, keyOf('a1b'));
    expect(await cache.get(keyOf('a1'))).toBeDefined();
    expect(messages).toEqual([expect.stringContaining('EACCES')]);
  } finally {
    await chmod(directory, 0o700);
    await chmod(join(directory, 'a1'), 0o700);
  }
});

test('a disk that refuses to take the bytes is a miss, told once, and nothing half-written stays', async () => {
  // The shell's limit on file size (in blocks of 512 or 1024 bytes) stands in for a full disk: a write fails in the middle.
  const command = 'ulimit -f 8; exec "$0" "$@"';
  const { stdout } = await run('sh', ['-c', command, process.execPath, CHILD, directory, String(MiB), '100000', '5'], { timeout: 20_000 });
  const seen: { wrong: number; hits: number; misses: number; messages: string[] } = JSON.parse(stdout);
  expect(seen).toMatchObject({ wrong: 0, hits: 0, misses: 15 });
  expect(seen.messages).toEqual([expect.stringContaining('does not work (EFBIG)')]);
  expect(await filesIn(directory)).toEqual([]);
});

test('four processes on one folder never see a wrong or damaged program, and stay near the bound', async () => {
  const bound = 300_000;
  const start = () => run(process.execPath, [CHILD, directory, String(bound), '10000', '36'], { timeout: 30_000 });
  const outputs = await Promise.all([start(), start(), start(), start()]);
  for (const { stdout } of outputs) expect(JSON.parse(stdout)).toMatchObject({ wrong: 0, damaged: 0, messages: [] });
  expect(outputs.map(({ stdout }) => JSON.parse(stdout).evicted).reduce((a, b) => a + b)).toBeGreaterThan(0);
  await open(bound);
  expect(await bytesIn(directory)).toBeLessThanOrEqual(bound);
});

test.each(['', 'A'.repeat(64), '../'.repeat(22).slice(0, 64), `${'a'.repeat(64)}\n`, 'a'.repeat(63)])(
  'refuses %j as a key',
  async (key) => {
    const cache = await open();
    await expect(cache.get(key)).rejects.toThrow(TypeError);
    await expect(cache.put(key, new Uint8Array(1))).rejects.toThrow(TypeError);
  },
);

test('a cancelled get ends with the reason of its signal', async () => {
  const cache = await open();
  await put(cache, keyOf('a1'));
  await expect(cache.get(keyOf('a1'), AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});

test('programs put at the same time under one key leave one good entry', async () => {
  const cache = await open();
  await Promise.all(Array.from({ length: 20 }, () => put(cache, keyOf('a1'), programOf(3))));
  expect(await filesIn(directory)).toEqual([pathOf(keyOf('a1'))]);
  expect(await cache.get(keyOf('a1'))).toBeDefined();
});
