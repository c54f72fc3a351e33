/**
 * An execution is a row of what is looked for, and of parts: sealed texts, in the order in which they were written, with an index. (In the order of their keys,
 * as files of the first version have them, each new one moves what its page and the next ones have, and a transaction writes half as many pages again.) Long literals in them are kept apart, once each, and counted by
 * triggers, so that a count can never be another than what uses there are. `owner` is the store that carries an execution on; null when it has
 * ended, or waits for somebody to claim it. Times are in milliseconds since 1970.
 */
const FIRST = `
  CREATE TABLE executions (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    grp TEXT NOT NULL,
    owner TEXT,
    principal TEXT NOT NULL,
    status TEXT NOT NULL,
    created INTEGER NOT NULL,
    ended INTEGER,
    cancel INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    program TEXT,
    record TEXT NOT NULL DEFAULT 'whole',
    recordBytes INTEGER NOT NULL DEFAULT 0,
    calls INTEGER NOT NULL DEFAULT 0,
    answers INTEGER NOT NULL DEFAULT 0,
    histories INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0,
    toolCalls INTEGER NOT NULL DEFAULT 0,
    fuel REAL NOT NULL DEFAULT 0,
    hibernations INTEGER NOT NULL DEFAULT 0,
    restarts INTEGER NOT NULL DEFAULT 0,
    imageBytes INTEGER NOT NULL DEFAULT 0,
    canWake INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX executions_by_status ON executions (status, created);
  CREATE INDEX executions_by_principal ON executions (principal, status, created);
  CREATE INDEX executions_unfinished ON executions (grp, owner, created) WHERE ended IS NULL;
  CREATE INDEX executions_ended ON executions (ended) WHERE ended IS NOT NULL;
  CREATE INDEX executions_to_cancel ON executions (owner) WHERE cancel = 1;

  CREATE TABLE parts (
    execution INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (execution, kind, number)
  ) STRICT;
  CREATE TABLE images (execution INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;

  CREATE TABLE texts (id INTEGER PRIMARY KEY, hash BLOB UNIQUE, uses INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE contents (text INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT;
  CREATE TABLE uses (
    execution INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    text INTEGER NOT NULL,
    PRIMARY KEY (execution, kind, number, place)
  ) WITHOUT ROWID, STRICT;
  CREATE TRIGGER text_used AFTER INSERT ON uses BEGIN
    UPDATE texts SET uses = uses + 1 WHERE id = NEW.text;
  END;
  CREATE TRIGGER text_left AFTER DELETE ON uses BEGIN
    UPDATE texts SET uses = uses - 1 WHERE id = OLD.text;
    DELETE FROM contents WHERE text = OLD.text AND EXISTS (SELECT 1 FROM texts WHERE id = OLD.text AND uses <= 0);
    DELETE FROM texts WHERE id = OLD.text AND uses <= 0;
  END;

  CREATE TABLE approvals (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    execution INTEGER NOT NULL,
    call INTEGER NOT NULL,
    kind TEXT NOT NULL,
    asked INTEGER NOT NULL,
    content BLOB NOT NULL,
    isOpen INTEGER NOT NULL,
    isUsed INTEGER NOT NULL DEFAULT 0,
    decision BLOB,
    decided INTEGER,
    decider TEXT
  ) STRICT;
  CREATE UNIQUE INDEX approvals_by_call ON approvals (execution, call, kind) WHERE isUsed = 0;
  CREATE INDEX approvals_of_execution ON approvals (execution);
  CREATE INDEX approvals_open ON approvals (asked) WHERE isOpen = 1;
  CREATE UNIQUE INDEX approvals_decided ON approvals (decided) WHERE decided IS NOT NULL;

  CREATE TRIGGER execution_removed AFTER DELETE ON executions BEGIN
    DELETE FROM uses WHERE execution = OLD.n;
    DELETE FROM parts WHERE execution = OLD.n;
    DELETE FROM images WHERE execution = OLD.n;
    DELETE FROM approvals WHERE execution = OLD.n;
  END;
`;

/** What a part takes beside its text, in bytes about. */
export const PART_BYTES = 64;

/** What an execution takes in the file beside its texts, in bytes about: rows, indexes, the rest of a page. */
export const EXECUTION_BYTES = 4_096;

