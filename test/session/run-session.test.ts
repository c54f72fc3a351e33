import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunOutcome } from '../../src/execute/run.ts';
import { openRunSession } from '../../src/session/run-session.ts';
import { createSessionStore, type SessionStore } from '../../src/session/session-store.ts';
import { outcomeOf } from '../result/outcome-fixture.ts';

let store: SessionStore;
let time = 1_000_000;
beforeEach(() => void (store = createSessionStore({ maxSessions: 10, sessionTtlMs: 1_000, maxStateBytes: 1_000, now: () => time })));
afterEach(() => store.close());

const left = (state: string): RunOutcome => outcomeOf({ status: 'completed', result: '1', state });
const failed = outcomeOf({ status: 'failed', code: 'ERR_EXECUTE_THROWN', message: 'no' });

/** The handle of a session with a state. */
async function begun(state = '{"a":1}'): Promise<string> {
  const session = openRunSession(store, { session: 'new' }, 'ann');
  await session.keep(left(state));
  return session.keptHandle ?? '';
}

describe('a run without a session', () => {
  test('begins with an empty state, has no handle and keeps nothing', async () => {
    const session = openRunSession(store, {}, 'ann');
    expect(session).toMatchObject({ state: '{}', handle: undefined, keptHandle: undefined });
    expect(await session.keep(left('{"a":1}'))).toBeUndefined();
  });

  test('is warned when it changed the state, and only then', () => {
    const session = openRunSession(store, {}, 'ann');
    expect(session.warnings(left('{"a":1}'))).toEqual([
      { code: 'WARN_STATE_NOT_KEPT', message: expect.stringContaining('pass session: "new" to keep it') },
    ]);
    expect(session.warnings(left(''))).toEqual([]);
    expect(session.warnings(failed)).toEqual([]);
  });
});

describe('a run of a new session', () => {
  test('has a handle once it is kept, also when it left no state', async () => {
    expect(store.open(await begun(), 'ann').state).toBe('{"a":1}');
    expect(store.open(await begun(''), 'ann').state).toBe('{}');
  });

  test('has none when it failed: no session begins', () => {
    const session = openRunSession(store, { session: 'new' }, 'ann');
    expect(session.handle).toBeUndefined();
    expect(() => store.open(session.keptHandle ?? '', 'ann')).toThrow('does not exist');
  });

  test('is not warned: what it changes is kept', () => {
    expect(openRunSession(store, { session: 'new' }, 'ann').warnings(left('{"a":1}'))).toEqual([]);
  });
});

describe('a run that goes on with a session', () => {
  test('begins with its state and answers its handle, failed or not', async () => {
    const handle = await begun();
    expect(openRunSession(store, { session: handle }, 'ann')).toMatchObject({ state: '{"a":1}', handle, keptHandle: handle });
  });

  test('loses its answer to a session that went meanwhile only when it changed the state', async () => {
    const handle = await begun();
    const session = openRunSession(store, { session: handle }, 'ann');
    time += 1_000;
    await expect(session.keep(left('{"a":2}'))).rejects.toThrow('does not exist');
    await expect(session.keep(left(''))).resolves.toBeUndefined();
  });

  test.each([
    ['in capitals', 'NEW'],
    ['with a space', 'new '],
    ['of nothing', ''],
    ['of an odd name', 'null'],
    ['that never was', `ses_${'0'.repeat(32)}`],
    ['with a NUL', `ses_${'0'.repeat(31)}\u0000`],
    ['of 10 KB', 'x'.repeat(10_240)],
  ])('is refused by a handle %s', (_name, session) => {
    expect(() => openRunSession(store, { session }, 'ann')).toThrow(expect.objectContaining({ code: 'ERR_SESSION_UNKNOWN' }) as Error);
  });
});

describe('a dry run', () => {
  test('sees the state of a session and keeps nothing', async () => {
    const handle = await begun();
    const session = openRunSession(store, { session: handle, dryRun: true }, 'ann');
    expect(session).toMatchObject({ state: '{"a":1}', handle, keptHandle: handle });
    await session.keep(left('{"a":2}'));
    expect(store.open(handle, 'ann').state).toBe('{"a":1}');
    expect(session.warnings(left('{"a":2}'))).toMatchObject([{ code: 'WARN_STATE_NOT_KEPT', message: expect.stringContaining('dry run') }]);
  });

  test('begins no session', () => {
    expect(openRunSession(store, { session: 'new', dryRun: true }, 'ann').keptHandle).toBeUndefined();
  });
});
