import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createHash } from 'blake3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SandboxError } from '../../src/errors.ts';
import { createSessionStore, type SessionStore, type SessionStoreOptions } from '../../src/session/session-store.ts';
import { mintHandle } from '../../src/session/handle.ts';
import { rowsOf } from './session-rows.ts';

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
  const store = createSessionStore({ maxSessions: 100, sessionTtlMs: 1_000, maxStateBytes: 1_000_000, now: () => time, ...options });
  stores.push(store);
  return store;
}

async function minted(store: SessionStore, principal: string, state = ''): Promise<string> {
  const session = store.mint(principal);
  await store.commit(session, state);
  return session.handle;
}

async function errorOf(work: () => unknown): Promise<SandboxError> {
  try {
    await work();
  } catch (error) {
    return error as SandboxError;
  }
  throw new Error('no error');
}

describe('the session of another principal', () => {
  test('is told in the same words as one that never was', async () => {
    const store = open();
    const handle = await minted(store, 'ann', '{"secret":1}');
    const never = mintHandle();
    const [others, unknown] = await Promise.all([handle, never].map((each) => errorOf(() => store.open(each, 'ben'))));
    expect(others?.code).toBe('ERR_SESSION_UNKNOWN');
    expect(others?.message.replace(handle.slice(0, 10), '')).toBe(unknown?.message.replace(never.slice(0, 10), ''));
    expect(others?.details).toEqual(unknown?.details);
    expect(store.open(handle, 'ann').state).toBe('{"secret":1}');
  });

  test('can neither be changed nor kept alive', async () => {
    const store = open();
    const handle = await minted(store, 'ann', '{"a":1}');
    const session = store.open(handle, 'ann');
    expect((await errorOf(() => store.commit({ ...session, principal: 'ben' }, '{"a":2}'))).code).toBe('ERR_SESSION_UNKNOWN');
    expect((await errorOf(() => store.commit({ ...session, principal: 'ben' }, ''))).code).toBe('ERR_SESSION_UNKNOWN');
    expect(store.open(handle, 'ann').state).toBe('{"a":1}');
    time += 999;
    await errorOf(() => store.open(handle, 'ben'));
    time += 1;
    expect((await errorOf(() => store.open(handle, 'ann'))).code).toBe('ERR_SESSION_UNKNOWN');
  });

  test.each(['', 'ANN', 'ann ', 'ann\u0000', "ann' OR '1'='1", '%'])('is not had by the name %j', async (principal) => {
    const store = open();
    const handle = await minted(store, 'ann');
    expect((await errorOf(() => store.open(handle, principal))).code).toBe('ERR_SESSION_UNKNOWN');
  });

  test('takes no longer to refuse when its state is large', async () => {
    const store = open({ file: join(folder, 's.db'), maxStateBytes: 64_000_000 });
    const small = await minted(store, 'ann');
    const large = await minted(store, 'ann', JSON.stringify({ big: 'x'.repeat(32_000_000) }));
    const quartile = async (handle: string): Promise<number> => {
      const times: number[] = [];
      for (let round = 0; round < 200; round++) {
        const begin = performance.now();
        await errorOf(() => store.open(handle, 'ben'));
        times.push(performance.now() - begin);
      }
      return times.sort((a, b) => a - b)[50] ?? 0;
    };
    await quartile(mintHandle());
    // Reading it would take some milliseconds.
    expect((await quartile(large)) - (await quartile(small))).toBeLessThan(0.5);
  });

  test('is not pushed out by one who begins many', async () => {
    const store = open({ maxSessions: 10 });
    const handle = await minted(store, 'ann');
    for (let n = 0; n < 50; n++) {
      time++;
      await minted(store, 'ben');
    }
    expect(store.open(handle, 'ann').version).toBe(0);
  });
});

test('among principals with as many sessions, the one used longest ago goes', async () => {
  const store = open({ maxSessions: 3 });
  const handles: string[] = [];
  for (const principal of ['d', 'c', 'b', 'a']) {
    time++;
    handles.push(await minted(store, principal));
  }
  expect((await errorOf(() => store.open(handles[0] ?? '', 'd'))).code).toBe('ERR_SESSION_UNKNOWN');
  for (const [index, principal] of ['c', 'b', 'a'].entries()) expect(store.open(handles[index + 1] ?? '', principal).version).toBe(0);
});

