import { DatabaseSync } from 'node:sqlite';

/**
 * Takes the lock that a file is, without waiting: it is that of an exclusive transaction that nothing is written in, and the system takes it away when the
 * process ends, however that ends. The file is made when it is missing.
 * @returns what gives it up when it is closed
 * @throws Error when it cannot be had: another one has it, or something is wrong with the file
 */
export function lockFile(file: string): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 0 });
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db?.close();
    throw error;
  }
}
