import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openDatabase, snapshot, transact, type DatabaseForm } from '../../store/database.ts';
import { openReadable } from '../../store/readable-database.ts';
import { ApprovalRows } from './approval-rows.ts';
import { ExecutionParts, type Statements } from './execution-parts.ts';
import { ExecutionReads } from './execution-reads.ts';
import { findRow } from './execution-rows.ts';
import { ExecutionWrites } from './execution-writes.ts';
import { KeptRecord } from '../kept-record.ts';
import { StoredSums } from './held-sums.ts';
import { StoredRows } from './live-rows.ts';
import { OpenBytes } from './open-bytes.ts';
import { Owners } from '../owners.ts';
import { StoreClaims } from './store-claims.ts';
import { BEFORE, COUNT_OPEN, MIGRATIONS, STATEMENTS } from './store-schema.ts';
import { StoreUpkeep, type UpkeepLimits } from './store-upkeep.ts';

export interface TablesOptions {
  /** Path of the database. Default: in memory, gone when the process ends. */
  readonly file?: string | undefined;
  /** Only executions of the same group are claimed. */
  readonly group: string;
  readonly limits: UpkeepLimits & { readonly maxRecordBytes: number };
  /** Whether it is enough to read, on a disk that takes no writes. Default: no. */
  readonly isForReading?: boolean;
}

/** The database of executions, as one thread uses it. Its clock is that of whoever asks. */
export class ExecutionTables {
  readonly writes: ExecutionWrites;
  readonly reads: ExecutionReads;
  readonly approvals: ApprovalRows;
  readonly claims: StoreClaims;
  readonly upkeep: StoreUpkeep;
  readonly #db: DatabaseSync;
  readonly #run: Statements;
  readonly #owners: Owners;
  #now = 0;
  #seen: unknown;
  #lastDecided = 0;

  /** @throws Error as `openDatabase` */
  constructor({ file, group, limits, isForReading = false }: TablesOptions) {
    this.#db = isForReading ? openReadable(formOf(file)) : openExecutionsDatabase(file);
    try {
      this.#run = prepareAll(this.#db);
      if (!isForReading) this.#countOpen();
      this.#owners = new Owners(file === undefined ? undefined : `${file}-owners`);
      const parts = new ExecutionParts(this.#run);
      this.upkeep = new StoreUpkeep(this.#db, this.#run, limits);
      this.reads = new ExecutionReads(this.#run, parts, (work) => snapshot(this.#db, work));
      const open = new OpenBytes(new StoredSums(this.#run), limits.maxStoredBytes);
      this.approvals = new ApprovalRows(this.#run, this.#owners.id, open);
      this.claims = new StoreClaims(this.#run, this.#owners, group);
      this.writes = new ExecutionWrites({
        run: this.#run,
        rows: new StoredRows(this.#run),
        parts,
        record: new KeptRecord(parts, limits.maxRecordBytes, open),
        open,
        group,
        owner: () => this.#owners.own(),
        makeRoom: (bytes) => this.upkeep.makeRoom(bytes, this.#now),
        now: () => this.#now,
      });
      this.#seen = this.#version();
      this.#lastDecided = this.approvals.last();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** An older version that still ran when the tables were changed has written past the sums. */
  #countOpen(): void {
    if (this.#run.isCounted.get()?.['isCounted'] === 1) return;
    try {
      this.transact(() => this.#db.exec(COUNT_OPEN));
    } catch {
      // Somebody else writes, or the disk is full: the sums are right but for what was written past them.
    }
  }

  /** Milliseconds since 1970, for what is written next. */
  setClock(now: number): void {
    this.#now = now;
  }

  /** Whose what is created here is; undefined as long as it owns nothing. */
  get owner(): string | undefined {
    return this.#owners.isOwner ? this.#owners.id : undefined;
  }

  transact<T>(work: () => T): T {
    return transact(this.#db, work);
  }

  requestCancel(id: string): boolean {
    const row = findRow(this.#run.find, id);
    if (row === undefined || row.ended !== null) return false;
    this.#run.askCancel.run(row.n);
    return true;
  }

  /** What other processes have decided and want since it was asked last. Costs microseconds when no other process has written anything. */
  news(): { readonly decisions: ReturnType<ApprovalRows['since']>; readonly cancels: string[] } {
    const version = this.#version();
    if (version === this.#seen) return { decisions: [], cancels: [] };
    const news = { decisions: this.#decisions(), cancels: this.claims.newCancels() };
    this.#seen = version;
    return news;
  }

  /** Gives up what it owns, and closes. */
  close(): void {
    try {
      if (this.#owners.isOwner) this.transact(() => this.claims.release());
    } catch {
      // A full disk, say. Without its lock this owner is dead to all others, who take over what it had.
    } finally {
      this.#db.close();
      this.#owners.close();
    }
  }

  #decisions(): ReturnType<ApprovalRows['since']> {
    const last = this.approvals.last();
    const decided = this.approvals.since(this.#lastDecided, this.#owners.id);
    this.#lastDecided = last;
    return decided;
  }

  #version(): unknown {
    return this.#run.version.get()?.['data_version'];
  }
}

/** @throws Error as `openDatabase` */
export function openExecutionsDatabase(file: string | undefined, migrations: readonly string[] = MIGRATIONS): DatabaseSync {
  return openDatabase(formOf(file, migrations));
}

function formOf(file: string | undefined, migrations: readonly string[] = MIGRATIONS): DatabaseForm {
  return { file, migrations, before: BEFORE };
}

/** @throws Error when a statement does not fit the tables */
export function prepareAll(db: DatabaseSync): Statements {
  const entries = Object.entries(STATEMENTS).map(([name, sql]) => [name, db.prepare(sql)] as const);
  const statements = Object.fromEntries(entries) as Record<keyof typeof STATEMENTS, StatementSync>; // the same names
  statements.find.setReturnArrays(true);
  return statements;
}
