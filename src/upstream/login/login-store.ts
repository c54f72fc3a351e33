import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { SandboxError } from '../../errors.ts';
import { transact } from '../../store/database.ts';
import { fileState } from '../../store/file-state.ts';
import { openReadable } from '../../store/readable-database.ts';
import { readOrMakeKey } from './key-file.ts';
import { loginSchema, type Login } from './record.ts';
import { keyFromSecret, seal, unseal } from './seal.ts';

export interface LoginStoreOptions {
  /** Where `logins.db` and `logins.key` are. */
  readonly directory: string;
  /** What to make the key of, instead of the file. */
  readonly secret?: string | undefined;
}

/** A login and the number of its writing: each write has a higher one, for all servers together. */
export interface HeldLogin {
  readonly revision: number;
  readonly login: Login;
}

/** Logins by server, encrypted at rest, shared by all processes that have the folder. All methods throw SandboxError ERR_UPSTREAM_LOGIN_STORE. */
export interface LoginStore extends Disposable {
  servers(): string[];
  /** The number of the last writing, without opening what is sealed. */
  revision(server: string): number | undefined;
  read(server: string): HeldLogin | undefined;
  write(server: string, login: Login): HeldLogin;
  /** True when there was one. */
  remove(server: string): boolean;
  /** Takes the right to refresh this very writing, until it is replaced, given back, or `ms` have passed. */
  lease(server: string, revision: number, owner: string, ms: number): boolean;
  giveBack(server: string, owner: string): void;
  /** Writes in the place of a leased one; nothing when it is not leased by this owner any more, as after a logout. */
  replace(server: string, owner: string, login: Login): HeldLogin | undefined;
  /** False once another file has taken the place of the one that was opened, or none. */
  isCurrent(): boolean;
  close(): void;
}

const MIGRATIONS = [
  `CREATE TABLE logins (
     revision INTEGER PRIMARY KEY AUTOINCREMENT,
     server TEXT NOT NULL UNIQUE,
     sealed BLOB NOT NULL,
     lease_owner TEXT,
     lease_until INTEGER
   ) STRICT;
   CREATE TABLE salts (id INTEGER PRIMARY KEY CHECK (id = 1), salt BLOB NOT NULL) STRICT;`,
];

export function loginsFile(directory: string): string {
  return join(directory, 'logins.db');
}

/** The store when somebody has made one: looking makes none. @throws SandboxError ERR_UPSTREAM_LOGIN_STORE */
export function openLoginsIfAny(options: LoginStoreOptions): LoginStore | undefined {
  return existsSync(loginsFile(options.directory)) ? openLogins(options) : undefined;
}

/** Opens the store, made when it is missing. @throws SandboxError ERR_UPSTREAM_LOGIN_STORE */
export function openLogins({ directory, secret }: LoginStoreOptions): LoginStore {
  return coded('opened', () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = loginsFile(directory);
    const db = openReadable({ file, migrations: MIGRATIONS });
    try {
      const key = secret === undefined ? readOrMakeKey(join(directory, 'logins.key')) : keyFromSecret(secret, saltOf(db));
      return new SqliteLogins(db, key, file);
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

class SqliteLogins implements LoginStore {
  readonly #db: DatabaseSync;
  readonly #key: Uint8Array;
  readonly #file: string;
  readonly #state: string;

  constructor(db: DatabaseSync, key: Uint8Array, file: string) {
    this.#db = db;
    this.#key = key;
    this.#file = file;
    this.#state = fileState(file);
  }

  servers(): string[] {
    return coded('read', () =>
      this.#db
        .prepare('SELECT server FROM logins ORDER BY server')
        .all()
        .map(({ server }) => String(server)),
    );
  }

  revision(server: string): number | undefined {
    const row = coded('read', () => this.#db.prepare('SELECT revision FROM logins WHERE server = ?').get(server));
    return row === undefined ? undefined : Number(row['revision']);
  }

  read(server: string): HeldLogin | undefined {
    return coded('read', () => {
      const row = this.#db.prepare('SELECT revision, sealed FROM logins WHERE server = ?').get(server);
      if (row === undefined) return undefined;
      if (!(row['sealed'] instanceof Uint8Array)) throw new Error('the file is damaged');
      return { revision: Number(row['revision']), login: this.#open(row['sealed'], server) };
    });
  }

  write(server: string, login: Login): HeldLogin {
    return coded('written', () => transact(this.#db, () => this.#put(server, login)));
  }

  remove(server: string): boolean {
    return coded('written', () => this.#db.prepare('DELETE FROM logins WHERE server = ?').run(server).changes > 0);
  }

  lease(server: string, revision: number, owner: string, ms: number): boolean {
    const now = Date.now();
    const free = 'lease_until IS NULL OR lease_until < ? OR lease_until > ?';
    const statement = `UPDATE logins SET lease_owner = ?, lease_until = ? WHERE server = ? AND revision = ? AND (${free})`;
    // An end that is further away than any lease is of a clock that was set back since.
    const values = [owner, now + ms, server, revision, now, now + 2 * ms];
    return coded('written', () => this.#db.prepare(statement).run(...values).changes > 0);
  }

  giveBack(server: string, owner: string): void {
    const statement = 'UPDATE logins SET lease_owner = NULL, lease_until = NULL WHERE server = ? AND lease_owner = ?';
    coded('written', () => this.#db.prepare(statement).run(server, owner));
  }

  replace(server: string, owner: string, login: Login): HeldLogin | undefined {
    return coded('written', () =>
      transact(this.#db, () => {
        const row = this.#db.prepare('SELECT lease_owner FROM logins WHERE server = ?').get(server);
        return row?.['lease_owner'] === owner ? this.#put(server, login) : undefined;
      }),
    );
  }

  isCurrent(): boolean {
    return fileState(this.#file) === this.#state;
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Within a transaction. */
  #put(server: string, login: Login): HeldLogin {
    this.#db.prepare('DELETE FROM logins WHERE server = ?').run(server);
    const sealed = seal(JSON.stringify(login), this.#key, server);
    const { lastInsertRowid } = this.#db.prepare('INSERT INTO logins (server, sealed) VALUES (?, ?)').run(server, sealed);
    return { revision: Number(lastInsertRowid), login };
  }

  #open(sealed: Uint8Array, server: string): Login {
    let text: string;
    try {
      text = unseal(sealed, this.#key, server);
    } catch (cause) {
      throw new Error('the key is not the one that they were stored with, or the file was changed', { cause });
    }
    return loginSchema.parse(JSON.parse(text));
  }
}

function saltOf(db: DatabaseSync): Uint8Array {
  db.prepare('INSERT OR IGNORE INTO salts (id, salt) VALUES (1, ?)').run(randomBytes(16));
  const salt = db.prepare('SELECT salt FROM salts WHERE id = 1').get()?.['salt'];
  if (!(salt instanceof Uint8Array)) throw new Error('the file is damaged');
  return salt;
}

function coded<T>(done: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SandboxError) throw cause;
    // What a damaged record holds is not for anybody: zod's messages name values.
    const why = cause instanceof Error && cause.name !== 'ZodError' ? cause.message : 'what is stored is not of the form that it should be';
    throw new SandboxError('ERR_UPSTREAM_LOGIN_STORE', `The stored logins cannot be ${done}: ${why}.`, {
      hint: 'Set the key that they were stored with; or delete logins.db and logins.key in the cache folder and log in again.',
      cause,
    });
  }
}
