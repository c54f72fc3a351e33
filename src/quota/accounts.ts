import { Account } from './account.ts';
import type { PrincipalLimits } from './principal-limits.ts';

/** Principals that are remembered although they have nothing under way. */
const MAX_IDLE = 10_000;
/** Old ones that are looked at when another one comes. */
const LOOK_AT = 2;

/**
 * The accounts of principals. One that would say the same as a new one is forgotten, and when there are too many without a run under way
 * the one that was used longest ago. Those with runs are bounded by what the machine can have under way.
 */
export class Accounts {
  readonly #busy = new Map<string, Account>();
  /** Without a run under way, the one that was used longest ago first. */
  readonly #idle = new Map<string, Account>();
  readonly #limitsOf: (principal: string) => PrincipalLimits;
  readonly #maxIdle: number;

  constructor(limitsOf: (principal: string) => PrincipalLimits, maxIdle = MAX_IDLE) {
    this.#limitsOf = limitsOf;
    this.#maxIdle = maxIdle;
  }

  get size(): number {
    return this.#busy.size + this.#idle.size;
  }

  of(principal: string, now: number): Account {
    const known = this.#busy.get(principal) ?? this.#idle.get(principal);
    if (known !== undefined) return known;
    const account = new Account(this.#limitsOf(principal), now);
    this.#rest(principal, account, now);
    return account;
  }

  /** A run of the principal begins. */
  begin(principal: string, account: Account): void {
    account.running++;
    this.#idle.delete(principal);
    this.#busy.set(principal, account);
  }

  /** A run of the principal has ended. */
  end(principal: string, account: Account, now: number): void {
    if (--account.running > 0) return;
    this.#busy.delete(principal);
    this.#rest(principal, account, now);
  }

  #rest(principal: string, account: Account, now: number): void {
    let looks = LOOK_AT;
    for (const [old, candidate] of this.#idle) {
      if (looks-- === 0) break;
      if (candidate.isFresh(now) || this.#idle.size >= this.#maxIdle) this.#idle.delete(old);
    }
    this.#idle.set(principal, account);
  }
}
