import { createSessionStore } from '../../src/session/session-store.ts';

/** Adds one to a counter in a session a hundred times, against whoever else does the same. */
const [file = '', handle = ''] = process.argv.slice(2);
const store = createSessionStore({ file, maxSessions: 100, sessionTtlMs: 60_000 });
let conflicts = 0;
for (let added = 0; added < 100;) {
  const session = store.open(handle);
  const { n = 0 } = JSON.parse(session.state) as { n?: number };
  try {
    await store.commit(session, JSON.stringify({ n: n + 1 }));
    added++;
  } catch {
    conflicts++;
    if (conflicts > 100_000) throw new Error('never gets through');
  }
}
for (let minted = 0; minted < 50; minted++) await store.commit(store.open(), '');
store.close();
