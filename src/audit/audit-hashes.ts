import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createKeyed } from 'blake3';

const KEY_BYTES = 32;

/** The hash of a text, in hexadecimal. The same text has the same hash in one installation, and nobody can find a text by trying without its key. */
export type AuditHash = (text: string) => string;

/**
 * Keyed Blake3. Programs and arguments are often short and easy to guess ("delete 17"), so a plain hash would tell them to whoever tries all
 * that are likely. The key is random, made once, and in a file of its own, so that lines can be given away without it.
 * @throws the error of the file system
 */
export function openAuditHash(file: string): AuditHash {
  return auditHashOf(readKey(file) ?? makeKey(file));
}

/** Hashes with a key of 32 bytes. */
export function auditHashOf(key: Buffer): AuditHash {
  // `keyedHash` of the package never frees what it has taken: two kilobytes for each call.
  return (text) => createKeyed(key).update(text).digest('hex');
}

/** Undefined when there is none, or what is there is none. */
function readKey(file: string): Buffer | undefined {
  try {
    const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
    return key.length === KEY_BYTES ? key : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Of two processes that make one at the same time the second takes the first one's. */
function makeKey(file: string): Buffer {
  const key = randomBytes(KEY_BYTES);
  try {
    writeFileSync(file, `${key.toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    return key;
  } catch (error) {
    const other = readKey(file);
    if (other !== undefined) return other;
    // One that is damaged is of no use any more.
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      writeFileSync(file, `${key.toString('hex')}\n`, { mode: 0o600 });
      return key;
    }
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
