import { SandboxError } from '../errors.ts';
import { openingError, storeError } from './execution-errors.ts';
import type { ExecutionFilter, ExecutionGlance, ExecutionSummary, StoredApproval, StoredExecution } from './execution-store.ts';
import { ExecutionTables, type TablesOptions } from './store/execution-tables.ts';

/** The name of the file of executions, for servers and the command line. */
export const EXECUTIONS_DATABASE = 'executions.db';

/** All executions of a file, for its operator, on a disk that takes no writes too. All methods throw SandboxError ERR_EXECUTION_STORE. */
export interface ExecutionRegister extends Disposable {
  list(filter: ExecutionFilter): ExecutionSummary[];
  /** @throws SandboxError ERR_EXECUTION_DAMAGED */
  read(id: string): StoredExecution | undefined;
  /** Whether it has ended, and how: without reading what it did. @throws SandboxError ERR_EXECUTION_DAMAGED */
  glance(id: string): ExecutionGlance | undefined;
  approvals(id: string): StoredApproval[];
  /** Asks whoever carries the execution on to end it. @returns false when it has ended, or there is none */
  requestCancel(id: string): boolean;
}

/** @throws SandboxError ERR_EXECUTION_STORE when the file is none of ours, is of a newer version or cannot be used */
export function openExecutionRegister(file: string, limits: TablesOptions['limits']): ExecutionRegister {
  let tables: ExecutionTables;
  try {
    tables = new ExecutionTables({ file, group: '', limits, isForReading: true });
  } catch (cause) {
    throw openingError(file, cause);
  }
  return {
    list: (filter) => guarded(() => tables.reads.list(filter)),
    read: (id) => guarded(() => tables.reads.read(id)),
    glance: (id) => guarded(() => tables.reads.glance(id)),
    approvals: (id) => guarded(() => tables.approvals.of(id)),
    requestCancel: (id) => guarded(() => tables.transact(() => tables.requestCancel(id))),
    [Symbol.dispose]: () => tables.close(),
  };
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw cause instanceof SandboxError ? cause : storeError(cause);
  }
}
