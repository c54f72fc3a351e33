import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { evict } from '../../src/component/disk-eviction.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ampoule-disk-eviction-'));
  await mkdir(join(directory, 'a1'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** A file of 100 bytes that was last used `minutes` ago. */
async function write(path: string, minutes: number): Promise<void> {
  const time = new Date(Date.now() - minutes * 60_000);
  await writeFile(join(directory, path), Buffer.alloc(100));
  await utimes(join(directory, path), time, time);
}

async function filesLeft(): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test('what a killed process left half-written goes after an hour, and not before', async () => {
  await write('a1/old.tmp', 61);
  await write('a1/new.tmp', 59);
  await write('a1/entry.program', 600);
  expect(await evict(directory, 1000)).toEqual({ bytes: 200, evicted: 0 });
  expect((await filesLeft()).sort()).toEqual(['entry.program', 'new.tmp']);
});

test('nothing goes at exactly the bound; one byte over it the oldest go until nine tenths are left', async () => {
  for (let i = 0; i < 10; i++) await write(`a1/${i}.program`, 10 - i);
  expect(await evict(directory, 1000)).toEqual({ bytes: 1000, evicted: 0 });
  expect(await evict(directory, 999)).toEqual({ bytes: 800, evicted: 2 });
  expect((await filesLeft()).sort()).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((i) => `${i}.program`));
});

test("files that are not the cache's own are left alone", async () => {
  await mkdir(join(directory, 'notes'));
  for (const path of ['README', 'a1/README', 'notes/x.program']) await write(path, 1000);
  expect(await evict(directory, 1)).toEqual({ bytes: 0, evicted: 0 });
  expect((await filesLeft()).sort()).toEqual(['README', 'README', 'x.program']);
});
