import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';

/** The first byte of what is sealed, so that another form can be told from this one. */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const KEY_BYTES = 32;

/** Encrypts with AES-256-GCM. What is sealed for one purpose cannot be opened for another. */
export function seal(plain: string, key: Uint8Array, purpose: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated(purpose));
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed]);
}

/** @throws Error when the key or the purpose is another one, or the bytes were changed */
export function unseal(sealed: Uint8Array, key: Uint8Array, purpose: string): string {
  const bytes = Buffer.from(sealed);
  if (bytes[0] !== VERSION || bytes.length < 1 + NONCE_BYTES + TAG_BYTES) throw new Error('not a sealed text of a form that is known');
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
  const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(associated(purpose)).setAuthTag(tag);
  return Buffer.concat([decipher.update(bytes.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
}

/** A key from a text of the operator's; slow on purpose, about 50 ms. */
export function keyFromSecret(secret: string, salt: Uint8Array): Buffer {
  return scryptSync(secret, salt, KEY_BYTES, { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 });
}

function associated(purpose: string): Buffer {
  return Buffer.from(`ampoule login v${VERSION}\0${purpose}`);
}
