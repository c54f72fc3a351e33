import type { SandboxError } from '../../errors.ts';
import { noShare } from '../execution-errors.ts';
import { heldBytes, type ExecutionRow } from './execution-rows.ts';
import type { OpenSums } from './held-sums.ts';

/** What executions may grow to that were let in, in parts of what is free then: to three quarters of all, where nobody else has any. */
const GROWTH = 3;

/**
 * What executions that have not ended hold together, within `maxStoredBytes`, and of each principal within its share. They are never dropped, so
 * - none begins when what its principal's hold is as much as is still free;
 * - what was let in grows until that is three times what is still free. Past it no image is stored, records are dropped as if they were too long, and a
 *   call that has to be written down is not made.
 *
 * So all together never hold more than `maxStoredBytes`, and whoever comes next finds a quarter of what others have left.
 */
export class OpenBytes {
  readonly #sums: OpenSums;
  readonly #most: number;

  /** @param most `limits.maxStoredBytes` */
  constructor(sums: OpenSums, most: number) {
    this.#sums = sums;
    this.#most = most;
  }

  /** Why a principal may not begin another execution; undefined when it may. */
  refuseBegin(principal: string): SandboxError | undefined {
    const { own, all } = this.#sums.of(principal);
    return all < this.#most && (own === 0 || own < this.#most - all) ? undefined : noShare(principal, own, this.#most);
  }

  /** Whether an execution may hold so many bytes more than it does. */
  mayGrow(row: ExecutionRow, bytes: number): boolean {
    const more = heldBytes(row) - row.counted + bytes;
    return more <= 0 || this.#fits(row.principal, more);
  }

  /** The same for one that there is no row of yet. */
  mayAdd(principal: string, bytes: number): boolean {
    return this.#fits(principal, bytes);
  }

  #fits(principal: string, more: number): boolean {
    const { own, all } = this.#sums.of(principal);
    return own + more <= GROWTH * (this.#most - all - more);
  }

  /** @throws SandboxError ERR_EXECUTION_FULL */
  refuse({ principal }: Pick<ExecutionRow, 'principal'>): never {
    throw noShare(principal, this.#sums.of(principal).own, this.#most);
  }

  /** The execution holds what its row says. */
  count(row: ExecutionRow): void {
    const bytes = heldBytes(row);
    this.change(row.principal, bytes - row.counted);
    row.counted = bytes;
  }

  /** It has ended: from now on it can go. */
  end(row: ExecutionRow): void {
    this.change(row.principal, -row.counted);
  }

  change(principal: string, bytes: number): void {
    this.#sums.change(principal, bytes);
  }
}
