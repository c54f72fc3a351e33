import { timingSafeEqual } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { fileState } from '../store/file-state.ts';
import { keyFileError, openKeyFile } from './key-file.ts';
import { hashKey, isKey } from './key-format.ts';
import { keyStanding, readKeyRow, type KeyRow } from './key-schema.ts';
import type { Principal } from './principal.ts';

/** A request does not wait for another process that writes: a use that cannot be noted now is noted with a later one. */
const BUSY_MS = 20;
/** How often it is looked whether the file is still the one that is open, and how often the use of a key is noted, in milliseconds. */
const FILE_CHECK_MS = 1_000;
const USE_MS = 60_000;

export type Standing = 'good' | 'expired' | 'revoked';

/** A key that a request came with. */
export interface KnownKey {
  readonly principal: Principal;
  /** Now, and not when the request came. */
  standing(): Standing;
}

interface FoundKey {
  readonly known: KnownKey;
  readonly standing: Standing;
}

/** The keys as a running server sees them: all in memory, and never older than the last change of the file. */
export interface KeyKeeper {
  /**
   * The key that a text is, and how it stands now; undefined when it is none. The same work for a key that is known and one that is not.
   * @throws SandboxError ERR_ACCESS_UNAVAILABLE when the file cannot be read: then nobody gets in
   */
  find(text: string): FoundKey | undefined;
  /** How the key of an id stands now. What cannot be read stands as it did. */
  standingOf(id: string): Standing;
  /** How many keys there were at the last look, whatever their standing. */
  readonly size: number;
  close(): void;
}

interface Kept {
  readonly hash: Uint8Array;
  readonly id: string;
  readonly known: KnownKey;
  notedAt: number;
}

/** @throws SandboxError ERR_ACCESS_UNAVAILABLE */
export function openKeyKeeper(file: string, now: () => number = Date.now): KeyKeeper {
  return new Keeper(file, now);
}

class Keeper implements KeyKeeper {
  readonly #file: string;
  readonly #now: () => number;
  #db: DatabaseSync;
  #version: StatementSync;
  #rows = new Map<string, KeyRow>();
  #keys = new Map<string, Kept>();
  #seenVersion: unknown;
  #fileState: string;
  #checkedAt: number;

  constructor(file: string, now: () => number) {
    this.#file = file;
    this.#now = now;
    [this.#db, this.#version, this.#fileState] = this.#open();
    this.#checkedAt = now();
    this.#load();
  }

  find(text: string): FoundKey | undefined {
    const hash = hashKey(text);
    try {
      this.#follow();
    } catch (cause) {
      throw keyFileError(this.#file, cause);
    }
    const kept = this.#keys.get(hash);
    const presented = Buffer.from(hash, 'hex');
    const isSame = timingSafeEqual(presented, kept?.hash ?? NOBODY);
    if (kept === undefined || !isSame || !isKey(text)) return undefined;
    const standing = this.#standing(hash);
    if (standing === 'good') this.#note(kept);
    return { known: kept.known, standing };
  }

  standingOf(id: string): Standing {
    try {
      this.#follow();
    } catch {
      // What cannot be read ends nothing.
    }
    const row = this.#rows.values().find((one) => one.id === id);
    return row === undefined ? 'revoked' : keyStanding(row, this.#now());
  }

  get size(): number {
    return this.#keys.size;
  }

  close(): void {
    this.#db.close();
  }

  #open(): [DatabaseSync, StatementSync, string] {
    // Where we can only read: what is changed meanwhile is read twice, and not missed.
    const before = fileState(this.#file);
    const db = openKeyFile(this.#file);
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    return [db, db.prepare('PRAGMA data_version'), before === '' ? fileState(this.#file) : before];
  }

  /** What other processes have committed since the last request: SQLite's own counter says whether it did anything, in microseconds. */
  #follow(): void {
    const now = this.#now();
    if (now - this.#checkedAt >= FILE_CHECK_MS || now < this.#checkedAt) {
      if (fileState(this.#file) !== this.#fileState) this.#reopen();
      this.#checkedAt = now;
    }
    if (this.#version.get()?.['data_version'] !== this.#seenVersion) this.#load();
  }

  /** The file was taken away or replaced, and with it the keys in it; or it was changed where we can only read. */
  #reopen(): void {
    // While it cannot be opened nobody gets in, as this throws; what is in use already waits until it is known again.
    const opened = this.#open();
    this.#keys = new Map();
    this.#rows = new Map();
    this.#seenVersion = undefined;
    const old = this.#db;
    [this.#db, this.#version, this.#fileState] = opened;
    old.close();
  }

  #load(): void {
    // The counter first: what is committed in between is read twice, and not missed.
    this.#seenVersion = this.#version.get()?.['data_version'];
    const rows = this.#db.prepare('SELECT * FROM keys').all().map(readKeyRow);
    this.#rows = new Map(rows.map((row) => [row.hash, row]));
    this.#keys = new Map(rows.map((row) => [row.hash, this.#keys.get(row.hash) ?? this.#keep(row)]));
  }

  #keep({ hash, id, name, tools }: KeyRow): Kept {
    const principal: Principal = { id: `key:${name}`, credential: id, ...(tools !== null && { grant: tools }) };
    return { hash: Buffer.from(hash, 'hex'), id, known: { principal, standing: () => this.#standingNow(hash) }, notedAt: 0 };
  }

  /** Of a key that is in use, as a stream may be. */
  #standingNow(hash: string): Standing {
    try {
      this.#follow();
    } catch {
      // What cannot be read ends no stream: the next request is told.
    }
    return this.#standing(hash);
  }

  /** A key that is gone was revoked. */
  #standing(hash: string): Standing {
    const row = this.#rows.get(hash);
    return row === undefined ? 'revoked' : keyStanding(row, this.#now());
  }

  /** For the operator, who wants to know which keys nobody uses. */
  #note(kept: Kept): void {
    const now = this.#now();
    if (now - kept.notedAt < USE_MS) return;
    kept.notedAt = now;
    try {
      this.#db.prepare('UPDATE keys SET used = ? WHERE id = ?').run(now, kept.id);
    } catch {
      // A full disk or another writer keeps nobody out.
    }
  }
}

const NOBODY = new Uint8Array(32);
