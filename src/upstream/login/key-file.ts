import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { KEY_BYTES } from './seal.ts';

/** Rights of others than the owner. */
const OTHERS = 0o077;

/**
 * The key in a file that only its owner may read, made when it is missing. Of two processes that make it at the same time one
 * wins, and both have its key; a file that is half written is never seen.
 * @throws Error when it cannot be read or made, others may read it, or it is no key
 */
export function readOrMakeKey(file: string): Buffer {
  try {
    return readKey(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const draft = `${file}.${randomBytes(8).toString('hex')}`;
  try {
    writeNew(draft, randomBytes(KEY_BYTES).toString('base64'));
    linkSync(draft, file);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readKey(file);
}

function readKey(file: string): Buffer {
  const handle = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  try {
    const { mode } = fstatSync(handle);
    // Windows has no such rights.
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0) throw new Error(`others may read ${file}: chmod 600 it`);
    const key = Buffer.from(readFileSync(handle, 'utf8').trim(), 'base64');
    if (key.length !== KEY_BYTES) throw new Error(`${file} is not a key of ${KEY_BYTES} bytes`);
    return key;
  } finally {
    closeSync(handle);
  }
}

function writeNew(file: string, text: string): void {
  const handle = openSync(file, 'wx', 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