describe('a file of the first version', () => {
  /** The tables as the first version made them, with its number. */
  const VERSION_1 = `
    CREATE TABLE sessions (hash BLOB PRIMARY KEY, state TEXT NOT NULL, version INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID, STRICT;
    CREATE INDEX sessions_by_use ON sessions (used);
    CREATE TABLE totals (id INTEGER PRIMARY KEY CHECK (id = 1), sessions INTEGER NOT NULL) STRICT;
    INSERT INTO totals (id, sessions) VALUES (1, 0);
    CREATE TRIGGER session_added AFTER INSERT ON sessions BEGIN UPDATE totals SET sessions = sessions + 1; END;
    CREATE TRIGGER session_removed AFTER DELETE ON sessions BEGIN UPDATE totals SET sessions = sessions - 1; END;
    PRAGMA journal_mode = WAL;
    PRAGMA user_version = 1;`;

  test('keeps its sessions, which are of the local principal, and their ends', async () => {
    const file = join(folder, 'old.db');
    const handles = [mintHandle(), mintHandle()];
    const db = new DatabaseSync(file);
    db.exec(VERSION_1);
    for (const [index, handle] of handles.entries()) {
      const hash = createHash().update(handle).digest();
      db.prepare('INSERT INTO sessions VALUES (?, ?, ?, ?)').run(hash, `{"n":${index}}`, index, time - index * 100);
    }
    db.close();
    const store = open({ file, maxSessions: 2 });
    expect(rowsOf(file)).toEqual({ sessions: 2, states: 2, principals: 2, counted: 2 });
    time++;
    expect(store.open(handles[1] ?? '', 'local')).toMatchObject({ state: '{"n":1}', version: 1, principal: 'local' });
    expect((await errorOf(() => store.open(handles[1] ?? '', 'ann'))).code).toBe('ERR_SESSION_UNKNOWN');
    // They count: a third pushes out the one used longest ago.
    time++;
    await minted(store, 'local');
    expect((await errorOf(() => store.open(handles[0] ?? '', 'local'))).code).toBe('ERR_SESSION_UNKNOWN');
    time += 1_000;
    expect((await errorOf(() => store.open(handles[1] ?? '', 'local'))).code).toBe('ERR_SESSION_UNKNOWN');
  });

  test('of a newer version is refused by its name, and the error says what to do', async () => {
    const file = join(folder, 'newer.db');
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const error = await errorOf(() => open({ file }));
    expect(error.code).toBe('ERR_SESSION_STORE');
    expect(error.message).toContain(file);
    expect(error.message).toContain('start that one, or set another "cacheDir"');
  });
});

test('a disk that is full keeps nothing of the commits that came together, and what was there stays', async () => {
  const file = join(folder, 's.db');
  const store = open({ file });
  const handle = await minted(store, 'ann', '{"a":1}');
  const session = store.open(handle, 'ann');
  const db = new DatabaseSync(file);
  db.exec("CREATE TRIGGER full BEFORE UPDATE ON states WHEN NEW.state LIKE '%full%' BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END");
  db.close();
  const [before, fails, after] = [store.mint('ann'), session, store.mint('ann')];
  const codes = await Promise.all(
    [store.commit(before, ''), store.commit(fails, '{"a":"full"}'), store.commit(after, '')].map(async (commit) =>
      commit.then(
        () => 'kept',
        (error: SandboxError) => error.code,
      ),
    ),
  );
  expect(codes).toEqual(Array.from({ length: 3 }, () => 'ERR_SESSION_STORE'));
  for (const { handle: lost } of [before, after]) expect((await errorOf(() => store.open(lost, 'ann'))).code).toBe('ERR_SESSION_UNKNOWN');
  expect(store.open(handle, 'ann').state).toBe('{"a":1}');
  expect(await store.commit(store.open(handle, 'ann'), '{"a":2}')).toBe(2);
});
