import { randomBytes } from 'node:crypto';
import { createHash } from 'blake3';

/** Bytes of randomness in a handle: 192 bits cannot be guessed. */
const RANDOM_BYTES = 24;
const FORM = /^ses_[A-Za-z0-9_-]{32}$/;

/** A new, unguessable session handle. */
export function mintHandle(): string {
  return `ses_${randomBytes(RANDOM_BYTES).toString('base64url')}`;
}

/** Whether a text can be a handle at all. */
export function isHandle(text: string): boolean {
  return FORM.test(text);
}

/** Names the session to its operator: the store has it, and nobody can use the session by it. */
export function sessionId(handle: string): string {
  return Buffer.from(hashHandle(handle)).toString('hex', 0, 8);
}

/** What the store keeps instead of the handle: whoever reads the store cannot use the sessions in it. */
export function hashHandle(handle: string): Uint8Array {
  return createHash().update(handle).digest();
}
