import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openDatabase, transact } from '../store/database.ts';
import type { AuditLine } from './audit-event.ts';
import { MIGRATIONS, STATEMENTS } from './audit-schema.ts';

/** What a line takes beside its texts: row, indexes and their pages, in bytes. */
const ROW_BYTES = 120;
/** Another process that writes holds this one up for so long at most: what could not be written is tried again. */
const BUSY_TIMEOUT_MS = 250;

export interface AuditStoreOptions {
  /** Path of the database. */
  readonly file: string;
  /** Lines older than this go, in milliseconds. */
  readonly retentionMs: number;
  readonly maxBytes: number;
  /** Whether a write is on the disk when it comes back, also if the machine stops. Default: after a moment. */
  readonly durable?: boolean;
}

/** The database of lines. */
export interface AuditStore {
  /** Writes lines, all or none. @throws the error of SQLite */
  write(lines: readonly AuditLine[]): void;
  /** Removes some lines that are too old or too many. @returns whether there may be more of them */
  prune(now: number): boolean;
  close(): void;
}

/** @throws Error when the file is damaged, none of ours, of a newer version, or cannot be used */
export function openAuditStore({ file, retentionMs, maxBytes, durable = false }: AuditStoreOptions): AuditStore {
  const db = openDatabase({ file, migrations: MIGRATIONS });
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; ${durable ? 'PRAGMA synchronous = FULL;' : ''}`);
    const run = prepareAll(db);
    return {
      write: (lines) => transact(db, () => writeLines(run, lines)),
      prune: (now) => transact(db, () => pruneSome(run, now - retentionMs, maxBytes)),
      close: () => db.close(),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

type Statements = Record<keyof typeof STATEMENTS, StatementSync>;

function prepareAll(db: DatabaseSync): Statements {
  const entries = Object.entries(STATEMENTS).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(entries) as Statements;
}

function writeLines(run: Statements, lines: readonly AuditLine[]): void {
  const grown = new Map<string, number>();
  for (const { time, kind, principal = '', execution = null, server = null, tool = null, code = null, ...rest } of lines) {
    const more = JSON.stringify(rest);
    const texts = [principal, execution, server, tool, code, more];
    const bytes = texts.reduce((sum, text) => sum + (text?.length ?? 0), ROW_BYTES);
    run.add.run(time, kind, principal, execution, server, tool, code, more, bytes);
    grown.set(principal, (grown.get(principal) ?? 0) + bytes);
  }
  for (const [principal, bytes] of grown) run.grow.run(principal, bytes);
}

/** Those whose time is over; then, while there is too much, the oldest of whoever has most: nobody can push out what others did. */
function pruneSome(run: Statements, before: number, maxBytes: number): boolean {
  const gone = run.expired.all(before);
  if (gone.length === 0 && Number(run.total.get()?.['bytes']) > maxBytes) {
    const most = run.most.get()?.['principal'];
    if (typeof most === 'string') gone.push(...run.oldest.all(most));
  }
  const shrunk = new Map<string, number>();
  for (const { principal, bytes } of gone) shrunk.set(String(principal), (shrunk.get(String(principal)) ?? 0) + Number(bytes));
  for (const [principal, bytes] of shrunk) run.grow.run(principal, -bytes);
  if (shrunk.size > 0) run.forget.run();
  return gone.length > 0;
}
