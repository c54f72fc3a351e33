/**
 * Lines in the order in which they were written. What a reader chooses by has a column, the rest is JSON text. `bytes` is about what a line
 * takes; the sums by principal say who has most without reading the lines.
 */
const FIRST = `
  CREATE TABLE lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    principal TEXT NOT NULL,
    execution TEXT,
    server TEXT,
    tool TEXT,
    code TEXT,
    more TEXT NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX lines_by_time ON lines (time);
  CREATE INDEX lines_by_principal ON lines (principal, id);
  CREATE TABLE principals (principal TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID, STRICT;
`;

/** The tables, version by version. */
export const MIGRATIONS: readonly string[] = [FIRST];

/** Lines that go at once. */
export const SLICE = 500;

/** The statements of the store, by what they do. */
export const STATEMENTS = {
  add: 'INSERT INTO lines (time, kind, principal, execution, server, tool, code, more, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  grow: 'INSERT INTO principals (principal, bytes) VALUES (?, ?) ON CONFLICT (principal) DO UPDATE SET bytes = bytes + excluded.bytes',
  forget: 'DELETE FROM principals WHERE bytes <= 0',
  total: 'SELECT coalesce(sum(bytes), 0) AS bytes FROM principals',
  most: 'SELECT principal FROM principals ORDER BY bytes DESC, principal LIMIT 1',
  expired: `DELETE FROM lines WHERE id IN (SELECT id FROM lines WHERE time < ? ORDER BY time LIMIT ${SLICE}) RETURNING principal, bytes`,
  oldest: `DELETE FROM lines WHERE id IN (SELECT id FROM lines WHERE principal = ? ORDER BY id LIMIT ${SLICE}) RETURNING principal, bytes`,
} as const;
