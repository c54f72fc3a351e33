import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSessionStore } from '../../src/session/session-store.ts';
import type { SessionStore, SessionStoreOptions } from '../../src/session/session-store.ts';

const WORKER = new URL('session-worker.ts', import.meta.url).pathname;

let folder: string;
let time: number;
const stores: SessionStore[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ampoule-session-'));
  time = 1_000_000;
});
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  rmSync(folder, { recursive: true });
});

function open(options: Partial<SessionStoreOptions> = {}): SessionStore {
  const store = createSessionStore({ maxSessions: 3, sessionTtlMs: 1_000, now: () => time, ...options });
  stores.push(store);
  return store;
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'none';
}

describe('a session', () => {
  test('begins empty under an unguessable handle', () => {
    const store = open();
    const one = store.open();
    expect(one).toMatchObject({ state: '{}', version: 0 });
    expect(one.handle).toMatch(/^ses_[\w-]{32}$/);
    expect(store.open().handle).not.toBe(one.handle);
  });

  test('keeps what is committed', () => {
    const store = open();
    const { handle, version } = store.open();
    expect(store.commit(handle, version, '{"seen":1}')).toBe(1);
    expect(store.open(handle)).toEqual({ handle, state: '{"seen":1}', version: 1 });
  });

  test('stays as it is when the state did not change', () => {
    const store = open();
    const { handle } = store.open();
    store.commit(handle, 0, '{"a":1}');
    expect(store.commit(handle, 0, '')).toBe(1);
    expect(store.open(handle).state).toBe('{"a":1}');
  });

  test('refuses a commit when another run was faster, and keeps the other one', () => {
    const store = open();
    const { handle } = store.open();
    store.commit(handle, 0, '{"by":"first"}');
    expect(() => store.commit(handle, 0, '{"by":"second"}')).toThrow('version 1 instead of 0');
    expect(codeOf(() => store.commit(handle, 0, '{}'))).toBe('ERR_SESSION_CONFLICT');
    expect(store.open(handle).state).toBe('{"by":"first"}');
  });

  test.each([
    '',
    'ses_',
    'x',
    `ses_${'A'.repeat(32)}`,
    `ses_${'A'.repeat(33)}`,
    "' OR 1=1 --",
    '../../etc',
    '__proto__',
    `ses_${'é'.repeat(32)}`,
  ])('is unknown under the handle %j, and the error says when handles end', (handle) => {
    const store = open({ sessionTtlMs: 86_400_000 });
    expect(codeOf(() => store.open(handle))).toBe('ERR_SESSION_UNKNOWN');
    expect(codeOf(() => store.commit(handle, 0, '{}'))).toBe('ERR_SESSION_UNKNOWN');
    expect(() => store.open(handle)).toThrow('24 hours after its last use');
  });

  test('does not put a long handle into its error', () => {
    expect(() => open().open('z'.repeat(100_000))).toThrow(/^.{0,200}$/s);
  });

  test('ends exactly its time after the last use', () => {
    const store = open();
    const { handle } = store.open();
    time += 999;
    store.open(handle);
    time += 999;
    store.commit(handle, 0, '{"a":1}');
    time += 999;
    expect(store.open(handle).version).toBe(1);
    time += 1_000;
    expect(codeOf(() => store.open(handle))).toBe('ERR_SESSION_UNKNOWN');
    expect(codeOf(() => store.commit(handle, 1, '{}'))).toBe('ERR_SESSION_UNKNOWN');
  });

  test('goes when there are too many and it was used longest ago', () => {
    const store = open();
    const handles = [1, 2, 3].map(() => {
      time++;
      return store.open().handle;
    });
    time++;
    store.open(handles[0]);
    time++;
    store.open();
    expect(handles.map((handle) => codeOf(() => store.open(handle)))).toEqual(['none', 'ERR_SESSION_UNKNOWN', 'none']);
  });

  test('keeps any JSON text to the letter', () => {
    const store = open();
    const { handle } = store.open();
    const state = JSON.stringify({ __proto__x: 1, 'null\u0000byte': '\u0000\ud83d\ude00 \' " ; --', big: 'x'.repeat(1_000_000) });
    store.commit(handle, 0, state);
    expect(store.open(handle).state).toBe(state);
  });

  test('is minted in less than 0.2 ms, in a file too', () => {
    for (const options of [{}, { file: join(folder, 's.db') }]) {
      const store = open({ ...options, maxSessions: 1_000 });
      const times = Array.from({ length: 300 }, () => {
        const begin = performance.now();
        store.open();
        return performance.now() - begin;
      }).sort((a, b) => a - b);
      // The lower quartile: what the mint itself costs, also on a machine that is busy with other tests.
      expect(times[75]).toBeLessThan(0.2);
    }
  });
});

describe('a session file', () => {
  test('survives a restart', () => {
    const file = join(folder, 's.db');
    const first = createSessionStore({ file, maxSessions: 3, sessionTtlMs: 1_000, now: () => time });
    const { handle } = first.open();
    first.commit(handle, 0, '{"a":1}');
    first.close();
    expect(open({ file }).open(handle)).toMatchObject({ state: '{"a":1}', version: 1 });
  });

  test('holds no handle and is readable for its owner alone', () => {
    const file = join(folder, 's.db');
    const store = open({ file });
    const { handle } = store.open();
    const all = Buffer.concat([readFileSync(file), readFileSync(`${file}-wal`)]);
    expect(all.includes(handle.slice(4))).toBe(false);
    for (const name of [file, `${file}-wal`]) expect(statSync(name).mode & 0o077).toBe(0);
  });

  test('is shared by two stores, which see each other at once', () => {
    const file = join(folder, 's.db');
    const [one, two] = [open({ file }), open({ file })];
    const { handle } = one.open();
    two.commit(handle, 0, '{"by":2}');
    expect(codeOf(() => one.commit(handle, 0, '{}'))).toBe('ERR_SESSION_CONFLICT');
    expect(one.open(handle).state).toBe('{"by":2}');
  });

  test('counts its sessions right across processes that write at the same time, and loses no update', async () => {
    const file = join(folder, 's.db');
    const store = open({ file, maxSessions: 100, sessionTtlMs: 60_000, now: Date.now });
    const { handle } = store.open();
    const run = promisify(execFile);
    await Promise.all([1, 2, 3].map(() => run(process.execPath, [WORKER, file, handle], { timeout: 30_000 })));
    expect(JSON.parse(store.open(handle).state)).toEqual({ n: 300 });
    const db = new DatabaseSync(file, { readOnly: true });
    expect(db.prepare('SELECT count(*) AS n FROM sessions').get()?.['n']).toBe(100);
    expect(db.prepare('SELECT sessions AS n FROM totals').get()?.['n']).toBe(100);
    db.close();
  });

  test('that is not one of ours is refused and left alone', () => {
    const file = join(folder, 'notes.txt');
    writeFileSync(file, 'These are my notes. '.repeat(100));
    expect(codeOf(() => open({ file }))).toBe('ERR_SESSION_STORE');
    expect(readFileSync(file, 'utf8')).toContain('These are my notes.');
    expect(codeOf(() => open({ file: join(folder, 'no', 'such', 'folder.db') }))).toBe('ERR_SESSION_STORE');
  });

  test('of a later version is refused', () => {
    const file = join(folder, 'later.db');
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(codeOf(() => open({ file }))).toBe('ERR_SESSION_STORE');
  });
});
