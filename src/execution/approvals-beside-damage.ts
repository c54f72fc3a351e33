import type { SQLInputValue } from 'node:sqlite';
import { toSandboxError } from '../errors.ts';
import { openReadable } from '../store/readable-database.ts';
import { storeError } from './execution-errors.ts';
import type { ExecutionStore, StoredApproval } from './execution-store.ts';
import { BEFORE, MIGRATIONS } from './store/store-schema.ts';

/** The questions of a store that are open: those that can be read, and those that are not what was written. */
export interface ApprovalsBesideDamage {
  /** The oldest first. */
  readonly whole: readonly StoredApproval[];
  readonly damaged: readonly ApprovalIds[];
}

export interface ApprovalIds {
  readonly id: string;
  readonly executionId: string;
}

/** One that is damaged hides no other. @param file of the store @throws SandboxError ERR_EXECUTION_STORE */
export async function approvalsBesideDamage(store: ExecutionStore, file: string): Promise<ApprovalsBesideDamage> {
  try {
    return { whole: await store.approvals(), damaged: [] };
  } catch (error) {
    if (!isDamaged(error)) throw error;
  }
  const [whole, damaged]: [StoredApproval[], ApprovalIds[]] = [[], []];
  for (const ids of openIds(file)) {
    try {
      const read = await store.approval(ids.id);
      // It may have been decided, or gone, meanwhile.
      if (read !== undefined && read.decision === undefined) whole.push(read);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      damaged.push(ids);
    }
  }
  return { whole, damaged };
}

/** Ids of questions that begin with a text, open or not, at most so many; the open ones are first. */
export function approvalIdsFrom(file: string, beginning: string, most: number): string[] {
  // No character of an id comes behind it.
  return idsIn(file, FROM, beginning, `${beginning}\uffff`, most).map(({ id }) => id);
}

function openIds(file: string): ApprovalIds[] {
  return idsIn(file, OPEN);
}

/** The ids are in columns of their own, and so they are there whatever has become of the rest. */
function idsIn(file: string, condition: string, ...parameters: SQLInputValue[]): ApprovalIds[] {
  try {
    const db = openReadable({ file, migrations: MIGRATIONS, before: BEFORE });
    try {
      const rows = db.prepare(`${IDS} WHERE ${condition}`).all(...parameters);
      return rows.map(({ id, executionId }) => ({ id: String(id), executionId: String(executionId) }));
    } finally {
      db.close();
    }
  } catch (cause) {
    throw storeError(cause);
  }
}

const IDS = 'SELECT approvals.id, executions.id AS executionId FROM approvals JOIN executions ON executions.n = execution';
const OPEN = 'isOpen = 1 ORDER BY asked, approvals.n';
const FROM = 'approvals.id >= ? AND approvals.id < ? ORDER BY isOpen DESC, approvals.n LIMIT ?';

function isDamaged(error: unknown): boolean {
  return toSandboxError(error).code === 'ERR_EXECUTION_DAMAGED';
}
