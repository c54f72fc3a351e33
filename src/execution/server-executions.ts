import { renameSync } from 'node:fs';
import { NewerVersion } from '../store/database.ts';
import { isDamage } from '../store/replaceable-database.ts';
import { SandboxError } from '../errors.ts';
import type { ExecutionStore } from './execution-store.ts';
import { openExecutions, type ExecutionStoreOptions } from './store/sqlite-executions.ts';

export interface ServerStoreOptions extends ExecutionStoreOptions {
  readonly file: string;
  readonly log: { warn(fields: object, message: string): void };
}

/**
 * The store of a server, which has to run programs whatever is wrong with a file. One that is damaged is put aside, and a new one begins. One
 * that cannot be used (a full or read-only disk, another kind of file, somebody who keeps it locked) is left as it is, and nothing is kept: each run
 * ends with its process, and no answer may promise anything else. Both are logged.
 * @returns undefined when nothing can be kept
 * @throws SandboxError ERR_EXECUTION_STORE when a newer version of Ampoule wrote the file: what waits in it waits for that one
 */
export function openServerExecutions(options: ServerStoreOptions): ExecutionStore | undefined {
  try {
    return openExecutions(options);
  } catch (error) {
    const cause = error instanceof SandboxError ? error.cause : error;
    if (cause instanceof NewerVersion) throw error;
    const store = isDamage(cause) ? replaced(options, cause) : undefined;
    if (store === undefined) options.log.warn({ err: error, file: options.file }, 'Executions cannot be kept: each ends with this process');
    return store;
  }
}

/** A damaged file is evidence, and perhaps somebody can save what is in it. */
function replaced(options: ServerStoreOptions, err: unknown): ExecutionStore | undefined {
  const { file, log, now = Date.now } = options;
  const aside = `${file}.damaged-${now()}`;
  try {
    for (const end of ['', '-wal', '-shm']) moveAway(`${file}${end}`, `${aside}${end}`);
    const store = openExecutions(options);
    log.warn(
      { err, file: aside },
      'The database of executions is damaged: it was put aside, and a new one begins. Runs that waited in it do not go on',
    );
    return store;
  } catch {
    return undefined;
  }
}

function moveAway(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // What SQLite keeps beside a database is not always there.
  }
}
