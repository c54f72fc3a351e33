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
 * Until when all runs that had ended then have the lines of their ends: a server that was killed later did not live to write the last ones. What those
 * wrote that were started since says nothing about that. Undefined where there were no lines at all: then nobody knows since when there is an audit.
 * @param file of the audit's database
 * @param startedAt when the one that asks was, in milliseconds since 1970
 * @throws Error when it cannot be read
 */
export function toldUntil(file: string, startedAt: number): number | undefined {
  return reading(file, (db) => {
    const last = db.prepare('SELECT max(time) AS time FROM lines WHERE time < ?').get(startedAt)?.['time'];
    return typeof last === 'number' ? last - APART_MS : undefined;
  });
}

/** Of runs those that have no line of their end. @param file of the audit's database @throws Error when it cannot be read */
export function runsWithoutEnd<T extends EndedRun>(file: string, ended: readonly T[]): T[] {
  if (ended.length === 0) return [];
  return reading(file, (db) => {
    const told = toldSince(db, Math.min(...ended.map(({ endedAt }) => endedAt)) - APART_MS);
    return ended.filter(({ id }) => !told.has(id));
  });
}

function reading<T>(file: string, work: (db: DatabaseSync) => T): T {
  const db = openReadable({ file, migrations: MIGRATIONS });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

function toldSince(db: DatabaseSync, time: number): ReadonlySet<unknown> {
  const rows = db.prepare("SELECT execution FROM lines WHERE time >= ? AND kind = 'run'").all(time);
  return new Set(rows.map(({ execution }) => execution));
}
