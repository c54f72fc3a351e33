import type { Principals } from '../config/principals-schema.ts';
import type { RunLimits, RunOutcome, ToolAnswer } from '../execute/run.ts';
import type { Account } from './account.ts';
import { Accounts } from './accounts.ts';
import { createPrincipalLimits } from './principal-limits.ts';
import { LEAST_FUEL, overCalls, overConcurrent, overFuel, overRuns, ranOutOfFuel } from './quota-errors.ts';
import { spentFuel } from './spent-fuel.ts';

export interface QuotasOptions {
  readonly principals: Principals;
  /** Milliseconds on a clock that never goes back. Default: since the process began. */
  readonly now?: () => number;
}

/** What every principal has used lately. In memory: a restart forgets at most an hour. */
export interface Quotas {
  /** For one run of a principal, or something that costs as much. */
  of(principal: string): RunQuota;
}

/** What one run takes of its principal's limits. */
export interface RunQuota {
  /**
   * The run begins.
   * @throws SandboxError ERR_QUOTA_RUNS, ERR_QUOTA_CONCURRENT, ERR_QUOTA_FUEL, each with `retryAfterMs`
   */
  enter(): void;
  /** The run goes on after a restart: it was let in before, so nothing refuses it now. */
  enterAgain(): void;
  /** The run is put away, or waits for a person: others may have its place and its fuel meanwhile. Twice is as good as once. */
  rest(): void;
  /** It goes on, whether there is a place or not: what it may use was granted before. */
  goOn(): void;
  /** Runs a program with what is left of the hour's fuel, and charges what it used, however it ends. */
  run(limits: RunLimits, work: (limits: RunLimits) => Promise<RunOutcome>): Promise<RunOutcome>;
  /** The same for a run that goes on after a restart, with the limits that it began with. It is charged all that it has used. */
  runAgain(limits: RunLimits, work: () => Promise<RunOutcome>): Promise<RunOutcome>;
  /** Counts a tool call. The answer to one that is over the limit; undefined for one that may be made. */
  takeCall(): Extract<ToolAnswer, { ok: false }> | undefined;
  /** The run is over, however it ended, or was not let in. */
  leave(): void;
}

/** Opens the books. */
export function createQuotas({ principals, now = () => performance.now() }: QuotasOptions): Quotas {
  const accounts = new Accounts(createPrincipalLimits(principals));
  return { of: (principal) => new PlaceOfRun(principal, accounts, now) };
}

class PlaceOfRun implements RunQuota {
  readonly #principal: string;
  readonly #accounts: Accounts;
  readonly #now: () => number;
  /** While the run is inside. */
  #account: Account | undefined;
  /** Fuel that it may use, while it has it. */
  #granted = 0;
  #isResting = false;

