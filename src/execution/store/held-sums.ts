import type { Statements } from './execution-parts.ts';

/** What the executions hold that have not ended, in bytes. */
export interface Held {
  /** Of one principal. */
  readonly own: number;
  /** Of all. */
  readonly all: number;
}

/** The sums of what principals hold, as those who write about executions have them. */
export interface OpenSums {
  of(principal: string): Held;
  /** A principal's hold so much more. */
  change(principal: string, bytes: number): void;
}

type SumStatements = Pick<Statements, 'openBytes' | 'holdMore' | 'holdNothing'>;

/** Sums that are read and written at once. */
export class StoredSums implements OpenSums {
  readonly #run: SumStatements;

  constructor(run: SumStatements) {
    this.#run = run;
  }

  of(principal: string): Held {
    let [own, all] = [0, 0];
    for (const { isAll, bytes } of this.#run.openBytes.all(principal)) {
      if (isAll === 1) all = Number(bytes);
      else own = Number(bytes);
    }
    return { own, all };
  }

  change(principal: string, bytes: number): void {
    if (bytes === 0) return;
    this.#run.holdMore.run({ principal, bytes });
    if (bytes < 0) this.#run.holdNothing.run(principal);
  }
}

/** So many principals are known at once. */
const MOST_KNOWN = 1_000;

/** Sums that nobody else has written since they were read: each is written once for all that a transaction changes of it. */
export class HeldSums implements OpenSums {
  readonly #stored: StoredSums;
  readonly #own = new Map<string, number>();
  readonly #changes = new Map<string, number>();
  #all = 0;

  constructor(run: SumStatements) {
    this.#stored = new StoredSums(run);
  }

  of(principal: string): Held {
    const known = this.#own.get(principal);
    return known === undefined ? this.#read(principal) : { own: known, all: this.#all };
  }

  change(principal: string, bytes: number): void {
    const { own, all } = this.of(principal);
    this.#own.set(principal, own + bytes);
    this.#all = all + bytes;
    this.#changes.set(principal, (this.#changes.get(principal) ?? 0) + bytes);
  }

  /** Writes what has changed: the last of a transaction. */
  save(): void {
    for (const [principal, bytes] of this.#changes) this.#stored.change(principal, bytes);
    this.#changes.clear();
    if (this.#own.size > MOST_KNOWN) this.release();
  }

  /** Somebody else has written, or what was changed was not written. */
  release(): void {
    this.#own.clear();
    this.#changes.clear();
  }

  #read(principal: string): Held {
    const { own, all } = this.#stored.of(principal);
    // What is stored of all does not have what has changed in this transaction.
    const changed = [...this.#changes.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.#all = all + changed;
    this.#own.set(principal, own);
    return { own, all: this.#all };
  }
}
