import { createSessionStore } from '../../src/session/session-store.ts';

/** Changes a key that every process changes, and one of its own, a hundred times, and mints, against whoever else does the same. */
const [file = '', handle = '', name = ''] = process.argv.slice(2);
const store = createSessionStore({ file, maxSessions: 100, sessionTtlMs: 60_000, maxStateBytes: 1_000_000 });
let conflicts = 0;
for (let added = 0; added < 100;) {
  const session = store.open(handle, 'local');
  const state = JSON.parse(session.state) as Record<string, number> & { shared?: string[] };
  const shared = [...(state.shared ?? []), `${name}${added}`];
  try {
    await store.commit(session, JSON.stringify({ ...state, shared, [name]: (state[name] ?? 0) + 1 }));
    if (added++ % 2 === 0) await store.commit(store.mint('local'), '');
  } catch {
    conflicts++;
    if (conflicts > 100_000) throw new Error('never gets through');
  }
}
store.close();
