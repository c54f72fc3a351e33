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

/** Sums of a transaction that nobody else can write in: each is read once and written once for all that changes in it. */
export class HeldSums implements OpenSums {
  readonly #stored: StoredSums;
  readonly #found = new Map<string, Held>();
  readonly #changes = new Map<string, number>();
  #change = 0;

  constructor(run: SumStatements) {
    this.#stored = new StoredSums(run);
  }

  of(principal: string): Held {
    const found = this.#found.get(principal) ?? this.#stored.of(principal);
    this.#found.set(principal, found);
    return { own: found.own + (this.#changes.get(principal) ?? 0), all: found.all + this.#change };
  }

  change(principal: string, bytes: number): void {
    this.#changes.set(principal, (this.#changes.get(principal) ?? 0) + bytes);
    this.#change += bytes;
  }

  /** Writes what has changed: the last of a transaction. */
  save(): void {
    for (const [principal, bytes] of this.#changes) this.#stored.change(principal, bytes);
    this.release();
  }

  /** What is known is of a transaction that is over. */
  release(): void {
    this.#found.clear();
    this.#changes.clear();
    this.#change = 0;
  }
}
