/** What one request came to, when that is not what it may be. */
export interface Fault {
  readonly what: string;
  /** Enough to find it again: the kind of request, the client, what came back. */
  readonly detail: string;
}

const MOST_TOLD = 50;
const TAKES_RUNS = /executor|worker thread/;

/** Everything that the load counts. */
export class Ledger {
  readonly faults: Fault[] = [];
  readonly kills: Record<string, number> = {};
  /** When something was ended that takes runs with it. */
  readonly #runsTaken: number[] = [];
  /** Endings by kind of request and ending. */
  readonly endings: Record<string, Record<string, number>> = {};
  readonly effects = { started: new Set<string>(), completed: new Set<string>() };
  /** Of every run that was answered. */
  readonly executions = new Set<string>();
  requests = 0;
  /** The longest that a client has waited, and for what. */
  longest = { ms: 0, what: '' };
  #dropped = 0;

  fault(what: string, detail: string): void {
    if (this.faults.length < MOST_TOLD) this.faults.push({ what, detail });
    else this.#dropped++;
  }

  get faultCount(): number {
    return this.faults.length + this.#dropped;
  }

  get killCount(): number {
    return Object.values(this.kills).reduce((sum, count) => sum + count, 0);
  }

  /** How often something was ended in the last so many milliseconds that takes runs with it. */
  runsTakenWithin(ms: number): number {
    const since = performance.now() - ms;
    return this.#runsTaken.filter((at) => at >= since).length;
  }

  took(ms: number, what: string): void {
    if (ms > this.longest.ms) this.longest = { ms: Math.round(ms), what };
  }

  kill(what: string): void {
    this.kills[what] = (this.kills[what] ?? 0) + 1;
    if (TAKES_RUNS.test(what)) this.#runsTaken.push(performance.now());
  }

  ending(kind: string, ending: string): void {
    const of = (this.endings[kind] ??= {});
    of[ending] = (of[ending] ?? 0) + 1;
  }
}
