/** `changes` counts every write, so that whoever keeps something made of skills can see when it is old. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS skills (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    principal TEXT NOT NULL,
    state TEXT NOT NULL,
    description TEXT NOT NULL,
    code TEXT NOT NULL,
    exports TEXT NOT NULL,
    depends TEXT NOT NULL,
    dependsHash TEXT NOT NULL,
    savedAt INTEGER NOT NULL,
    decidedAt INTEGER,
    PRIMARY KEY (name, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT OR IGNORE INTO counters VALUES ('changes', 0);
`;

/** The tables, version by version. */
export const MIGRATIONS: readonly string[] = [TABLES];

const COLUMNS = 'name, version, principal, state, description, code, exports, depends, dependsHash, savedAt, decidedAt';

/** What a principal may use: what is approved, and where the operator lets it, what it has saved itself. */
const USABLE = "(state = 'approved' OR (state = 'private' AND principal = :principal AND :own = 1))";

/** The statements of the store, by what they do. */
export const STATEMENTS = {
  changes: "SELECT value FROM counters WHERE name = 'changes'",
  change: "UPDATE counters SET value = value + 1 WHERE name = 'changes'",
  find: `SELECT ${COLUMNS} FROM skills WHERE name = :name AND ${USABLE} ORDER BY version DESC LIMIT 1`,
  list: `SELECT ${COLUMNS}, max(version) FROM skills WHERE ${USABLE} GROUP BY name ORDER BY name`,
  names: `SELECT DISTINCT name FROM skills WHERE ${USABLE} ORDER BY name`,
  newest: 'SELECT max(version) AS version FROM skills WHERE name = :name',
  own: `SELECT ${COLUMNS} FROM skills WHERE name = :name AND principal = :principal ORDER BY version DESC`,
  owned: 'SELECT count(*) AS count FROM (SELECT DISTINCT name, principal FROM skills)',
  ownedBy: 'SELECT count(DISTINCT name) AS count FROM skills WHERE principal = :principal',
  add: `INSERT INTO skills (${COLUMNS}) VALUES (:name, :version, :principal, :state, :description, :code, :exports, :depends, :dependsHash, :savedAt, NULL)`,
  all: `SELECT ${COLUMNS} FROM skills ORDER BY name, version`,
  history: `SELECT ${COLUMNS} FROM skills WHERE name = :name ORDER BY version DESC`,
  decide: 'UPDATE skills SET state = :state, decidedAt = :time WHERE name = :name AND version = :version',
  drop: 'DELETE FROM skills WHERE name = :name AND version = :version',
  remove: 'DELETE FROM skills WHERE name = :name',
} as const;
