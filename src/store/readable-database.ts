import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { migratedDatabase, openDatabase, type DatabaseForm } from './database.ts';

/**
 * Opens a database as {@link openDatabase} does. On a disk that is read-only a file that is there can still be read: what is stored
 * in it can be used, and every write throws.
 * @throws Error as `openDatabase`, also when the file is older than this version, because its tables cannot be brought up to date
 */
export function openReadable(form: DatabaseForm): DatabaseSync {
  try {
    return openDatabase(form);
  } catch (error) {
    if (form.file === undefined || !isReadOnlyDisk(error) || !existsSync(form.file)) throw error;
    return openForReading(form.file, form.migrations);
  }
}

/**
 * A process that was killed leaves its last transactions beside the file. To read them SQLite wants to write too, for others that may
 * have the file open: where nobody can write there are none, and it is told so in one of two ways (https://www.sqlite.org/wal.html#readonly).
 */
function openForReading(file: string, migrations: readonly string[]): DatabaseSync {
  const url = pathToFileURL(file);
  const hasLog = (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  url.search = hasLog ? 'vfs=unix-none' : 'immutable=1';
  const db = new DatabaseSync(url, { readOnly: true });
  if (hasLog) db.exec('PRAGMA locking_mode = EXCLUSIVE;');
  return migratedDatabase(db, migrations);
}

/** SQLite's own words for a disk that is read-only, full, or fails. */
const UNWRITABLE = new Set([8, 10, 13]);

/** Whether a write has failed because of the disk: then what is stored may still be read. */
export function isDiskFailure(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && UNWRITABLE.has(error.errcode % 256);
}

function isReadOnlyDisk(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EROFS';
}
