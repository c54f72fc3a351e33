import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openExecutionRegister } from '../../src/execution/execution-register.ts';
import { LIMITS } from '../../src/limits.ts';
import type { ServerFolder } from '../server.ts';

const STORES = ['executions.db', 'sessions.db', 'audit.db'];

/** The keys of the programs of executions, by id. What was not sent by a client of the kill test has none. */
export function keysOf({ cache }: ServerFolder, ids: Iterable<string>): Map<string, string> {
  const { maxRecordBytes, maxStoredBytes, executionTtlMs } = LIMITS;
  const limits = {
    maxRecordBytes: maxRecordBytes.default,
    maxStoredBytes: maxStoredBytes.default,
    executionTtlMs: executionTtlMs.default,
  };
  using register = openExecutionRegister(join(cache, 'executions.db'), limits);
  const keys = new Map<string, string>();
  for (const id of ids) {
    const { input } = JSON.parse(register.read(id)?.request ?? '{}') as { input?: { key?: string } };
    if (input?.key !== undefined) keys.set(id, input.key);
  }
  return keys;
}

/** What is wrong with the files of the stores, by SQLite's own check. */
export function damagedStores({ cache }: ServerFolder): string[] {
  return STORES.flatMap((name) => {
    const db = new DatabaseSync(join(cache, name), { readOnly: true });
    const found = db
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => String(row['integrity_check']));
    db.close();
    return found.join() === 'ok' ? [] : [`${name}: ${found.join('; ')}`];
  });
}
