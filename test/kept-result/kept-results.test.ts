import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readKeptResult } from '../../host-functions/kept-result.ts';
import { openKeptResults, type KeptPages, type KeptResults, type KeptResultsOptions } from '../../src/kept-result/kept-results.ts';

const BOUNDS = { maxBytes: 1_000, maxMediaBytes: 10_000 };
const BYTES: KeptPages = { mimeType: 'text/plain', unit: 'bytes', total: 0, marks: [] };
let directory = '';
const opened: KeptResults[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ampoule-kept-'));
});
afterEach(async () => {
  for (const store of opened.splice(0)) store.close();
  await rm(directory, { recursive: true, force: true });
});

async function open(options: Partial<KeptResultsOptions> = {}): Promise<KeptResults> {
  const store = await openKeptResults({ directory: join(directory, 'results'), maxBytes: 1_000_000, ttlMs: 60_000, ...options });
  opened.push(store);
  return store;
}

function pagesOf(bytes: Uint8Array, more: Partial<KeptPages> = {}): KeptPages {
  return { ...BYTES, total: bytes.length, ...more };
}

async function keepText(store: KeptResults, text: string, principal = 'ann'): Promise<string> {
  const bytes = Buffer.from(text);
  return (await store.keep(principal, bytes, pagesOf(bytes))).id;
}

function textOf(store: KeptResults, id: string, query = '', principal = 'ann'): string {
  return Buffer.from(store.read(principal, id, query, BOUNDS).bytes).toString();
}

test('what is kept is read back, also by another process of the same folder', async () => {
  const store = await open();
  const id = await keepText(store, 'hello');
  expect(textOf(store, id)).toBe('hello');
  expect(textOf(await open(), id)).toBe('hello');
});

test('ids cannot be guessed: thousands have nothing in common', async () => {
  const store = await open();
  const ids = await Promise.all(Array.from({ length: 100 }, () => keepText(store, 'x')));
  expect(new Set(ids).size).toBe(100);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});

test("another's result, one that is over its time and one that never was are the same unknown result", async () => {
  let now = 1_000;
  const store = await open({ now: () => now, ttlMs: 5_000 });
  const id = await keepText(store, 'secret');
  const unknown = {
    code: 'ERR_RESULT_UNKNOWN',
    message: 'There is no kept result by that id: it was never kept, its time is over, or it is not yours.',
  };
  const refused = (principal: string, asked: string): void =>
    expect(() => store.read(principal, asked, '', BOUNDS)).toThrow(expect.objectContaining(unknown));
  refused('bob', id);
  refused('ann', 'f'.repeat(32));
  refused('ann', '../../etc/passwd');
  refused('ann', `${id}.json`);
  now += 5_000;
  refused('ann', id);
});

test('a program reads only what is in the folder of its principal', async () => {
  const store = await open();
  const id = await keepText(store, 'of ann');
  const folder = (principal: string): string => join(directory, 'results', store.folderOf(principal));
  expect(Buffer.from(readKeptResult(folder('ann'), id, 100)).toString()).toBe('of ann');
  expect(() => readKeptResult(folder('bob'), id, 100)).toThrow(expect.objectContaining({ code: 'ERR_RESULT_UNKNOWN' }));
  expect(() => readKeptResult(undefined, id, 100)).toThrow(expect.objectContaining({ code: 'ERR_RESULT_UNKNOWN' }));
  expect(() => readKeptResult(folder('ann'), id, 5)).toThrow(expect.objectContaining({ code: 'ERR_FILE_TOO_LARGE' }));
  expect(Buffer.from(readKeptResult(folder('ann'), `${id}?offset=3&limit=2`, 5)).toString()).toBe('an');
});

test('files and folders are for their owner alone', async () => {
  const store = await open();
  const id = await keepText(store, 'x');
  const folder = join(directory, 'results', store.folderOf('ann'));
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  for (const name of [id, `${id}.json`]) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
});

