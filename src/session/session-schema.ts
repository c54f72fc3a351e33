/** Version of the tables below, kept in the file's `user_version`. */
export const SCHEMA_VERSION = 1;

/**
 * `used` is when a session was last opened or committed, in milliseconds since 1970. The number of sessions is kept by
 * triggers, because counting the rows at every mint would cost more than the mint itself.
 */
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS sessions (
    hash BLOB PRIMARY KEY,
    state TEXT NOT NULL,
    version INTEGER NOT NULL,
    used INTEGER NOT NULL
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX IF NOT EXISTS sessions_by_use ON sessions (used);
  CREATE TABLE IF NOT EXISTS totals (id INTEGER PRIMARY KEY CHECK (id = 1), sessions INTEGER NOT NULL) STRICT;
  INSERT OR IGNORE INTO totals (id, sessions) VALUES (1, 0);
  CREATE TRIGGER IF NOT EXISTS session_added AFTER INSERT ON sessions BEGIN
    UPDATE totals SET sessions = sessions + 1;
  END;
  CREATE TRIGGER IF NOT EXISTS session_removed AFTER DELETE ON sessions BEGIN
    UPDATE totals SET sessions = sessions - 1;
  END;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** The statements of the store, by what they do. */
export const STATEMENTS = {
  add: 'INSERT INTO sessions (hash, state, version, used) VALUES (?, ?, ?, ?)',
  find: 'SELECT state, version FROM sessions WHERE hash = ? AND used > ?',
  touch: 'UPDATE sessions SET used = ? WHERE hash = ? AND used > ?',
  commit: 'UPDATE sessions SET state = ?, version = version + 1, used = ? WHERE hash = ? AND version = ? AND used > ?',
  // A few at a time: no mint has to pay for a whole night of expired sessions.
  expire: 'DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE used <= ? ORDER BY used LIMIT 64)',
  total: 'SELECT sessions FROM totals',
  evict: 'DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions ORDER BY used, hash LIMIT ?)',
} as const;
