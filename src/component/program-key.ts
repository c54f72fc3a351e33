import { createHash } from 'blake3';

/** Raised when the same script and engine come to mean another program, such as a change in how a delta is taken. */
const FORMAT_VERSION = 1;

/** Everything that decides a program's bytes. */
export interface ProgramKeyParts {
  /** The bundle's text. */
  readonly script: string;
  /** The engine's hash, which covers WIT, guest runtime, meter and options. */
  readonly engineHash: string;
}

/**
 * The cache key of a program: Blake3 in hexadecimal. Each part goes in with its length before it, so no two different lists of parts
 * are the same bytes, and the first part keeps this hash apart from every other use of Blake3.
 */
export function programKey(parts: ProgramKeyParts): string {
  const hasher = createHash();
  for (const part of ['ampoule program key', String(FORMAT_VERSION), parts.engineHash, parts.script]) {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    hasher.update(length).update(bytes);
  }
  return hasher.digest('hex');
}