test('the oldest go first when there are too many bytes', async () => {
  let now = 0;
  const store = await open({ maxBytes: 100, now: () => now++ });
  const ids: string[] = [];
  for (let i = 0; i < 4; i++) ids.push(await keepText(store, 'x'.repeat(30)));
  expect(() => textOf(store, ids[0] ?? '')).toThrow(expect.objectContaining({ code: 'ERR_RESULT_UNKNOWN' }));
  for (const id of ids.slice(1)) expect(textOf(store, id)).toHaveLength(30);
});

test('one that is larger than all may be together is not kept, and nothing goes for it', async () => {
  const store = await open({ maxBytes: 100 });
  const id = await keepText(store, 'x'.repeat(100));
  await expect(keepText(store, 'x'.repeat(101))).rejects.toMatchObject({ code: 'ERR_RESULT_STORE' });
  expect(textOf(store, id)).toHaveLength(100);
});

test('many that come together keep to the bound too, and what was promised is there', async () => {
  const store = await open({ maxBytes: 100 });
  const kept = await Promise.allSettled(Array.from({ length: 10 }, () => keepText(store, 'x'.repeat(30))));
  const folder = join(directory, 'results', store.folderOf('ann'));
  const files = (await readdir(folder)).filter((name) => !name.endsWith('.json'));
  expect(files.length).toBeLessThanOrEqual(3);
  expect(files.length).toBeGreaterThan(0);
  expect(kept.at(-1)?.status).toBe('fulfilled');
});

test('those that come together at the bound are all kept, as far as there is room for all of them', async () => {
  const store = await open({ maxBytes: 100 });
  for (let round = 0; round < 20; round++) {
    const texts = ['a', 'b', 'c'].map((letter) => letter.repeat(30));
    const ids = await Promise.all(texts.map((text) => keepText(store, text)));
    expect(ids.map((id) => textOf(store, id))).toEqual(texts);
  }
});

test('files are removed when their time is over, without anybody asking', async () => {
  const store = await open({ ttlMs: 60 });
  await keepText(store, 'x');
  await sleep(250);
  expect(await readdir(join(directory, 'results', store.folderOf('ann')))).toEqual([]);
});

test('what is over its time, half-written or alone is removed at the start', async () => {
  const store = await open({ ttlMs: 20 });
  await keepText(store, 'old');
  store.close();
  const folder = join(directory, 'results', store.folderOf('ann'));
  const long = new Date(Date.now() - 3_600_000);
  for (const name of [`${'a'.repeat(32)}.tmp`, 'b'.repeat(32)]) {
    await writeFile(join(folder, name), 'x');
    await utimes(join(folder, name), long, long);
  }
  await sleep(30);
  await open();
  expect(await readdir(join(directory, 'results'))).toEqual([store.folderOf('ann')]);
  expect(await readdir(folder)).toEqual([]);
});

test('a folder that cannot be written is told when something is to be kept, and only then', async () => {
  const file = join(directory, 'file');
  await writeFile(file, '');
  const store = await open({ directory: join(file, 'results') });
  await expect(keepText(store, 'x')).rejects.toMatchObject({ code: 'ERR_RESULT_STORE' });
});

test.skipIf(process.getuid?.() === 0)('a folder that is read-only keeps nothing and leaves nothing half written', async () => {
  const store = await open();
  await mkdir(join(directory, 'results', store.folderOf('ann')), { recursive: true });
  await chmod(join(directory, 'results', store.folderOf('ann')), 0o500);
  await expect(keepText(store, 'x')).rejects.toMatchObject({ code: 'ERR_RESULT_STORE' });
  expect(await readdir(join(directory, 'results', store.folderOf('ann')))).toEqual([]);
});

