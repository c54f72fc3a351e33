import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** How long one process waits for another that writes to the same file, in milliseconds. */
export const BUSY_TIMEOUT_MS = 5_000;
const SQLITE_BUSY = 5;
const AGAIN_MS = 5;

export interface DatabaseForm {
  /** Path of the file. Default: in memory, gone when the process ends. */
  readonly file?: string | undefined;
  /** Statements for each version of the tables, the first for a new file: `migrations[n]` leads from version n to n + 1. */
  readonly migrations: readonly string[];
  /** Statements for a new file before there is any table, such as how it gives back disk. */
  readonly before?: string;
}

/** A file that cannot be used because a later version of Ampoule wrote it: nothing is wrong with it. */
export class NewerVersion extends Error {}

/**
 * Opens an embedded database that several processes may share, and brings its tables up to date.
 * @throws Error when the file is none of ours, is of a newer version, or cannot be used
 */
export function openDatabase({ file, migrations, before = '' }: DatabaseForm): DatabaseSync {
  const isNew = file === undefined || prepareFile(file) === 0;
  const db = new DatabaseSync(file ?? ':memory:', { timeout: BUSY_TIMEOUT_MS });
  return migratedDatabase(db, migrations, `${isNew ? before : ''} PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
}

/** Not to wait: a pipe in the place of the file would stop the whole process for ever. The flag does not exist on Windows. */
const OPEN_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

/** What is stored is private: the file is made readable for its owner alone before SQLite opens it. @returns its length */
function prepareFile(file: string): number {
  const descriptor = openSync(file, OPEN_FLAGS, 0o600);
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) throw new Error('it is no regular file');
    return found.size;
  } finally {
    closeSync(descriptor);
  }
}

/** A database that was just opened, with tables of the last version; closed again when that cannot be had. @param first statements */
export function migratedDatabase(db: DatabaseSync, migrations: readonly string[], first = ''): DatabaseSync {
  try {
    patiently(() => db.exec(first));
    if (versionOf(db) !== migrations.length) transact(db, () => migrate(db, migrations));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** SQLite waits for nobody when it changes how a file is written, and others open it at the same moment: then it is tried again, for as long as it would wait. */
function patiently(work: () => void): void {
  const end = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY || performance.now() > end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS);
    }
  }
}

/** Takes the write lock at once, so that two processes never both read first and then wait for each other. */
export function transact<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const done = work();
    db.exec('COMMIT');
    return done;
  } catch (error) {
    // A full disk, for one, has ended the transaction already.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Reads that have to agree: what others write meanwhile is seen by all of them or by none. */
export function snapshot<T>(db: DatabaseSync, work: () => T): T {
  if (db.isTransaction) return work();
  db.exec('BEGIN');
  try {
    return work();
  } finally {
    db.exec('COMMIT');
  }
}

/** Within a transaction, so that of two processes that open a file at the same time one does the work. */
function migrate(db: DatabaseSync, migrations: readonly string[]): void {
  const version = versionOf(db);
  if (version > migrations.length) {
    const versions = `its tables have version ${version}, this one knows them up to ${migrations.length}`;
    throw new NewerVersion(`a newer version of Ampoule wrote it (${versions}): start that one, or set another "cacheDir"`);
  }
  for (const statements of migrations.slice(version)) db.exec(statements);
  db.exec(`PRAGMA user_version = ${migrations.length}`);
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}
