import { chmodSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { SandboxError } from '../errors.ts';
import { openReadable } from '../store/readable-database.ts';
import { KEY_MIGRATIONS } from './key-schema.ts';

/** Everybody but the owner. */
const OTHERS = 0o077;
const OWNER_ONLY = 0o600;
const EVERYBODY_WRITES = 0o002;

/**
 * Opens `keys.db`, made when it is missing. Who can write to it can let himself in, so it belongs to its owner alone, also when
 * somebody gave others a right to it meanwhile.
 * @throws SandboxError ERR_ACCESS_UNAVAILABLE
 */
export function openKeyFile(file: string): DatabaseSync {
  try {
    refuseOpenFolder(dirname(file));
    // What SQLite keeps beside the file gets the rights of the file, so these come first.
    for (const end of ['', '-wal', '-shm']) takeBack(file + end);
    return openReadable({ file, migrations: KEY_MIGRATIONS });
  } catch (cause) {
    throw keyFileError(file, cause);
  }
}

/** Whoever can write to the folder can put a file of his own in the place of this one. Windows has no such rights. */
function refuseOpenFolder(folder: string): void {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode ?? 0;
  if (process.platform === 'win32' || (mode & EVERYBODY_WRITES) === 0) return;
  throw new Error('everybody may write to its folder, and so put another file there: chmod it to 700');
}

function takeBack(file: string): void {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & OTHERS) !== 0) chmodSync(file, OWNER_ONLY);
}

/** @param cause what the file system or SQLite said */
export function keyFileError(file: string, cause: unknown): SandboxError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SandboxError('ERR_ACCESS_UNAVAILABLE', `The API keys in ${file} cannot be used: ${reason}.`, {
    hint: 'Without it nobody with a key gets in. Look at the folder and the file, or set another "cacheDir".',
    cause,
  });
}
