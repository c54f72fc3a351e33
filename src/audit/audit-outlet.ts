import type { AuditLine } from './audit-event.ts';

/** Lines that wait for a disk that takes none, each of about a kilobyte at most but for values. */
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Lines written at once: a few milliseconds. */
const BATCH = 200;

/** Where lines go to: the store or the file. */
export interface Outlet {
  readonly name: string;
  /** @returns how many were written before the first that could not be, with its error */
  write(lines: readonly AuditLine[]): { readonly written: number; readonly error?: unknown };
  /** Waits until the disk has them. */
  sync(): void;
  close(): void;
}

/** What waits for one outlet. When it takes nothing lines are kept for later, up to a bound; past it new ones are counted and told in a line. */
export class OutletQueue {
  readonly outlet: Outlet;
  #waiting: AuditLine[] = [];
  #bytes = 0;
  #lost = 0;
  #written = 0;
  #added = 0;

  constructor(outlet: Outlet) {
    this.outlet = outlet;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#lost === 0;
  }

  /** Lines that were dropped since the last that could be written. */
  get lost(): number {
    return this.#lost;
  }

  /** @returns the number of the line: it is written as soon as {@link written} is no less */
  add(line: AuditLine): number {
    const bytes = sizeOf(line);
    if (this.#waiting.length >= MAX_WAITING || this.#bytes + bytes > MAX_WAITING_BYTES) {
      this.#lost++;
      return Infinity;
    }
    this.#waiting.push(line);
    this.#bytes += bytes;
    return ++this.#added;
  }

  get written(): number {
    return this.#written;
  }

  /** Writes some lines. @returns the error when it could not */
  flush(now: number): unknown {
    const batch = this.#waiting.slice(0, BATCH);
    const { written, error } = this.outlet.write(batch);
    for (const line of this.#waiting.splice(0, written)) this.#bytes -= sizeOf(line);
    this.#written += written;
    if (error === undefined && this.#lost > 0) {
      this.#waiting.push({ time: now, kind: 'gap', code: 'ERR_AUDIT_STORE', times: this.#lost });
      this.#added++;
      this.#lost = 0;
    }
    return error;
  }
}

/** About what a line takes in memory. */
function sizeOf({ values }: AuditLine): number {
  return 512 + Object.values(values ?? {}).reduce((sum, text) => sum + text.length * 2, 0);
}