test('pages follow each other to the end, by lines, and each but the last names the next', async () => {
  const store = await open();
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index}\n`);
  const bytes = Buffer.from(lines.join(''));
  const { id, uri } = await store.keep('ann', bytes, pagesOf(bytes, { unit: 'lines', total: 300, marks: [[0, 0]] }));
  const read: string[] = [];
  let query = '';
  for (;;) {
    const page = store.read('ann', id, query, BOUNDS);
    expect(page.bytes.length).toBeLessThanOrEqual(1_000);
    read.push(Buffer.from(page.bytes).toString());
    if (page.next === undefined) break;
    expect(page.next.startsWith(`${uri}?offset=`)).toBe(true);
    query = page.next.slice(uri.length + 1);
  }
  expect(read.join('')).toBe(bytes.toString());
  expect(read.length).toBeGreaterThan(2);
});

test.each([
  ['offset=300', /offset 300 is past the end: there are 300 bytes/],
  ['offset=-1', /"offset" must be a whole number/],
  ['offset=1e3', /"offset" must be a whole number/],
  ['limit=0', /"limit" must be a whole number/],
  ['offset=', /"offset" must be a whole number/],
  ['page=2', /"page" is not known/],
  ['unit=items', /"unit" can only be "bytes"/],
])('a page that does not exist is an error that says so: %s', async (query, message) => {
  const store = await open();
  const id = await keepText(store, 'x'.repeat(300));
  expect(() => textOf(store, id, query)).toThrow(
    expect.objectContaining({ code: 'ERR_SERVER_INPUT', message: expect.stringMatching(message) }),
  );
});

test('the whole of a list whose first item is larger than a page is read in bytes, and who asks for that item hears how', async () => {
  const store = await open();
  const text = JSON.stringify(['x'.repeat(2_000), 1]);
  const bytes = Buffer.from(text);
  const pages: KeptPages = { mimeType: 'application/json', unit: 'items', total: 2, marks: [[0, 1]] };
  const { id, uri } = await store.keep('ann', bytes, pages);
  let read = '';
  for (let query: string | undefined = ''; query !== undefined;) {
    const page = store.read('ann', id, query, BOUNDS);
    expect(page).toMatchObject({ unit: 'bytes', total: bytes.length });
    read += Buffer.from(page.bytes).toString();
    query = page.next?.slice(uri.length + 1);
  }
  expect(read).toBe(text);
  expect(() => store.read('ann', id, 'offset=0', BOUNDS)).toThrow(
    expect.objectContaining({ details: expect.objectContaining({ hint: `read it by bytes: ${uri}?offset=1&limit=1000&unit=bytes` }) }),
  );
  expect(textOf(store, id, 'offset=1')).toBe('[1]');
});

test('a page of bytes begins and ends between characters', async () => {
  const store = await open();
  const text = 'é€😀'.repeat(20);
  const id = await keepText(store, text);
  for (let offset = 0; offset < Buffer.byteLength(text); offset++) {
    for (const limit of [4, 5, 7]) {
      const shown = textOf(store, id, `offset=${offset}&limit=${limit}`);
      expect(text).toContain(shown);
      expect(shown).not.toContain('\ufffd');
    }
  }
});

test('nobody pushes out the results of another: of whoever has most the oldest go', async () => {
  let now = 0;
  const store = await open({ maxBytes: 1_000, now: () => now++ });
  const keep = (principal: string): Promise<string> => keepText(store, 'x'.repeat(100), principal);
  const modest = [await keep('ben'), await keep('ben')];
  const greedy: string[] = [];
  for (let n = 0; n < 30; n++) greedy.push(await keep('ann'));
  const isThere = (principal: string, id: string): boolean => {
    try {
      return textOf(store, id, '', principal).length === 100;
    } catch {
      return false;
    }
  };
  expect(modest.map((id) => isThere('ben', id))).toEqual([true, true]);
  expect(greedy.map((id) => isThere('ann', id)).lastIndexOf(false)).toBe(21);
  expect(greedy.filter((id) => isThere('ann', id))).toHaveLength(8);
  // A third one finds room as well, and takes it from whoever has most.
  const third = await keep('cat');
  expect(isThere('cat', third)).toBe(true);
  expect(modest.map((id) => isThere('ben', id))).toEqual([true, true]);
  expect(greedy.filter((id) => isThere('ann', id))).toHaveLength(7);
});
