import { SandboxError } from '../errors.ts';
import type { RunOutcome, ToolAnswer } from '../execute/run.ts';
import type { Account } from './account.ts';
import type { QuotaLimit } from './principal-limits.ts';

/** Less than one slice of the meter: a run could not even begin. The least that `limits.fuel` may be. */
export const LEAST_FUEL = 50_000_000;
/** When a run ends nobody knows. */
const LOOK_AGAIN_MS = 1_000;

/** The principal has begun too many runs. */
export function overRuns(principal: string, { value, key }: QuotaLimit, retryAfterMs: number): SandboxError {
  return refusal('ERR_QUOTA_RUNS', `${who(principal)} may begin ${count(value, 'run')} in a minute (${key})`, retryAfterMs);
}

/** The principal has too many runs under way. */
export function overConcurrent(principal: string, { value, key }: QuotaLimit): SandboxError {
  return refusal('ERR_QUOTA_CONCURRENT', `${who(principal)} may have ${count(value, 'run')} under way at a time (${key})`, LOOK_AGAIN_MS);
}

/** There is too little fuel for a run. */
export function overFuel(principal: string, limit: QuotaLimit, account: Account, now: number): SandboxError {
  const { fuel, reserved } = account;
  const isHeld = reserved > 0 && fuel !== undefined && fuel.level(now) >= LEAST_FUEL;
  const why = isHeld ? `, and ${reserved} of it are held for runs that are under way` : '';
  return refusal('ERR_QUOTA_FUEL', `${fuelRule(principal, limit)}${why}`, isHeld ? LOOK_AGAIN_MS : (fuel?.waitFor(LEAST_FUEL, now) ?? 0));
}

/** The same outcome, but of a run that had less fuel than it was allowed because its principal's hour was used up. */
export function ranOutOfFuel(outcome: RunOutcome, principal: string, limit: QuotaLimit, left: number, retryAfterMs: number): RunOutcome {
  const message = `The program used up the ${left} fuel units that were left. ${fuelRule(principal, limit)}. ${tryAgain(retryAfterMs)}`;
  return { ...outcome, end: { status: 'failed', code: 'ERR_QUOTA_FUEL', message, retryAfterMs } };
}

/** What a program hears of a call too many. */
export function overCalls(principal: string, { value, key }: QuotaLimit, retryAfterMs: number): Extract<ToolAnswer, { ok: false }> {
  const rule = `${who(principal)} may make ${count(value, 'tool call')} in a minute (${key})`;
  const hint = `Wait ${retryAfterMs} ms and call again, or make fewer calls: pass several items at once.`;
  return { ok: false, error: { code: 'ERR_QUOTA_CALLS', message: `${rule}. Nothing was sent. ${tryAgain(retryAfterMs)}`, hint } };
}

function refusal(code: 'ERR_QUOTA_RUNS' | 'ERR_QUOTA_CONCURRENT' | 'ERR_QUOTA_FUEL', rule: string, retryAfterMs: number): SandboxError {
  return new SandboxError(code, `${rule}. ${tryAgain(retryAfterMs)}`, { retryAfterMs });
}

function fuelRule(principal: string, { value, key }: QuotaLimit): string {
  return `${who(principal)} may use ${value} fuel units in an hour (${key})`;
}

function tryAgain(ms: number): string {
  return `Try again in ${ms} ms.`;
}

function who(principal: string): string {
  return `The principal ${JSON.stringify(principal)}`;
}

function count(value: number, what: string): string {
  return value === 1 ? `one ${what}` : `${value} ${what}s`;
}
