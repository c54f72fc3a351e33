import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SandboxError } from '../../src/errors.ts';
import { openSessionRegister, type SessionRegister } from '../../src/session/session-register.ts';
import { createSessionStore, type SessionStore } from '../../src/session/session-store.ts';
import { rowsOf } from './session-rows.ts';

let folder: string;
let file: string;
let time: number;
let store: SessionStore;
let register: SessionRegister;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ampoule-register-'));
  time = 1_000_000;
  file = join(folder, 's.db');
  store = createSessionStore({ file, maxSessions: 10_000, sessionTtlMs: 1_000, maxStateBytes: 1_000, now: () => time });
  register = openSessionRegister({ file, sessionTtlMs: 1_000, now: () => time });
});
afterEach(() => {
  register.close();
  store.close();
  rmSync(folder, { recursive: true });
});

async function minted(principal: string, state = ''): Promise<string> {
  const session = store.mint(principal);
  await store.commit(session, state);
  return session.handle;
}

test('lists the sessions that have not ended, the one used last first, by ids that are not their handles', async () => {
  await minted('over');
  time += 500;
  const one = await minted('ann', '{"a":1}');
  time += 100;
  const two = await minted('ben');
  time += 400;
  store.open(one, 'ann');
  const list = [...register.list('all')];
  expect(list).toEqual([
    {
      id: expect.stringMatching(/^[\da-f]{16}$/),
      principal: 'ann',
      created: 1_000_500,
      used: 1_001_000,
      expires: 1_002_000,
      state: '{"a":1}',
    },
    { id: expect.stringMatching(/^[\da-f]{16}$/), principal: 'ben', created: 1_000_600, used: 1_000_600, expires: 1_001_600, state: '{}' },
  ]);
  expect([...register.list({ principal: 'ben' })]).toEqual([list[1]]);
  expect([...register.list({ id: list[0]?.id ?? '' })]).toEqual([list[0]]);
  expect([...register.list({ id: two })]).toEqual([]);
});

test('ends one session, and whoever uses the same file sees it at once', async () => {
  const one = await minted('ann');
  time++;
  const two = await minted('ann');
  const [session, running] = [store.open(two, 'ann'), store.open(one, 'ann')];
  const [, { id = '' } = {}] = register.list('all');
  expect(register.end({ id })).toBe(1);
  const codes = [one, two].map((handle) => attempt(() => store.open(handle, 'ann')));
  expect(codes.toSorted()).toEqual(['ERR_SESSION_UNKNOWN', 'open']);
  const gone = codes[0] === 'open' ? session : running;
  await expect(store.commit(gone, '{"late":1}')).rejects.toThrow('does not exist');
  expect(register.end({ id })).toBe(0);
  expect(rowsOf(file)).toEqual({ sessions: 1, states: 1, principals: 1, counted: 1 });
});

function attempt(work: () => unknown): string {
  try {
    work();
    return 'open';
  } catch (error) {
    return (error as SandboxError).code;
  }
}

test('ends those of a principal, or all, and none that it does not name', async () => {
  for (const principal of ['ann', 'ann', 'ben', 'cat']) await minted(principal);
  expect(register.end({ principal: "ann' OR 1=1 --" })).toBe(0);
  expect(register.end({ id: '%' })).toBe(0);
  expect(register.end({ principal: 'ann' })).toBe(2);
  expect([...register.list('all')].map(({ principal }) => principal).sort()).toEqual(['ben', 'cat']);
  expect(register.end('all')).toBe(2);
  expect([...register.list('all')]).toEqual([]);
});

test('does not count those whose time was over, and deletes them with their states', async () => {
  await minted('ann', '{"a":1}');
  time += 1_000;
  expect(register.end('all')).toBe(0);
  expect(rowsOf(file)).toEqual({ sessions: 0, states: 0, principals: 0, counted: 0 });
});

test('ends more than it deletes at a time', async () => {
  await Promise.all(Array.from({ length: 1_001 }, () => minted('ann')));
  expect(register.end({ principal: 'ann' })).toBe(1_001);
  expect(register.end('all')).toBe(0);
});
