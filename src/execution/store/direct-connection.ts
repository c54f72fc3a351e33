import { DatabaseSync } from 'node:sqlite';
import type { SandboxError } from '../../errors.ts';
import { transact } from '../../store/database.ts';
import { storeError } from '../execution-errors.ts';
import { KeptRecord } from '../kept-record.ts';
import { ExecutionParts } from './execution-parts.ts';
import { prepareAll } from './execution-tables.ts';
import { OpenBytes } from './open-bytes.ts';
import { ExecutionWrites } from './execution-writes.ts';
import type { StoreRequest } from './store-protocol.ts';
import { isTold, tell } from './store-work.ts';

/** The log is written back by the store's thread, which may wait for the disk. As elsewhere, what is written survives the end of every process. */
const PRAGMAS = 'PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -1024';

export interface DirectConnectionOptions {
  /** A database that the store's thread has opened. */
  readonly file: string;
  readonly group: string;
  readonly limits: { readonly maxRecordBytes: number; readonly maxStoredBytes: number };
  /** The store's, which is alive to other processes for as long as its thread is. */
  readonly owner: string;
}

/** A second connection to the database of executions, for small writes of the gateway's own thread. It waits for nobody. */
export class DirectConnection {
  readonly #db: DatabaseSync;
  readonly #writes: ExecutionWrites;
  readonly #open: OpenBytes;
  #now = 0;

  /** @throws Error when the database cannot be used just now */
  constructor({ file, group, limits, owner }: DirectConnectionOptions) {
    this.#db = new DatabaseSync(file, { timeout: 0 });
    try {
      this.#db.exec(PRAGMAS);
      const run = prepareAll(this.#db);
      const parts = new ExecutionParts(run);
      const open = (this.#open = new OpenBytes(run, limits.maxStoredBytes));
      const record = new KeptRecord(parts, limits.maxRecordBytes, open);
      this.#writes = new ExecutionWrites({ run, parts, record, open, group, owner: () => owner, makeRoom: noImages, now: () => this.#now });
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Writes all of it in one transaction. @param now - milliseconds since 1970 @returns what each gives; undefined when nothing is written, whatever the reason is */
  write(requests: readonly StoreRequest[], now: number): unknown[] | undefined {
    this.#now = now;
    try {
      return transact(this.#db, () => requests.map((request) => this.#do(request)));
    } catch {
      return undefined;
    }
  }

  /** Why a principal may not begin another execution, as far as is known just now. */
  refuseBegin(principal: string): SandboxError | undefined {
    try {
      return this.#open.refuseBegin(principal);
    } catch {
      // What is wrong with the file is told when something is written.
      return undefined;
    }
  }

  #do({ method, parameters }: StoreRequest): unknown {
    if (!isTold(method)) throw new TypeError(`${method} is not written here`);
    return tell(this.#writes, method, parameters);
  }

  close(): void {
    this.#db.close();
  }
}

function noImages(): never {
  throw storeError(new Error('an image is not written here'));
}
