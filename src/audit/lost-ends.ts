import type { DatabaseSync } from 'node:sqlite';
import { openReadable } from '../store/readable-database.ts';
import { MIGRATIONS } from './audit-schema.ts';

/** Lines of several servers come in any order, and each a moment after what it tells, in milliseconds. */
const APART_MS = 60_000;

export interface EndedRun {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
}

/**
 * Of runs those that ended about when the last line was written, or later, and have no line of their end: their server was killed before it wrote that.
 * None where there are no lines at all: then nobody knows since when there is an audit.
 * @param file of the audit's database @throws Error when it cannot be read
 */
export function runsWithoutEnd<T extends EndedRun>(file: string, ended: readonly T[]): T[] {
  const db = openReadable({ file, migrations: MIGRATIONS });
  try {
    const last = db.prepare('SELECT max(time) AS time FROM lines').get()?.['time'];
    if (typeof last !== 'number') return [];
    const late = ended.filter(({ endedAt }) => endedAt >= last - APART_MS);
    if (late.length === 0) return [];
    const told = toldSince(db, Math.min(...late.map(({ endedAt }) => endedAt)) - APART_MS);
    return late.filter(({ id }) => !told.has(id));
  } finally {
    db.close();
  }
}

function toldSince(db: DatabaseSync, time: number): ReadonlySet<unknown> {
  const rows = db.prepare("SELECT execution FROM lines WHERE time >= ? AND kind = 'run'").all(time);
  return new Set(rows.map(({ execution }) => execution));
}