/** The sums, from the rows. */
export const COUNT_OPEN = `DELETE FROM open_bytes;
  INSERT INTO open_bytes SELECT principal, sum(fixedBytes + recordBytes + imageBytes) FROM executions
    WHERE ended IS NULL AND principal != '' GROUP BY principal;
  INSERT INTO open_bytes SELECT '', ifnull(sum(fixedBytes + recordBytes + imageBytes), 0) FROM executions WHERE ended IS NULL;`;

/**
 * Of an execution that has not ended it is known what it holds (`fixedBytes`, `recordBytes` and `imageBytes`), and of each principal what all of its own
 * hold together; of all principals it stands under the name ''. `ExecutionWrites` keeps the sums with every write.
 * Nothing is read for it but the rows: damaged parts of one execution do not cost all others, and a large file takes no time. So what an older version has
 * left counts without its programs and inputs.
 */
const SECOND = `
  ALTER TABLE executions ADD COLUMN fixedBytes INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE open_bytes (principal TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID, STRICT;
  UPDATE executions SET fixedBytes = ${EXECUTION_BYTES} WHERE ended IS NULL;
  ${COUNT_OPEN}
`;

/** The tables, version by version. */
export const MIGRATIONS: readonly string[] = [FIRST, SECOND];

/** Only a file without tables can be told so: what is deleted gives its disk back, see `StoreUpkeep`. */
export const BEFORE = 'PRAGMA auto_vacuum = INCREMENTAL;';

/** What a part is. The numbers are in files: they stay. */
export const KIND = { request: 0, start: 1, call: 2, answer: 3, history: 4, wait: 5, event: 6, end: 7, gone: 8, script: 9 } as const;
export type PartKind = (typeof KIND)[keyof typeof KIND];

const SUMMARY = 'n, id, principal, status, code, created, ended, program, toolCalls, fuel, hibernations, imageBytes';

/** What of the row of an execution changes while it goes on, in the order in which it is read and saved. */
export const CHANGING = [
  'program',
  'record',
  'recordBytes',
  'calls',
  'answers',
  'histories',
  'events',
  'toolCalls',
  'fuel',
  'hibernations',
  'restarts',
  'imageBytes',
  'canWake',
  'fixedBytes',
] as const;
const SAVED = CHANGING.map((column) => `${column} = ?`).join(', ');

