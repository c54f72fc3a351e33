import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Executions that are counted at once, some milliseconds. */
const AT_ONCE = 250;
/** What was counted is good for so long, in milliseconds: who has most does not change from one moment to the next. */
const GOOD_MS = 60_000;
/** What a row takes beside its text, in bytes about. */
const ROW_BYTES = 64;

const NEXT = 'SELECT max(n) AS last, count(*) AS count FROM (SELECT n FROM executions WHERE n > ? ORDER BY n LIMIT ?)';
/** What has ended since it was looked, in this process or another one. */
const LAST_ENDED = 'SELECT ended, n FROM executions WHERE ended IS NOT NULL ORDER BY ended DESC, n DESC LIMIT 1';
const ENDED = 'SELECT ended, n FROM executions WHERE ended IS NOT NULL AND (ended, n) > (?, ?) ORDER BY ended, n LIMIT ?';
/** Of executions from one number to another. A text that several refer to is held by each of them in part. */
const HELD = `
  SELECT principal, sum(bytes) AS bytes FROM (
    SELECT principal, ${ROW_BYTES} AS bytes FROM executions WHERE n BETWEEN :from AND :to
    UNION ALL SELECT principal, octet_length(parts.content) + ${ROW_BYTES}
      FROM executions CROSS JOIN parts ON parts.execution = n WHERE n BETWEEN :from AND :to
    UNION ALL SELECT principal, octet_length(images.content)
      FROM executions CROSS JOIN images ON images.execution = n WHERE n BETWEEN :from AND :to
    UNION ALL SELECT principal, octet_length(approvals.content) + ${ROW_BYTES}
      FROM executions CROSS JOIN approvals ON approvals.execution = executions.n WHERE executions.n BETWEEN :from AND :to
    UNION ALL SELECT principal, (octet_length(contents.content) + ${ROW_BYTES}) * 1.0 / max(texts.uses, 1)
      FROM executions CROSS JOIN uses ON uses.execution = n CROSS JOIN texts ON texts.id = uses.text
      CROSS JOIN contents ON contents.text = texts.id WHERE n BETWEEN :from AND :to
  ) GROUP BY principal`;

export interface HeldChange {
  readonly n: number;
  readonly principal: string;
  readonly bytes: number;
}

interface Counting {
  readonly held: Map<string, number>;
  last: number;
  /** By how much what was not counted yet has changed `held`: it will be counted as it is then. */
  readonly ahead: Map<string, number>;
}

/** About how many bytes of the store each principal holds, what goes on included. Counted a little at a time: the store may be large. */
export class HeldBytes {
  readonly #next: StatementSync;
  readonly #held: StatementSync;
  readonly #lastEnded: StatementSync;
  readonly #ended: StatementSync;
  readonly #atOnce: number;
  /** What was counted whole, and until when that is good by the monotonic clock. */
  #counted: Map<string, number> | undefined;
  #goodUntil = -Infinity;
  /** What is being counted, and up to which execution it is. */
  #counting: Counting | undefined;
  /** The end up to which all are in what was counted. */
  #seen: readonly [ended: number, n: number] = [0, 0];

  constructor(db: DatabaseSync, atOnce = AT_ONCE) {
    this.#next = db.prepare(NEXT);
    this.#held = db.prepare(HELD);
    this.#lastEnded = db.prepare(LAST_ENDED);
    this.#ended = db.prepare(ENDED);
    this.#atOnce = atOnce;
  }

  /** Adds what has ended since, and begins to count again where what there is has become old. */
  refresh(): void {
    if (this.#counted) this.#follow(this.#counted);
    if (this.#counting !== undefined || performance.now() < this.#goodUntil) return;
    this.#counting = { held: new Map(), last: 0, ahead: new Map() };
    this.step();
  }

  /** Counts some more. @returns whether there is more to be counted */
  step(): boolean {
    const counting = this.#counting;
    if (counting === undefined) return false;
    const { last, count } = this.#next.get(counting.last, this.#atOnce) ?? {};
    if (Number(count) > 0) {
      this.#add(counting.held, counting.last + 1, Number(last));
      counting.last = Number(last);
    }
    if (Number(count) === this.#atOnce) return true;
    for (const [principal, bytes] of counting.ahead) add(counting.held, principal, -bytes);
    this.#counted = counting.held;
    this.#counting = undefined;
    const seen = this.#lastEnded.get();
    this.#seen = [Number(seen?.['ended'] ?? 0), Number(seen?.['n'] ?? 0)];
    this.#goodUntil = performance.now() + GOOD_MS;
    return false;
  }

  /** Those who hold most, as far as it is known: the one with most is first. */
  most(count: number): string[] {
    const top: (readonly [principal: string, bytes: number])[] = [];
    for (const one of this.#counted ?? this.#counting?.held ?? []) {
      if (top.length === count && one[1] <= (top.at(-1)?.[1] ?? 0)) continue;
      const place = top.findIndex(([, bytes]) => bytes < one[1]);
      top.splice(place === -1 ? top.length : place, 0, one);
      if (top.length > count) top.pop();
    }
    return top.map(([principal]) => principal);
  }

  /** One execution by its number. */
  of(n: number): { readonly principal: string; readonly bytes: number } | undefined {
    const row = this.#held.get({ from: n, to: n });
    return row && { principal: String(row['principal']), bytes: Number(row['bytes']) };
  }

  /** So much more or, below zero, less is held by one, because of the execution of that number. */
  change({ n, principal, bytes }: HeldChange): void {
    if (this.#counted) add(this.#counted, principal, bytes);
    if (this.#counting === undefined) return;
    add(this.#counting.held, principal, bytes);
    if (n > this.#counting.last) add(this.#counting.ahead, principal, bytes);
  }

  /** Whoever ends many holds more at once, and not only when all is counted again. */
  #follow(held: Map<string, number>): void {
    const rows = this.#ended.all(...this.#seen, this.#atOnce);
    for (const { ended, n } of rows) {
      const { principal, bytes } = this.of(Number(n)) ?? { principal: '', bytes: 0 };
      add(held, principal, bytes);
      this.#seen = [Number(ended), Number(n)];
    }
    // More than can be looked at: all is counted again.
    if (rows.length === this.#atOnce) this.#goodUntil = -Infinity;
  }

  #add(into: Map<string, number>, from: number, to: number): void {
    for (const { principal, bytes } of this.#held.all({ from, to })) {
      add(into, String(principal), Number(bytes));
    }
  }
}

function add(held: Map<string, number>, principal: string, bytes: number): void {
  held.set(principal, (held.get(principal) ?? 0) + bytes);
}
