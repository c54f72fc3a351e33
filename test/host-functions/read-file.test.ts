import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { HostFunctionError } from '../../host-functions/host-error.ts';
import { readMountedFile } from '../../host-functions/read-file.ts';

let base = '';
let mounts: ReadonlyMap<string, string>;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'ampoule-read-'));
  mkdirSync(join(base, 'docs/deep'), { recursive: true });
  mkdirSync(join(base, 'docs-secret'));
  writeFileSync(join(base, 'docs/readme.md'), 'hello');
  writeFileSync(join(base, 'docs/report.csv'), 'a,b');
  writeFileSync(join(base, 'docs/deep/inner.txt'), 'inner');
  writeFileSync(join(base, 'docs/empty'), '');
  writeFileSync(join(base, 'docs/größe.txt'), 'ü');
  writeFileSync(join(base, 'docs-secret/key'), 'SECRET');
  writeFileSync(join(base, 'outside'), 'SECRET');
  mounts = new Map([['docs', join(base, 'docs')]]);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

const read = (path: string, maxBytes = 1000): string => Buffer.from(readMountedFile(mounts, path, maxBytes)).toString();
const refusal = (path: string, maxBytes?: number): HostFunctionError => {
  try {
    read(path, maxBytes);
  } catch (error) {
    expect((error as Error).message + String((error as HostFunctionError).hint)).not.toContain(base);
    return error as HostFunctionError;
  }
  throw new Error(`${path} was read`);
};

test('files of a mount are read, in folders, empty, and with letters of all kinds', () => {
  expect([read('docs/readme.md'), read('docs/deep/inner.txt'), read('docs/empty'), read('docs/größe.txt')]).toEqual([
    'hello',
    'inner',
    '',
    'ü',
  ]);
});

test.each([
  '',
  '/',
  'docs',
  'docs/',
  '/docs/readme.md',
  'docs//readme.md',
  'docs/../outside',
  'docs/./readme.md',
  'docs/deep/../readme.md',
  '../outside',
  '..',
  'docs/..',
  'docs\\..\\outside',
  'docs/%2e%2e/outside',
  'docs/readme.md\0.txt',
  'docs/readme.md/',
  'docs/deep/',
  'C:/docs/readme.md',
  'file:///etc/passwd',
  'docs/\ud800',
  'docs/gro\u0308ße.txt',
  `docs/${'x'.repeat(2000)}`,
  'docs/a\nb',
])('the path %j is refused for its form', (path) => {
  expect(refusal(path).code).toBe('ERR_FILE_PATH');
});

test.each(['constructor/x', '__proto__/x', 'toString/x', 'Docs/readme.md', 'docs-secret/key', '\u2025/outside', '\uff0e\uff0e/outside'])(
  'the mount of %j is unknown and the mounts are named',
  (path) => {
    expect(refusal(path)).toMatchObject({ code: 'ERR_FILE_NOT_FOUND', hint: 'the mounts are: docs' });
  },
);

test('of a folder with very many files only some are looked at for names', () => {
  mkdirSync(join(base, 'docs/many'));
  for (let i = 0; i < 1_500; i++) writeFileSync(join(base, `docs/many/file-${i}`), '');
  expect(refusal('docs/many/file-x').hint).toMatch(/^there are: (file-\d+, ){4}file-\d+$/);
});

test('a missing file names the nearest names of its folder', () => {
  const { code, message, hint } = refusal('docs/reporting.csv');
  expect({ code, message }).toEqual({ code: 'ERR_FILE_NOT_FOUND', message: 'readFile: no file "docs/reporting.csv"' });
  expect(hint).toMatch(/^there are: report\.csv, /);
  expect(hint?.split(', ').length).toBeLessThanOrEqual(5);
  expect(refusal('docs/nowhere/x').code).toBe('ERR_FILE_NOT_FOUND');
  expect(refusal('docs/readme.md/x').code).toBe('ERR_FILE_NOT_FOUND');
});

test('folders, pipes, sockets and devices are refused at once', async () => {
  execFileSync('mkfifo', [join(base, 'docs/pipe')]);
  const server = createServer().listen(join(base, 'docs/socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  symlinkSync('/dev/zero', join(base, 'docs/zero'));
  for (const name of ['deep', 'pipe', 'socket', 'zero']) expect(refusal(`docs/${name}`).code).toBe('ERR_FILE_DENIED');
  await new Promise((resolve) => server.close(resolve));
});

test('links out of the mount are refused and links inside it work', () => {
  symlinkSync(join(base, 'outside'), join(base, 'docs/link-out'));
  symlinkSync(join(base, 'docs-secret'), join(base, 'docs/folder-out'));
  symlinkSync('../outside', join(base, 'docs/relative-out'));
  symlinkSync('deep/inner.txt', join(base, 'docs/link-in'));
  symlinkSync('/proc/self/environ', join(base, 'docs/environ'));
  for (const name of ['link-out', 'folder-out/key', 'relative-out', 'environ']) {
    expect(refusal(`docs/${name}`).code).toBe('ERR_FILE_DENIED');
  }
  expect(read('docs/link-in')).toBe('inner');
  expect(refusal('docs/folder-out/kex').hint ?? '').not.toContain('key');
});

test('a mount that is itself a link works', () => {
  symlinkSync(join(base, 'docs'), join(base, 'mounted'));
  expect(Buffer.from(readMountedFile(new Map([['m', join(base, 'mounted')]]), 'm/readme.md', 10)).toString()).toBe('hello');
});

test('a file may be as large as the limit and no larger', () => {
  expect(read('docs/readme.md', 5)).toBe('hello');
  expect(refusal('docs/readme.md', 4)).toMatchObject({ code: 'ERR_FILE_TOO_LARGE' });
});

test('a link that is swapped all the time never shows what is outside', async () => {
  const at = join(base, 'docs/swapped');
  const code = `const { renameSync, symlinkSync } = require('node:fs'); const { workerData: { at, inside, outside, until } } = require('node:worker_threads');
    for (let i = 0; Date.now() < until; i++) { symlinkSync(i % 2 ? inside : outside, at + '.new'); renameSync(at + '.new', at); }`;
  symlinkSync(join(base, 'docs/readme.md'), at);
  const until = Date.now() + 700;
  const worker = new Worker(code, {
    eval: true,
    workerData: { at, inside: join(base, 'docs/readme.md'), outside: join(base, 'outside'), until },
  });
  const seen = new Set<string>();
  await new Promise((resolve) => worker.once('online', resolve));
  while (Date.now() < until) {
    try {
      seen.add(read('docs/swapped'));
    } catch (error) {
      seen.add((error as HostFunctionError).code);
    }
  }
  await worker.terminate();
  expect([...seen].sort()).toEqual(['ERR_FILE_DENIED', 'hello']);
});

// Root reads everything, so that there is nothing to refuse.
test.skipIf(process.getuid?.() === 0)('a file without permission is refused without its host path', () => {
  writeFileSync(join(base, 'docs/locked'), 'x');
  chmodSync(join(base, 'docs/locked'), 0);
  expect(refusal('docs/locked').code).toBe('ERR_FILE_DENIED');
});

test('without mounts the hint says so', () => {
  const attempt = (): unknown => readMountedFile(new Map(), 'a/b', 1);
  expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_FILE_NOT_FOUND', hint: 'no folder is mounted here' }));
});
