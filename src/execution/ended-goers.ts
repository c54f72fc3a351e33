import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { HeldBytes } from './held-bytes.ts';

/** An ended execution that is to go. */
export interface Goer {
  readonly n: number;
  readonly principal: string;
  readonly bytes: number;
}

/** So many principals are looked at for something that may go: those who hold most may have nothing but what goes on. */
const MOST = 8;
/** Executions of one that are looked up at once: it takes as long as it has ended ones. */
const AT_ONCE = 256;
const OLDEST = `SELECT n FROM executions INDEXED BY executions_by_principal
  WHERE principal = :principal AND status IN ('completed', 'failed', 'cancelled') AND (ended <= :before OR ended > :after) ORDER BY ended, n LIMIT ${AT_ONCE}`;
/** The number of one that another process has removed may be that of a new one. */
const IS_THERE = 'SELECT 1 FROM executions WHERE n = ? AND principal = ? AND ended IS NOT NULL';

/** Says which executions go when there is no room: of whoever holds most of the store those that ended first, so that nobody pushes out what others have. */
export class Goers {
  readonly #held: HeldBytes;
  readonly #oldest: StatementSync;
  readonly #isThere: StatementSync;
  /** The next to go of each, by principal. */
  readonly #queues = new Map<string, number[]>();

  constructor(db: DatabaseSync) {
    this.#held = new HeldBytes(db);
    this.#oldest = db.prepare(OLDEST);
    this.#isThere = db.prepare(IS_THERE);
  }

  /** When nothing else is to be done. @returns whether there is more of it */
  count(): boolean {
    return this.#held.step();
  }

  /**
   * Takes the next one.
   * @param before it ended then or earlier, or
   * @param after later than that: in milliseconds since 1970
   */
  next(before: number, after: number): Goer | undefined {
    this.#held.refresh();
    for (const principal of this.#held.most(MOST)) {
      const n = this.#take(principal, before, after);
      if (n !== undefined) return this.goer(n);
    }
    return undefined;
  }

  /** Takes one that somebody else has chosen. */
  goer(n: unknown): Goer | undefined {
    const held = typeof n === 'number' ? this.#held.of(n) : undefined;
    if (typeof n !== 'number' || held === undefined) return undefined;
    this.#held.change({ n, principal: held.principal, bytes: -held.bytes });
    return { n, ...held };
  }

  /** They have not gone after all. */
  giveBack(goers: readonly Goer[]): void {
    for (const goer of goers) this.#held.change(goer);
    this.#queues.clear();
  }

  #take(principal: string, before: number, after: number): number | undefined {
    let queue = this.#queues.get(principal) ?? [];
    while (queue[0] !== undefined && this.#isThere.get(queue[0], principal) === undefined) queue.shift();
    if (queue.length === 0) queue = this.#oldest.all({ principal, before, after }).map(({ n }) => Number(n));
    if (queue.length === 0) this.#queues.delete(principal);
    else this.#queues.set(principal, queue);
    return queue.shift();
  }
}
