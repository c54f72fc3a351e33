import type { AuditLine } from './audit-event.ts';

/** Lines of one principal that wait for a disk that takes none, each of about a kilobyte at most but for values. */
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** How much more all principals together may have waiting: so none of them takes the room of all. */
const ALL_FACTOR = 2;
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

interface Waiting {
  lines: number;
  bytes: number;
}

/** What waits for one outlet. When it takes nothing lines are kept for later, up to a bound; past it new ones are counted and told in a line. */
export class OutletQueue {
  readonly outlet: Outlet;
  #waiting: AuditLine[] = [];
  #bytes = 0;
  /** Of each principal that has something waiting. */
  readonly #shares = new Map<string, Waiting>();
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

  /** @returns the number of the line: it is written as soon as {@link written} is no less; Infinity where there is no room for it */
  add(line: AuditLine): number {
    const bytes = sizeOf(line);
    const all = { lines: this.#waiting.length, bytes: this.#bytes };
    const own = this.#shares.get(line.principal ?? '') ?? { lines: 0, bytes: 0 };
    if (!hasRoom(own, bytes, 1) || !hasRoom(all, bytes, ALL_FACTOR)) {
      this.#lost++;
      return Infinity;
    }
    this.#waiting.push(line);
    this.#bytes += bytes;
    own.lines++;
    own.bytes += bytes;
    this.#shares.set(line.principal ?? '', own);
    return ++this.#added;
  }

  #remove({ principal = '' }: AuditLine, bytes: number): void {
    this.#bytes -= bytes;
    const own = this.#shares.get(principal);
    if (own === undefined) return;
    own.lines--;
    own.bytes -= bytes;
    if (own.lines === 0) this.#shares.delete(principal);
  }

  get written(): number {
    return this.#written;
  }

  /** Writes some lines. @returns the error when it could not */
  flush(now: number): unknown {
    const batch = this.#waiting.slice(0, BATCH);
    const { written, error } = this.outlet.write(batch);
    for (const line of this.#waiting.splice(0, written)) this.#remove(line, sizeOf(line));
    this.#written += written;
    if (error === undefined && this.#lost > 0) {
      // It tells of those that came before it, so that it is no part of what it counts.
      const times = this.#lost;
      if (this.add({ time: now, kind: 'gap', code: 'ERR_AUDIT_STORE', times }) < Infinity) this.#lost = 0;
      else this.#lost = times;
    }
    return error;
  }
}

function hasRoom({ lines, bytes }: Waiting, more: number, factor: number): boolean {
  return lines < MAX_WAITING * factor && bytes + more <= MAX_WAITING_BYTES * factor;
}

/** About what a line takes in memory. */
function sizeOf({ values }: AuditLine): number {
  return 512 + Object.values(values ?? {}).reduce((sum, text) => sum + text.length * 2, 0);
}
