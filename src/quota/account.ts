import { Bucket } from './bucket.ts';
import type { PrincipalLimits, QuotaLimit } from './principal-limits.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What one principal has used lately, and has under way. */
export class Account {
  readonly limits: PrincipalLimits;
  readonly runs: Bucket | undefined;
  readonly calls: Bucket | undefined;
  readonly fuel: Bucket | undefined;
  /** Runs under way. */
  running = 0;
  /** Fuel that the runs under way may still use. */
  reserved = 0;

  constructor(limits: PrincipalLimits, now: number) {
    this.limits = limits;
    this.runs = bucketOf(limits.runsPerMinute, MINUTE_MS, now);
    this.calls = bucketOf(limits.toolCallsPerMinute, MINUTE_MS, now);
    this.fuel = bucketOf(limits.fuelPerHour, HOUR_MS, now);
  }

  /** Fuel that nobody has spent and no run under way may spend. */
  freeFuel(now: number): number {
    return this.fuel === undefined ? Infinity : Math.floor(this.fuel.level(now) - this.reserved + 1e-3);
  }

  /** Whether a new account would say the same. */
  isFresh(now: number): boolean {
    return this.running === 0 && [this.runs, this.calls, this.fuel].every((bucket) => bucket === undefined || bucket.isFull(now));
  }
}

function bucketOf(limit: QuotaLimit | undefined, windowMs: number, now: number): Bucket | undefined {
  return limit && new Bucket(limit.value, windowMs, now);
}
