/** `used` is when a session was last opened or committed, in milliseconds since 1970. */
const FIRST = `
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
`;

/**
 * Sessions belong to a principal. States have a table of their own: a use writes a row of some bytes and not the whole state again, and
 * whether a session is somebody else's is known before its state is read, so it takes no longer for a large one. Sessions of the
 * first version were everybody's, which is what "local" is.
 */
const WITH_PRINCIPALS = `
  DROP TRIGGER session_added;
  DROP TRIGGER session_removed;
  DROP INDEX sessions_by_use;
  ALTER TABLE sessions RENAME TO sessions_of_version_1;
  CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    principal TEXT NOT NULL,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL
  ) WITHOUT ROWID, STRICT;
  CREATE TABLE states (hash BLOB PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID, STRICT;
  INSERT INTO sessions (hash, principal, version, created, used)
    SELECT hash, 'local', version, used, used FROM sessions_of_version_1;
  INSERT INTO states (hash, state) SELECT hash, state FROM sessions_of_version_1;
  DROP TABLE sessions_of_version_1;
  CREATE INDEX sessions_by_use ON sessions (used);
  CREATE INDEX sessions_by_principal ON sessions (principal, used, created);
  CREATE TABLE principals (principal TEXT PRIMARY KEY, sessions INTEGER NOT NULL) WITHOUT ROWID, STRICT;
  CREATE INDEX principals_by_sessions ON principals (sessions);
  INSERT INTO principals (principal, sessions) SELECT principal, count(*) FROM sessions GROUP BY principal;
  CREATE TRIGGER session_added AFTER INSERT ON sessions BEGIN
    UPDATE totals SET sessions = sessions + 1;
    INSERT INTO principals (principal, sessions) VALUES (NEW.principal, 1)
      ON CONFLICT (principal) DO UPDATE SET sessions = sessions + 1;
  END;
  CREATE TRIGGER session_removed AFTER DELETE ON sessions BEGIN
    DELETE FROM states WHERE hash = OLD.hash;
    UPDATE totals SET sessions = sessions - 1;
    UPDATE principals SET sessions = sessions - 1 WHERE principal = OLD.principal;
    DELETE FROM principals WHERE principal = OLD.principal AND sessions <= 0;
  END;
`;

/**
 * Which executions have committed: one that is carried on after its process died may come to its end a second time, and its changes count once. The
 * id of an execution is written with them, in one transaction, and goes with the session.
 */
const WITH_COMMITS = `
  CREATE TABLE commits (
    execution TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL
  ) WITHOUT ROWID, STRICT;
  CREATE INDEX commits_by_session ON commits (hash, at);
  CREATE TRIGGER session_with_commits_removed AFTER DELETE ON sessions BEGIN
    DELETE FROM commits WHERE hash = OLD.hash;
  END;
`;

/** The tables, version by version. Sessions are counted by triggers: counting rows at every mint would cost more than the mint. */
export const MIGRATIONS: readonly string[] = [FIRST, WITH_PRINCIPALS, WITH_COMMITS];

/** The statements of the store, by what they do. */
export const STATEMENTS = {
  add: 'INSERT INTO sessions (hash, principal, version, created, used) VALUES (?, ?, ?, ?, ?)',
  addState: 'INSERT INTO states (hash, state) VALUES (?, ?)',
  find: `SELECT version, state FROM sessions CROSS JOIN states USING (hash) WHERE sessions.hash = ? AND principal = ? AND used > ?`,
  version: 'SELECT version FROM sessions WHERE hash = ? AND principal = ? AND used > ?',
  state: 'SELECT state FROM states WHERE hash = ?',
  touch: 'UPDATE sessions SET used = max(used, ?) WHERE hash = ?',
  change: 'UPDATE sessions SET version = version + 1, used = max(used, ?) WHERE hash = ?',
  changeState: 'UPDATE states SET state = ? WHERE hash = ?',
  committed: 'SELECT version FROM commits WHERE execution = ? AND hash = ?',
  noteCommit: 'INSERT OR REPLACE INTO commits (execution, hash, version, at) VALUES (?, ?, ?, ?)',
  // The last ones stay however old they are: their executions may be carried on whenever a server starts again.
  forgetCommits: `DELETE FROM commits WHERE hash = ?1 AND at < ?2
    AND execution NOT IN (SELECT execution FROM commits WHERE hash = ?1 ORDER BY at DESC LIMIT 64)`,
  // A few at a time: no mint has to pay for a whole night of expired sessions.
  expire: 'DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE used <= ? ORDER BY used LIMIT 64)',
  total: 'SELECT sessions FROM totals',
  // The one used longest ago of whoever has most: nobody can push out the sessions of others. Of many who have as many it looks at some.
  evict: `DELETE FROM sessions WHERE hash = (
    SELECT oldest FROM (
      SELECT (SELECT hash FROM sessions WHERE principal = most.principal ORDER BY used, created, hash LIMIT 1) AS oldest FROM (
        SELECT principal FROM principals WHERE sessions = (SELECT max(sessions) FROM principals) LIMIT 64
      ) AS most
    ) CROSS JOIN sessions ON sessions.hash = oldest
    ORDER BY used, created, hash LIMIT 1)`,
} as const;
