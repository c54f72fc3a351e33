import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SandboxError } from '../errors.ts';
import { transact } from '../store/database.ts';
import { GroupedWrites } from '../store/grouped-writes.ts';
import { isDiskFailure, openReadable } from '../store/readable-database.ts';
import { hashHandle, isHandle, mintHandle } from './handle.ts';
import { mergeState, type Merge } from './merge-state.ts';
import { openingError, stateTooLarge, storeError, unknownSession } from './session-errors.ts';
import { MIGRATIONS, STATEMENTS } from './session-schema.ts';

/** So long at least it is remembered of every execution that it has committed. */
const COMMITS_KEPT_MS = 600_000;

export interface SessionStoreOptions {
  /** Path of the database. Default: in memory, gone when the process ends. */
  readonly file?: string;
  /** Past this many, the session that was used longest ago goes, of the principal that has most. */
  readonly maxSessions: number;
  /** A handle ends this long after its last use, in milliseconds. */
  readonly sessionTtlMs: number;
  /** Most bytes of a state that was merged from the changes of several runs. What one run leaves is bounded before it comes here. */
  readonly maxStateBytes: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A session's state as it was when it was opened. */
export interface Session {
  readonly handle: string;
  readonly principal: string;
  /** JSON text of an object. */
  readonly state: string;
  /** Goes up with every change of the state. */
  readonly version: number;
  /** It has just been minted: nobody else knows it, and the store does not have it before it is committed. */
  readonly isNew: boolean;
}

export interface SessionStore {
  /** Mints a session for a principal. Nothing is written before it is committed. */
  mint(principal: string): Session;
  /**
   * Opens the session of `handle` and puts off its end. Another principal's is as unknown as one that never was.
   * @throws SandboxError ERR_SESSION_UNKNOWN, ERR_SESSION_STORE
   */
  open(handle: string, principal: string): Session;
  /**
   * Changes the state to `state`, or leaves it as it is for "". What others have changed since the session was opened stays; see
   * `mergeState`. Either way the session is in the store afterwards, and its end is put off. Commits that come together are written
   * together. Resolves with the version that is stored.
   * @param execution whose end it is: a second commit of the same one changes nothing, whatever others have changed since
   * @throws SandboxError ERR_SESSION_UNKNOWN, ERR_SESSION_CONFLICT, ERR_SESSION_STORE, ERR_EXECUTE_RESULT_TOO_LARGE for a merged state
   */
  commit(session: Session, state: string, execution?: string): Promise<number>;
  /** Puts off the end of a session whose run goes on. @returns whether it has one still @throws SandboxError ERR_SESSION_STORE */
  keepAlive(handle: string): boolean;
  /** Ends the store; commits that are not written yet fail. */
  close(): void;
}

/**
 * Opens a store of session states. Sessions survive a restart when a file is given, and several processes may share it.
 * @throws SandboxError ERR_SESSION_STORE when the file is not one of ours, is of a newer version or cannot be used.
 */
export function createSessionStore(options: SessionStoreOptions): SessionStore {
  const { file, sessionTtlMs, maxSessions, maxStateBytes, now = Date.now } = options;
  const db = openFile(file);
  const run = prepareAll(db);
  const unknown = (handle: string): SandboxError => unknownSession(handle, sessionTtlMs);
  const find = (statement: StatementSync, handle: string, principal: string): Record<string, unknown> => {
    const row = isHandle(handle) ? statement.get(hashHandle(handle), principal, now() - sessionTtlMs) : undefined;
    if (!row) throw unknown(handle);
    return row;
  };
  const reopen = (handle: string, principal: string): Session => {
    const { version, state } = find(run.find, handle, principal);
    // It may have been ended between the two statements.
    if (!touch(() => run.touch.run(now(), hashHandle(handle)))) throw unknown(handle);
    return { handle, principal, state: String(state), version: Number(version), isNew: false };
  };
  const add = ({ handle, principal }: Session, state: string): number => {
    const [hash, version, time] = [hashHandle(handle), state === '' ? 0 : 1, now()];
    run.add.run(hash, principal, version, time, time);
    run.addState.run(hash, state || '{}');
    return version;
  };
  const change = ({ handle, principal, version, state: base }: Session, changed: string): number => {
    const hash = hashHandle(handle);
    const present = Number(find(run.version, handle, principal)['version']);
    if (changed === '') {
      run.touch.run(now(), hash);
      return present;
    }
    // Nearly always nobody was faster, and nothing has to be parsed.
    const next = present === version ? changed : merge({ base, changed, present: String(run.state.get(hash)?.['state']) });
    run.change.run(now(), hash);
    run.changeState.run(next, hash);
    return present + 1;
  };
  const merge = (states: Merge): string => {
    const merged = mergeState(states);
    const bytes = Buffer.byteLength(merged);
    if (bytes > maxStateBytes) throw stateTooLarge(bytes, maxStateBytes);
    return merged;
  };
  const makeRoom = (): void => {
    run.expire.run(now() - sessionTtlMs);
    for (let over = Number(run.total.get()?.['sessions']) - maxSessions; over > 0; over--) run.evict.run();
  };
  const writes = new GroupedWrites({ transact: (work) => guarded(() => transact(db, work)), after: makeRoom });
  return {
    mint: (principal) => ({ handle: mintHandle(), principal, state: '{}', version: 0, isNew: true }),
    open: (handle, principal) => guarded(() => reopen(handle, principal)),
    commit: (session, state, execution) => {
      const write = (): number => (session.isNew ? add(session, state) : change(session, state));
      return writes.add(execution === undefined ? write : () => commitOnce(run, hashHandle(session.handle), execution, now(), write));
    },
    keepAlive: (handle) => isHandle(handle) && guarded(() => touch(() => run.touch.run(now(), hashHandle(handle)))),
    close: () => {
      writes.close(storeError());
      db.close();
    },
  };
}

type Statements = Record<keyof typeof STATEMENTS, StatementSync>;

/** Writes what an execution has changed, unless it has been written before. @returns the version that it led to */
function commitOnce(run: Statements, hash: Uint8Array, execution: string, time: number, write: () => number): number {
  const before = run.committed.get(execution, hash);
  if (before !== undefined) return Number(before['version']);
  const version = write();
  run.noteCommit.run(execution, hash, version, time);
  run.forgetCommits.run(hash, time - COMMITS_KEPT_MS);
  return version;
}

/** Puts off the end of a session. False when it has none any more. */
function touch(update: () => { readonly changes: number | bigint }): boolean {
  try {
    return Number(update().changes) > 0;
  } catch (error) {
    // On a full or read-only disk no end is put off, and the state can still be read: what cannot be kept is said when it is to be.
    if (isDiskFailure(error)) return true;
    throw error;
  }
}

function openFile(file: string | undefined): DatabaseSync {
  try {
    return openReadable({ file, migrations: MIGRATIONS });
  } catch (cause) {
    throw openingError(file, cause);
  }
}

function prepareAll(db: DatabaseSync): Statements {
  return {
    add: db.prepare(STATEMENTS.add),
    addState: db.prepare(STATEMENTS.addState),
    find: db.prepare(STATEMENTS.find),
    version: db.prepare(STATEMENTS.version),
    state: db.prepare(STATEMENTS.state),
    touch: db.prepare(STATEMENTS.touch),
    change: db.prepare(STATEMENTS.change),
    changeState: db.prepare(STATEMENTS.changeState),
    committed: db.prepare(STATEMENTS.committed),
    noteCommit: db.prepare(STATEMENTS.noteCommit),
    forgetCommits: db.prepare(STATEMENTS.forgetCommits),
    expire: db.prepare(STATEMENTS.expire),
    total: db.prepare(STATEMENTS.total),
    evict: db.prepare(STATEMENTS.evict),
  };
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof SandboxError) throw cause;
    throw storeError(cause);
  }
}