  constructor(principal: string, accounts: Accounts, now: () => number) {
    [this.#principal, this.#accounts, this.#now] = [principal, accounts, now];
  }

  enter(): void {
    const time = this.#now();
    const account = this.#accounts.of(this.#principal, time);
    refuseOver(this.#principal, account, time);
    account.runs?.take(1, time);
    this.#begin(account);
  }

  enterAgain(): void {
    this.#begin(this.#accounts.of(this.#principal, this.#now()));
  }

  #begin(account: Account): void {
    this.#accounts.begin(this.#principal, account);
    this.#account = account;
  }

  rest(): void {
    if (this.#account === undefined || this.#isResting) return;
    this.#isResting = true;
    this.#account.reserved -= this.#granted;
    this.#accounts.end(this.#principal, this.#account, this.#now());
  }

  goOn(): void {
    if (this.#account === undefined || !this.#isResting) return;
    this.#isResting = false;
    // While it rested its account may have been forgotten.
    this.#account = this.#accounts.of(this.#principal, this.#now());
    this.#accounts.begin(this.#principal, this.#account);
    this.#account.reserved += this.#granted;
  }

  run(limits: RunLimits, work: (limits: RunLimits) => Promise<RunOutcome>): Promise<RunOutcome> {
    const account = this.#account;
    if (account?.limits.fuelPerHour === undefined) return work(limits);
    const granted = grant(account, limits.fuel, this.#now());
    if (granted < LEAST_FUEL && granted < limits.fuel) {
      return Promise.reject(overFuel(this.#principal, account.limits.fuelPerHour, account, this.#now()));
    }
    return this.#metered(granted, limits.fuel, () => work({ ...limits, fuel: granted }));
  }

  runAgain(limits: RunLimits, work: () => Promise<RunOutcome>): Promise<RunOutcome> {
    return this.#account?.limits.fuelPerHour === undefined ? work() : this.#metered(limits.fuel, limits.fuel, work);
  }

  async #metered(granted: number, asked: number, work: () => Promise<RunOutcome>): Promise<RunOutcome> {
    const began = this.#now();
    this.#reserve(granted);
    try {
      const outcome = await work();
      this.#settle(outcome, granted, began);
      const isShort = granted < asked && outcome.end.status === 'failed' && outcome.end.code === 'ERR_EXECUTE_FUEL';
      return isShort ? this.#shortOf(outcome, granted, asked) : outcome;
    } catch (error) {
      this.#settle(error, granted, began);
      throw error;
    }
  }

  #reserve(granted: number): void {
    this.#granted = granted;
    if (this.#account !== undefined) this.#account.reserved += granted;
  }

  #settle(ended: unknown, granted: number, began: number): void {
    // One that ends while it rests takes its place again, so that there is one to leave.
    this.goOn();
    const time = this.#now();
    if (this.#account !== undefined) this.#account.reserved -= granted;
    this.#granted = 0;
    this.#account?.fuel?.take(spentFuel(ended, granted, time - began), time);
  }

  #shortOf(outcome: RunOutcome, granted: number, asked: number): RunOutcome {
    const { fuel, limits } = this.#account ?? {};
    if (fuel === undefined || limits?.fuelPerHour === undefined) return outcome;
    return ranOutOfFuel(outcome, this.#principal, limits.fuelPerHour, granted, fuel.waitFor(asked, this.#now()));
  }

  takeCall(): Extract<ToolAnswer, { ok: false }> | undefined {
    return this.#account && takeCall(this.#principal, this.#account, this.#now());
  }

  leave(): void {
    this.goOn();
    if (this.#account !== undefined) this.#accounts.end(this.#principal, this.#account, this.#now());
    this.#account = undefined;
  }
}

/** What is refused counts in nothing. */
function refuseOver(principal: string, account: Account, now: number): void {
  const { concurrentRuns, runsPerMinute, fuelPerHour } = account.limits;
  if (concurrentRuns && account.running >= concurrentRuns.value) throw overConcurrent(principal, concurrentRuns);
  if (runsPerMinute && account.runs && !account.runs.has(1, now)) {
    throw overRuns(principal, runsPerMinute, account.runs.waitFor(1, now));
  }
  if (fuelPerHour && account.fuel && account.freeFuel(now) < LEAST_FUEL) throw overFuel(principal, fuelPerHour, account, now);
}

function takeCall(principal: string, { calls, limits }: Account, now: number): Extract<ToolAnswer, { ok: false }> | undefined {
  if (calls === undefined || limits.toolCallsPerMinute === undefined) return undefined;
  if (!calls.has(1, now)) return overCalls(principal, limits.toolCallsPerMinute, calls.waitFor(1, now));
  calls.take(1, now);
  return undefined;
}

/** All that is left for a run that is alone. Beside others half of it, as long as that is enough to begin, so that the next one finds something too. */
function grant(account: Account, asked: number, now: number): number {
  const free = account.freeFuel(now);
  return Math.min(asked, account.reserved > 0 ? Math.max(Math.floor(free / 2), Math.min(free, LEAST_FUEL)) : free);
}
