import { rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase, type DatabaseForm } from './database.ts';

export interface StoreLog {
  warn(fields: object, message: string): void;
}

/** SQLite's own words for a file that is damaged, or is no database. */
const DAMAGED = new Set([11, 26]);

/**
 * Opens a database that can do without what is in it: a damaged file is replaced by an empty one, and when no file can be used what is
 * stored is gone when the process ends. Both are logged. Never throws.
 */
export function openReplaceable(form: DatabaseForm, log: StoreLog): DatabaseSync {
  try {
    return openDatabase(form);
  } catch (error) {
    log.warn({ err: error, file: form.file }, 'A file in the cache folder cannot be used');
    return replaced(form, error) ?? openDatabase({ migrations: form.migrations });
  }
}

function replaced(form: DatabaseForm, error: unknown): DatabaseSync | undefined {
  if (form.file === undefined || !isDamage(error)) return undefined;
  try {
    removeDatabase(form.file);
    return openDatabase(form);
  } catch {
    return undefined;
  }
}

/** Whether the file itself is what is wrong. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && DAMAGED.has(error.errcode % 256);
}

/** Takes a database away, with what SQLite keeps beside it. */
export function removeDatabase(file: string): void {
  for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
}
