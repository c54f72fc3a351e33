import type { DatabaseSync } from 'node:sqlite';
import { SandboxError } from '../errors.ts';
import { openDatabase, transact } from '../store/database.ts';
import { openingError } from './session-errors.ts';
import { MIGRATIONS } from './session-schema.ts';

export interface SessionRegisterOptions {
  /** Path of the database. */
  readonly file: string;
  /** A session ends this long after its last use, in milliseconds. */
  readonly sessionTtlMs: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A session as its operator sees it. */
export interface SessionEntry {
  /** Names the session to the operator; nobody can use the session by it. */
  readonly id: string;
  readonly principal: string;
  /** Milliseconds since 1970, as all times here. */
  readonly created: number;
  readonly used: number;
  readonly expires: number;
  /** JSON text of an object. */
  readonly state: string;
}

/** Whose sessions, or which one. */
export type SessionChoice = { readonly id: string } | { readonly principal: string } | 'all';

/** All sessions of a file, for its operator. Servers that use the same file see what is ended here at once. */
export interface SessionRegister {
  /** The sessions that have not ended, the one used last first. Read one by one: their states may be large. */
  list(choice: SessionChoice): Iterable<SessionEntry>;
  /** Ends sessions, their states go with them. Returns how many. */
  end(choice: SessionChoice): number;
  close(): void;
}

/** Bytes of a handle's hash that make an id: no two of a million sessions share one. */
const ID_BYTES = 8;
const ID = `lower(hex(substr(sessions.hash, 1, ${ID_BYTES})))`;
/** Unused parameters are null, and null narrows nothing. */
const CHOSEN = `(:id IS NULL OR ${ID} = :id) AND (:principal IS NULL OR principal = :principal)`;
const LIST = `SELECT ${ID} AS id, principal, created, used, state FROM sessions JOIN states USING (hash)
  WHERE used > :since AND ${CHOSEN} ORDER BY used DESC, id`;
/** So many at a time: a server that wants to write does not wait for all of them. */
const END_AT_ONCE = 500;
const deletion = (condition: string): string =>
  `DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE ${condition} LIMIT ${END_AT_ONCE})`;

/** @throws SandboxError ERR_SESSION_STORE when the file is not one of ours, is of a newer version or cannot be used */
export function openSessionRegister({ file, sessionTtlMs, now = Date.now }: SessionRegisterOptions): SessionRegister {
  const db = attempt(file, () => openDatabase({ file, migrations: MIGRATIONS }));
  const parameters = (choice: SessionChoice): Record<string, string | number | null> => ({
    since: now() - sessionTtlMs,
    id: choice !== 'all' && 'id' in choice ? choice.id : null,
    principal: choice !== 'all' && 'principal' in choice ? choice.principal : null,
  });
  return {
    list: (choice) => listEntries(db, parameters(choice), sessionTtlMs),
    end: (choice) => attempt(file, () => endSessions(db, parameters(choice))),
    close: () => db.close(),
  };
}

function* listEntries(db: DatabaseSync, parameters: Record<string, string | number | null>, sessionTtlMs: number): Iterable<SessionEntry> {
  for (const row of db.prepare(LIST).iterate(parameters)) {
    const used = Number(row['used']);
    yield {
      id: String(row['id']),
      principal: String(row['principal']),
      created: Number(row['created']),
      used,
      expires: used + sessionTtlMs,
      state: String(row['state']),
    };
  }
}

function endSessions(db: DatabaseSync, parameters: Record<string, string | number | null>): number {
  const { since, ...choice } = parameters;
  // Those whose time is over have ended already: what is left of them goes, and they do not count.
  deleteAll(db, deletion('used <= :since'), { since: since ?? null });
  return deleteAll(db, deletion(CHOSEN), choice);
}

function deleteAll(db: DatabaseSync, sql: string, parameters: Record<string, string | number | null>): number {
  const statement = db.prepare(sql);
  let deleted = 0;
  for (;;) {
    const changes = Number(transact(db, () => statement.run(parameters)).changes);
    deleted += changes;
    if (changes < END_AT_ONCE) return deleted;
  }
}

function attempt<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw cause instanceof SandboxError ? cause : openingError(file, cause);
  }
}
