import type { Statements } from './execution-parts.ts';
import { findRow, savedRow, type ExecutionRow } from './execution-rows.ts';

/** The rows of executions as those who write about them have them. */
export interface LiveRows {
  /** A row that was just added. */
  added(row: ExecutionRow): void;
  /** The row of an id; undefined when there is none. @throws SandboxError ERR_EXECUTION_DAMAGED */
  find(id: string): ExecutionRow | undefined;
  /** It has changed. */
  changed(row: ExecutionRow): void;
  /** It has ended: it changes no more. */
  ended(row: ExecutionRow): void;
}

/** Rows that others may write as well: each is read when it is needed, and written when it has changed. */
export class StoredRows implements LiveRows {
  readonly #run: Statements;

  constructor(run: Statements) {
    this.#run = run;
  }

  added(): void {
    // It is there.
  }

  find(id: string): ExecutionRow | undefined {
    return findRow(this.#run.find, id);
  }

  changed(row: ExecutionRow): void {
    this.#run.save.run(...savedRow(row));
  }

  ended(): void {
    // Nothing is held of it.
  }
}

/**
 * Rows that nobody else writes for as long as they are held: each is read once, and written once for all that a transaction changes of it. To find and to
 * save one costs as much as what is written about it, and there is more than one write about an execution in a transaction.
 */
export class HeldRows implements LiveRows {
  readonly #run: Statements;
  readonly #held = new Map<string, ExecutionRow>();
  readonly #changed = new Set<ExecutionRow>();

  constructor(run: Statements) {
    this.#run = run;
  }

  added(row: ExecutionRow): void {
    this.#held.set(row.id, row);
  }

  find(id: string): ExecutionRow | undefined {
    const held = this.#held.get(id);
    if (held !== undefined) return held;
    const found = findRow(this.#run.find, id);
    if (found?.ended === null) this.#held.set(id, found);
    return found;
  }

  changed(row: ExecutionRow): void {
    this.#changed.add(row);
  }

  ended(row: ExecutionRow): void {
    this.#changed.delete(row);
    this.#held.delete(row.id);
  }

  /** Writes what has changed: the last of a transaction. */
  save(): void {
    for (const row of this.#changed) this.#run.save.run(...savedRow(row));
    this.#changed.clear();
  }

  /** Somebody else is about to write it. */
  release(id: string): void {
    this.#held.delete(id);
  }

  /** Nothing of the transaction was written: what is held is not what is stored. */
  releaseAll(): void {
    this.#changed.clear();
    this.#held.clear();
  }
}
