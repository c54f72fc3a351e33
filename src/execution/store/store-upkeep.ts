import type { DatabaseSync } from 'node:sqlite';
import { BUSY_TIMEOUT_MS } from '../../store/database.ts';
import { noRoom } from '../execution-errors.ts';
import { Goers, type Goer } from '../ended-goers.ts';
import type { Statements } from './execution-parts.ts';

export interface UpkeepLimits {
  readonly executionTtlMs: number;
  readonly maxStoredBytes: number;
}

/** A few at a time: no write has to pay for a whole night of executions whose time is over. */
const EXPIRE_AT_ONCE = 32;
/** What has ended is there for so long, whoever fills the store: somebody may be about to fetch the answer. In milliseconds. */
const FETCH_MS = 60_000;
/** But not past so many times what may be stored: else the disk is filled within that time. */
const MOST_TIMES = 1.25;
/** Free pages that are kept for what comes next, and how many are given back at once: a few milliseconds. */
const SPARE_PAGES = 512;
const PAGES_AT_ONCE = 512;
/** When the log is written back into the file, in bytes about: later, and it takes longer; sooner, and it is done more often. */
const CHECKPOINT_BYTES = 8 * 1024 * 1024;
/** What a transaction and a write in it take in the log, about. */
const WRITE_BYTES = 12_288;
/** So often at once, behind writes of another connection: some ten milliseconds. */
const MOST_ROUNDS = 8;
/** The log gives back what it took for a large image. */
const LOG_BYTES = 32 * 1024 * 1024;

/** Keeps what is stored within its time and its bytes, and gives disk back. Only what has ended goes. */
export class StoreUpkeep {
  readonly #db: DatabaseSync;
  readonly #run: Statements;
  readonly #limits: UpkeepLimits;
  #goers: Goers | undefined;
  #written = 0;
  /** Writes that nothing was tidied behind. */
  #untidied = 0;

  constructor(db: DatabaseSync, run: Statements, limits: UpkeepLimits) {
    this.#db = db;
    this.#run = run;
    this.#limits = limits;
    // The log is written back by `rest`, when those who wait have been answered; SQLite does it itself only if that never comes.
    db.exec(`PRAGMA wal_autocheckpoint = 16384; PRAGMA journal_size_limit = ${LOG_BYTES}`);
  }

  /** Behind the writes of each transaction. @returns whether there may be more to remove */
  tidy(now: number): boolean {
    const expired = this.#run.expired.all(now - this.#limits.executionTtlMs, EXPIRE_AT_ONCE);
    for (const { n } of expired) this.#run.remove.run(n ?? null);
    const { maxStoredBytes } = this.#limits;
    for (let count = 0, used = this.#usedBytes(); used > maxStoredBytes; count++, used = this.#usedBytes()) {
      if (count === EXPIRE_AT_ONCE) return true;
      const fetchMs = used > MOST_TIMES * maxStoredBytes ? 0 : FETCH_MS;
      if (this.#removeOne(now, fetchMs) === undefined) break;
    }
    return expired.length === EXPIRE_AT_ONCE;
  }

  /**
   * Removes, of whoever holds most, what ended longest ago, until so many bytes fit; nothing, when they do not fit without all of it.
   * @throws SandboxError ERR_EXECUTION_FULL
   */
  makeRoom(bytes: number, now: number): void {
    const { maxStoredBytes } = this.#limits;
    const fits = (): boolean => this.#usedBytes() + bytes <= maxStoredBytes;
    if (fits()) return;
    const gone: Goer[] = [];
    this.#db.exec('SAVEPOINT room');
    for (let one; !fits() && (one = this.#removeOne(now)) !== undefined; gone.push(one));
    const hasRoom = fits();
    this.#db.exec(hasRoom ? 'RELEASE room' : 'ROLLBACK TO room; RELEASE room');
    if (hasRoom) return;
    this.#goers?.giveBack(gone);
    throw noRoom(bytes, maxStoredBytes);
  }

  /** So much was written: a part of it is in the log. */
  wrote(writes: number, bytes: number): void {
    this.#written += writes * WRITE_BYTES + bytes;
  }

  /** So many writes were done on another connection of this process: what has to go behind them goes here. Does not wait for another process either. */
  wroteDirectly(writes: number, transact: (work: () => void) => void, now: number): void {
    this.wrote(writes, 0);
    this.#untidied += writes;
    this.#impatiently(() => this.#tidyAll(transact, now));
  }

  /** When nothing else is to be done. Does not wait for another process that writes. @returns whether there is more of it */
  rest(transact: (work: () => void) => void, now: number): boolean {
    return this.#impatiently(() => this.#rest(transact, now));
  }

  #impatiently<T>(work: () => T): T {
    this.#db.exec('PRAGMA busy_timeout = 0');
    try {
      return work();
    } finally {
      this.#db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    }
  }

  #rest(transact: (work: () => void) => void, now: number): boolean {
    if (this.#written >= CHECKPOINT_BYTES) {
      this.#written = 0;
      this.#writeBack();
    }
    const isCounting = this.#goers?.count() ?? false;
    const before = this.#free();
    this.#tidyAll(transact, now);
    const { pages, free } = this.#free();
    const isTidying = isCounting || free > before.free;
    // What is free is used again first: giving back every page that is needed a moment later would be work for nothing.
    if (free <= SPARE_PAGES + pages / 16) return isTidying;
    this.#db.exec(`PRAGMA incremental_vacuum(${PAGES_AT_ONCE})`);
    this.#written += PAGES_AT_ONCE * 1024;
    return true;
  }

  /** Without the second step the log would grow for as long as others write while this does. */
  #writeBack(): void {
    this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    this.#db.exec('PRAGMA wal_checkpoint(RESTART)');
    // Whoever writes first into a log that begins anew waits for the disk: here, where nobody waits for that.
    const version = Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version']);
    this.#db.exec(`PRAGMA user_version = ${version}`);
  }

  /** A round for each write, up to a bound: what comes in must not be faster than what goes. */
  #tidyAll(transact: (work: () => void) => void, now: number): void {
    for (let left = Math.min(this.#untidied, MOST_ROUNDS); left >= 0; left--) {
      const round = { hasMore: false };
      transact(() => void (round.hasMore = this.tidy(now)));
      if (!round.hasMore) break;
    }
    this.#untidied = 0;
  }

  #removeOne(now: number, fetchMs = FETCH_MS): Goer | undefined {
    this.#goers ??= new Goers(this.#db);
    // The clock may have been set back since it ended.
    const oldest = (): unknown => (this.#run.oldestEnded.get(now - fetchMs) ?? this.#run.endedLater.get(now))?.['n'];
    const goer = this.#goers.next(now - fetchMs, now) ?? this.#goers.goer(oldest());
    if (goer !== undefined) this.#run.remove.run(goer.n);
    return goer;
  }

  /** What the file has in use. */
  #usedBytes(): number {
    const { pages, free, size } = this.#free();
    return (pages - free) * size;
  }

  #free(): { readonly pages: number; readonly free: number; readonly size: number } {
    const row = this.#run.pages.get();
    return { pages: Number(row?.['pages']), free: Number(row?.['free']), size: Number(row?.['size']) };
  }
}