/** The statements of the store, by what they do. */
export const STATEMENTS = {
  add: `INSERT INTO executions (id, grp, owner, principal, status, created, fixedBytes) VALUES (?, ?, ?, ?, 'running', ?, ?)
    ON CONFLICT (id) DO NOTHING`,
  // In the order of `readRow`: by names it takes twice as long.
  find: `SELECT n, id, owner, principal, created, ended, cancel, status, ${CHANGING.join(', ')} FROM executions WHERE id = ?`,
  save: `UPDATE executions SET ${SAVED} WHERE n = ?`,
  openBytes: "SELECT principal = '' AS isAll, bytes FROM open_bytes WHERE principal IN ('', ?)",
  isCounted: `SELECT ifnull(sum(fixedBytes + recordBytes + imageBytes), 0) = (SELECT bytes FROM open_bytes WHERE principal = '') AS isCounted
    FROM executions WHERE ended IS NULL`,
  holdMore: `INSERT INTO open_bytes (principal, bytes) VALUES ('', max(0, :bytes)), (:principal, max(0, :bytes))
    ON CONFLICT DO UPDATE SET bytes = max(0, bytes + :bytes)`,
  holdNothing: "DELETE FROM open_bytes WHERE principal = ? AND bytes = 0 AND principal != ''",
  setStatus: 'UPDATE executions SET status = ? WHERE n = ?',
  finish: `UPDATE executions SET status = ?, code = ?, ended = ?, owner = NULL, cancel = 0, ${SAVED} WHERE n = ?`,
  remove: 'DELETE FROM executions WHERE n = ?',
  expired: 'SELECT n FROM executions WHERE ended <= ? ORDER BY ended LIMIT ?',
  oldestEnded: 'SELECT n FROM executions WHERE ended <= ? ORDER BY ended LIMIT 1',
  endedLater: 'SELECT n FROM executions WHERE ended > ? ORDER BY ended LIMIT 1',
  listAll: `SELECT ${SUMMARY} FROM executions WHERE status = ? AND created >= ? ORDER BY created DESC, n DESC LIMIT ?`,
  listOwn: `SELECT ${SUMMARY} FROM executions WHERE principal = ? AND status = ? AND created >= ? ORDER BY created DESC, n DESC LIMIT ?`,
  listEnded: `SELECT ${SUMMARY} FROM executions WHERE ended >= :endedSince AND created >= :since AND (:principal IS NULL OR principal = :principal)
    ORDER BY ended DESC, n DESC LIMIT :most`,

  owners: 'SELECT DISTINCT owner FROM executions WHERE grp = ? AND ended IS NULL',
  anyOwners: 'SELECT DISTINCT owner FROM executions WHERE ended IS NULL AND owner IS NOT NULL',
  unowned: 'SELECT id, created FROM executions WHERE grp = ? AND owner IS ? AND ended IS NULL',
  own: 'UPDATE executions SET owner = ? WHERE grp = ? AND owner IS ? AND ended IS NULL',
  askCancel: 'UPDATE executions SET cancel = 1 WHERE n = ?',
  toCancel: 'SELECT id FROM executions WHERE owner = ? AND cancel = 1',

  addPart: 'INSERT OR REPLACE INTO parts (execution, kind, number, content) VALUES (?, ?, ?, ?)',
  part: 'SELECT content FROM parts WHERE execution = ? AND kind = ? AND number = ?',
  hasPart: 'SELECT 1 FROM parts WHERE execution = ? AND kind = ? AND number = ?',
  parts: 'SELECT kind, number, content FROM parts WHERE execution = ? ORDER BY kind, number',
  kindBytes: 'SELECT total(length(content)) AS bytes, count(*) AS count FROM parts WHERE execution = ? AND kind = ?',
  numbers: 'SELECT number FROM parts WHERE execution = ? AND kind = ?',
  removePart: 'DELETE FROM parts WHERE execution = ? AND kind = ? AND number = ?',
  removeKind: 'DELETE FROM parts WHERE execution = ? AND kind = ?',
  addUse: 'INSERT INTO uses (execution, kind, number, place, text) SELECT ?, ?, ?, ?, id FROM texts WHERE hash = ?',
  removeUses: 'DELETE FROM uses WHERE execution = ? AND kind = ? AND number = ?',
  removeKindUses: 'DELETE FROM uses WHERE execution = ? AND kind = ?',
  addText: 'INSERT INTO texts (hash) VALUES (?)',
  addContent: 'INSERT INTO contents (text, content) VALUES (?, ?)',
  content: 'SELECT content FROM texts JOIN contents ON contents.text = texts.id WHERE hash = ?',
  forgetText: 'UPDATE texts SET hash = NULL WHERE hash = ?',
  addImage: 'INSERT OR REPLACE INTO images (execution, content) VALUES (?, ?)',
  image: 'SELECT content FROM images WHERE execution = ?',
  removeImage: 'DELETE FROM images WHERE execution = ?',

  addApproval: 'INSERT INTO approvals (id, execution, call, kind, asked, content, isOpen) VALUES (?, ?, ?, ?, ?, ?, 1)',
  approval:
    'SELECT approvals.*, executions.id AS executionId FROM approvals JOIN executions ON executions.n = execution WHERE approvals.id = ?',
  approvalOfCall: `SELECT approvals.*, executions.id AS executionId FROM approvals JOIN executions ON executions.n = execution
    WHERE execution = ? AND call = ? AND kind = ? AND isUsed = 0`,
  useApprovals: 'UPDATE approvals SET isUsed = 1 WHERE execution = ? AND call = ? AND decided IS NOT NULL',
  closeApprovals: 'UPDATE approvals SET isOpen = 0 WHERE execution = ? AND isOpen = 1',
  // The number tells other processes what is new to them.
  decide: `UPDATE approvals SET isOpen = 0, decision = ?, decided = (SELECT ifnull(max(decided), 0) + 1 FROM approvals WHERE decided IS NOT NULL),
    decider = ? WHERE n = ? AND isOpen = 1`,
  openApprovals: `SELECT approvals.*, executions.id AS executionId FROM approvals JOIN executions ON executions.n = execution
    WHERE isOpen = 1 ORDER BY asked, approvals.n`,
  approvalsOf: `SELECT approvals.*, executions.id AS executionId FROM approvals JOIN executions ON executions.n = execution
    WHERE execution = ? ORDER BY approvals.n`,
  lastDecided: 'SELECT max(decided) AS decided FROM approvals WHERE decided IS NOT NULL',
  decidedSince: `SELECT approvals.*, executions.id AS executionId FROM approvals JOIN executions ON executions.n = execution
    WHERE decided IS NOT NULL AND decided > ? AND owner = ? ORDER BY decided`,
  pages:
    'SELECT page_count AS pages, freelist_count AS free, page_size AS size FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
  version: 'PRAGMA data_version',
} as const;
