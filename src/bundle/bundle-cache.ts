import { createHash } from 'node:crypto';
import type { Bundle } from './bundle.ts';

const MAX_ENTRIES = 64;
const MAX_CHARACTERS = 32 * 1024 * 1024;

/** The last bundles, by what they were made of. Bounded in number and in size. */
export class BundleCache {
  readonly #entries = new Map<string, { bundle: Bundle; size: number }>();
  #size = 0;

  /** The key of a program: its text, and the wrappers and skills that it imports. */
  static keyOf(code: string, wrappersHash: string, skillsHash = ''): string {
    return createHash('sha256').update(wrappersHash).update('\0').update(skillsHash).update('\0').update(code, 'utf16le').digest('base64');
  }

  get(key: string): Bundle | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.bundle;
  }

  /** @param size - roughly the characters that the bundle holds in memory. */
  set(key: string, bundle: Bundle, size: number): void {
    if (size > MAX_CHARACTERS || this.#entries.has(key)) return;
    this.#entries.set(key, { bundle, size });
    this.#size += size;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= MAX_ENTRIES && this.#size <= MAX_CHARACTERS) return;
      this.#entries.delete(oldest);
      this.#size -= entry.size;
    }
  }
}
