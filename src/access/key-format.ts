import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Every key begins with it, so that people and secret scanners recognise one. */
export const KEY_PREFIX = 'amp_';
/** Bytes of randomness: 192 bits cannot be guessed. */
const RANDOM_BYTES = 24;
/** With the three bytes of the checksum a multiple of three, so that a key has exactly one spelling. */
const CHECKSUM_BYTES = 3;
const FORM = /^amp_[A-Za-z0-9_-]{36}$/;

/** A new, unguessable API key. */
export function mintKey(): string {
  const random = randomBytes(RANDOM_BYTES);
  return KEY_PREFIX + Buffer.concat([random, checksum(random)]).toString('base64url');
}

/** Whether a text can be a key at all: a typing error is told from an unknown key without a look at the store. */
export function isKey(text: string): boolean {
  if (!FORM.test(text)) return false;
  const bytes = Buffer.from(text.slice(KEY_PREFIX.length), 'base64url');
  return checksum(bytes.subarray(0, RANDOM_BYTES)).equals(bytes.subarray(RANDOM_BYTES));
}

/**
 * What is stored of a key, as hex. One round of SHA-256 is enough here: a slow hash protects secrets that can be guessed, and the
 * best guess at a key is one of 2^192.
 */
export function hashKey(key: string): string {
  return hash('sha256', key, 'hex');
}

function checksum(random: Uint8Array): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(random));
  return sum.subarray(0, CHECKSUM_BYTES);
}
