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
  /** Runs a program with what is left of the hour's fuel, and charges what it used, however it ends. */
  run(limits: RunLimits, work: (limits: RunLimits) => Promise<RunOutcome>): Promise<RunOutcome>;
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

  constructor(principal: string, accounts: Accounts, now: () => number) {
    [this.#principal, this.#accounts, this.#now] = [principal, accounts, now];
  }

  enter(): void {
    const time = this.#now();
    const account = this.#accounts.of(this.#principal, time);
    refuseOver(this.#principal, account, time);
    account.runs?.take(1, time);
    this.#accounts.begin(this.#principal, account);
    this.#account = account;
  }

  run(limits: RunLimits, work: (limits: RunLimits) => Promise<RunOutcome>): Promise<RunOutcome> {
    return this.#account === undefined ? work(limits) : runMetered(this.#principal, this.#account, this.#now, limits, work);
  }

  takeCall(): Extract<ToolAnswer, { ok: false }> | undefined {
    return this.#account && takeCall(this.#principal, this.#account, this.#now());
  }

  leave(): void {
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

async function runMetered(
  principal: string,
  account: Account,
  now: () => number,
  limits: RunLimits,
  work: (limits: RunLimits) => Promise<RunOutcome>,
): Promise<RunOutcome> {
  const { fuel, limits: own } = account;
  if (fuel === undefined || own.fuelPerHour === undefined) return work(limits);
  const began = now();
  const granted = grant(account, limits.fuel, began);
  if (granted < LEAST_FUEL && granted < limits.fuel) throw overFuel(principal, own.fuelPerHour, account, began);
  account.reserved += granted;
  const settle = (ended: unknown): void => {
    account.reserved -= granted;
    fuel.take(spentFuel(ended, granted, now() - began), now());
  };
  try {
    const outcome = await work({ ...limits, fuel: granted });
    settle(outcome);
    const isShort = granted < limits.fuel && outcome.end.status === 'failed' && outcome.end.code === 'ERR_EXECUTE_FUEL';
    return isShort ? ranOutOfFuel(outcome, principal, own.fuelPerHour, granted, fuel.waitFor(limits.fuel, now())) : outcome;
  } catch (error) {
    settle(error);
    throw error;
  }
}

/** All that is left for a run that is alone. Beside others half of it, as long as that is enough to begin, so that the next one finds something too. */
function grant(account: Account, asked: number, now: number): number {
  const free = account.freeFuel(now);
  return Math.min(asked, account.reserved > 0 ? Math.max(Math.floor(free / 2), Math.min(free, LEAST_FUEL)) : free);
}
