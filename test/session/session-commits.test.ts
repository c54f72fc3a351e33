import { describe, expect, test } from 'vitest';
import { createSessionStore } from '../../src/session/session-store.ts';

describe('an execution that comes to its end a second time', () => {
  const open = (): ReturnType<typeof createSessionStore> =>
    createSessionStore({ maxSessions: 10, sessionTtlMs: 60_000, maxStateBytes: 1_000 });

  test('changes nothing, also what others have changed since', async () => {
    const store = open();
    const minted = store.mint('ann');
    await store.commit(minted, '{"n":1}', 'exe_1');
    const second = store.open(minted.handle, 'ann');
    await store.commit(second, '{"n":2}', 'exe_2');
    await store.commit(store.open(minted.handle, 'ann'), '{"n":3}', 'exe_3');
    expect(await store.commit(second, '{"n":2}', 'exe_2')).toBe(2);
    expect(await store.commit(minted, '{"n":1}', 'exe_1')).toBe(1);
    expect(store.open(minted.handle, 'ann')).toMatchObject({ state: '{"n":3}', version: 3 });
    store.close();
  });

  test('is told again that it was in conflict', async () => {
    const store = open();
    const { handle } = store.mint('ann');
    await store.commit({ ...store.mint('ann'), handle }, '{"n":1}');
    const late = store.open(handle, 'ann');
    await store.commit(store.open(handle, 'ann'), '{"n":2}');
    for (let time = 0; time < 2; time++) await expect(store.commit(late, '{"n":9}', 'exe_1')).rejects.toThrow('changed the key "n"');
    store.close();
  });

  test('is remembered with its session and goes with it, and the last ones stay however old they are', async () => {
    let time = 1_000_000;
    const store = createSessionStore({ maxSessions: 10, sessionTtlMs: 1e12, maxStateBytes: 1_000, now: () => time });
    const minted = store.mint('ann');
    await store.commit(minted, '{"n":1}', 'exe_0');
    const base = store.open(minted.handle, 'ann');
    for (let n = 1; n <= 63; n++) await store.commit(store.open(minted.handle, 'ann'), '', `exe_${n}`);
    time += 86_400_000;
    await store.commit(base, '', 'exe_0');
    expect(await store.commit(minted, '{"n":1}', 'exe_0')).toBe(1);
    await store.commit(base, '', 'exe_64');
    await expect(store.commit(minted, '{"n":1}', 'exe_0')).rejects.toThrow(expect.objectContaining({ code: 'ERR_SESSION_STORE' }));
    store.close();
  });
});
