import { DatabaseSync } from 'node:sqlite';
import type { SandboxError } from '../../errors.ts';
import { transact } from '../../store/database.ts';
import { storeError } from '../execution-errors.ts';
import { KeptRecord } from '../kept-record.ts';
import { ExecutionParts, type Statements } from './execution-parts.ts';
import { prepareAll } from './execution-tables.ts';
import { HeldSums } from './held-sums.ts';
import { HeldRows } from './live-rows.ts';
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
  readonly #rows: HeldRows;
  readonly #sums: HeldSums;
  readonly #run: Statements;
  #version: unknown;
  #now = 0;

  /** @throws Error when the database cannot be used just now */
  constructor({ file, group, limits, owner }: DirectConnectionOptions) {
    this.#db = new DatabaseSync(file, { timeout: 0 });
    try {
      this.#db.exec(PRAGMAS);
      const run = (this.#run = prepareAll(this.#db));
      const parts = new ExecutionParts(run);
      const rows = (this.#rows = new HeldRows(run));
      this.#sums = new HeldSums(run);
      const open = (this.#open = new OpenBytes(this.#sums, limits.maxStoredBytes));
      const record = new KeptRecord(parts, limits.maxRecordBytes, open);
      const [self, now] = [() => owner, () => this.#now];
      this.#writes = new ExecutionWrites({ run, rows, parts, record, open, group, owner: self, makeRoom: noImages, now });
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Writes all of it in one transaction. @param now - milliseconds since 1970 @returns what each gives; undefined when nothing is written, whatever the reason is */
  write(requests: readonly StoreRequest[], now: number): unknown[] | undefined {
    this.#now = now;
    try {
      return transact(this.#db, () => this.#doAll(requests));
    } catch {
      this.#releaseAll();
      return undefined;
    }
  }

  #doAll(requests: readonly StoreRequest[]): unknown[] {
    this.#releaseOld();
    const values = requests.map((request) => this.#do(request));
    this.#rows.save();
    this.#sums.save();
    return values;
  }

  /** Whoever has written since may own what is held: a process whose owner's file was taken away is told so before it makes another call. */
  #releaseOld(): void {
    const version = this.#run.version.get()?.['data_version'];
    if (version !== this.#version) this.#releaseAll();
    this.#version = version;
  }

  #releaseAll(): void {
    this.#rows.releaseAll();
    this.#sums.release();
  }

  /** Another connection is about to write about an execution. */
  release(id: string): void {
    this.#rows.release(id);
  }

  /** Why a principal may not begin another execution, as far as is known just now. */
  refuseBegin(principal: string): SandboxError | undefined {
    try {
      this.#releaseOld();
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
