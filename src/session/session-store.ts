import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { SandboxError } from '../errors.ts';
import { GroupedWrites } from './grouped-writes.ts';
import { hashHandle, isHandle, mintHandle } from './handle.ts';
import { SCHEMA, SCHEMA_VERSION, STATEMENTS } from './session-schema.ts';

/** How long one process waits for another that writes to the same file, in milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

export interface SessionStoreOptions {
  /** Path of the database. Default: in memory, gone when the process ends. */
  readonly file?: string;
  /** Past this many, the session that was used longest ago goes. */
  readonly maxSessions: number;
  /** A handle ends this long after its last use, in milliseconds. */
  readonly sessionTtlMs: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A session's state as it was when it was opened. */
export interface Session {
  readonly handle: string;
  /** JSON text. */
  readonly state: string;
  /** Goes up with every change of the state. */
  readonly version: number;
  /** It has just been minted: nobody else knows it, and the store does not have it before it is committed. */
  readonly isNew: boolean;
}

export interface SessionStore {
  /**
   * Mints a session, or opens the one of `handle` and puts off its end.
   * @throws SandboxError ERR_SESSION_UNKNOWN, ERR_SESSION_STORE
   */
  open(handle?: string): Session;
  /**
   * Replaces the state, given that nobody else has since the session was opened; "" leaves it as it is. Either way the session is in
   * the store afterwards, and its end is put off. Commits that come together are written together. Resolves with the new version.
   * @throws SandboxError ERR_SESSION_UNKNOWN, ERR_SESSION_CONFLICT, ERR_SESSION_STORE
   */
  commit(session: Pick<Session, 'handle' | 'version' | 'isNew'>, state: string): Promise<number>;
  /** Ends the store; commits that are not written yet fail. */
  close(): void;
}

/**
 * Opens a store of session states. Sessions survive a restart when a file is given, and several processes may share it.
 * @throws SandboxError ERR_SESSION_STORE when the file is not one of ours or cannot be used.
 */
export function createSessionStore(options: SessionStoreOptions): SessionStore {
  const { sessionTtlMs, maxSessions, now = Date.now } = options;
  const db = openDatabase(options.file);
  const run = prepareAll(db);
  const find = (handle: string, time: number): Session => {
    const row = isHandle(handle) ? run.find.get(hashHandle(handle), time - sessionTtlMs) : undefined;
    if (!row) throw unknownSession(handle, sessionTtlMs);
    return { handle, state: String(row['state']), version: Number(row['version']), isNew: false };
  };
  const reopen = (handle: string): Session => {
    const time = now();
    const session = find(handle, time);
    run.touch.run(time, hashHandle(handle), time - sessionTtlMs);
    return session;
  };
  const add = (handle: string, state: string): number => {
    run.add.run(hashHandle(handle), state || '{}', state === '' ? 0 : 1, now());
    return state === '' ? 0 : 1;
  };
  const replace = (handle: string, version: number, state: string): number => {
    const time = now();
    const { changes } = run.commit.run(state, time, hashHandle(handle), version, time - sessionTtlMs);
    if (Number(changes) === 1) return version + 1;
    throw conflict(version, find(handle, time).version);
  };
  const makeRoom = (): void => {
    run.expire.run(now() - sessionTtlMs);
    const over = Number(run.total.get()?.['sessions']) - maxSessions;
    if (over > 0) run.evict.run(over);
  };
  const writes = new GroupedWrites((work) => guarded(() => transact(db, work)), makeRoom);
  return {
    open: (handle) =>
      handle === undefined ? { handle: mintHandle(), state: '{}', version: 0, isNew: true } : guarded(() => reopen(handle)),
    commit: ({ handle, version, isNew }, state) =>
      writes.add(() => {
        if (isNew) return add(handle, state);
        return state === '' ? reopen(handle).version : replace(handle, version, state);
      }),
    close: () => {
      writes.close(storeError());
      db.close();
    },
  };
}

function openDatabase(file: string | undefined): DatabaseSync {
  return guarded(() => {
    // States are private: the file is made readable for its owner alone before SQLite opens it.
    if (file !== undefined) closeSync(openSync(file, 'a', 0o600));
    const db = new DatabaseSync(file ?? ':memory:', { timeout: BUSY_TIMEOUT_MS });
    try {
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
      if (version !== 0 && version !== SCHEMA_VERSION) throw new Error(`schema version ${version}, expected ${SCHEMA_VERSION}`);
      if (version === 0) transact(db, () => db.exec(SCHEMA));
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

function prepareAll(db: DatabaseSync): Record<keyof typeof STATEMENTS, StatementSync> {
  return {
    add: db.prepare(STATEMENTS.add),
    find: db.prepare(STATEMENTS.find),
    touch: db.prepare(STATEMENTS.touch),
    commit: db.prepare(STATEMENTS.commit),
    expire: db.prepare(STATEMENTS.expire),
    total: db.prepare(STATEMENTS.total),
    evict: db.prepare(STATEMENTS.evict),
  };
}

/** Takes the write lock at once, so that two processes never both read first and then wait for each other. */
function transact(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SandboxError) throw cause;
    throw storeError(cause);
  }
}

function storeError(cause?: unknown): SandboxError {
  return new SandboxError('ERR_SESSION_STORE', 'The session store cannot be used at the moment.', { cause });
}

function unknownSession(handle: string, ttlMs: number): SandboxError {
  const shown = isHandle(handle) ? `${handle.slice(0, 10)}…` : 'given';
  const end = `A handle ends ${duration(ttlMs)} after its last use, or earlier when the server makes room.`;
  return new SandboxError('ERR_SESSION_UNKNOWN', `The session ${shown} does not exist. ${end}`);
}

function conflict(expected: number, found: number): SandboxError {
  const message = `The session's state was changed by another run (version ${found} instead of ${expected}); this run's changes were not kept.`;
  return new SandboxError('ERR_SESSION_CONFLICT', message);
}

function duration(ms: number): string {
  const units = [
    ['hours', 3_600_000],
    ['minutes', 60_000],
    ['seconds', 1_000],
  ] as const;
  for (const [name, size] of units) if (ms >= size) return `${Math.round((ms / size) * 10) / 10} ${name}`;
  return `${ms} ms`;
}
