import { createHash } from 'node:crypto';
import type { CheckReport } from './checker.ts';

const MAX_ENTRIES = 256;

/** The last reports, by what was checked. */
export class ReportCache {
  readonly #entries = new Map<string, CheckReport>();

  /** The key of a program: its text, and the wrappers and skills that it imports. */
  static keyOf(code: string, wrappersHash: string, skillsHash = ''): string {
    return createHash('sha256').update(wrappersHash).update('\0').update(skillsHash).update('\0').update(code, 'utf16le').digest('base64');
  }

  get(key: string): CheckReport | undefined {
    const report = this.#entries.get(key);
    if (report === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, report);
    return report;
  }

  set(key: string, report: CheckReport): void {
    this.#entries.set(key, report);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
  }
}
