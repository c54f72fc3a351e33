import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Principal } from '../access/principal.ts';
import { SandboxError } from '../errors.ts';
import type { ApprovalAnswer } from '../policy/approval.ts';
import { AskedRun } from './asked-run.ts';
import { MAX_ROUNDS, type Attached, type ParkedCaller, type Parking, type Step } from './parking.ts';
import type { ExecuteResponse } from './sandbox-port.ts';

/** Runs that wait for a person while no request of theirs is open. Each holds its memory. */
const MAX_PARKED = 256;
/** So many times as many may be there with those that have an answer to be fetched: they hold that answer alone. */
const KEPT_FACTOR = 4;
/** Bytes of randomness in the name of a parked run: it cannot be guessed. */
const STATE_BYTES = 24;
/** A run that has ended while nobody was there can still be asked for this long, in milliseconds. */
const KEEP_ENDED_MS = 60_000;

interface Parked {
  readonly run: AskedRun;
  readonly principal: string;
  /** Whether it waits for a person. If not, it goes on or has ended, and its answer is still to be fetched. */
  waits: boolean;
}

/** Where nothing is stored: each run that waits between two requests is kept in memory, under a name that is good once. */
export class ParkedRuns implements Parking {
  /** By state, the one that was parked longest ago first. */
  readonly #parked = new Map<string, Parked>();
  readonly #maxParked: number;

  constructor(maxParked = MAX_PARKED) {
    this.#maxParked = maxParked;
  }

  get size(): number {
    return this.#parked.size;
  }

  demand(_principal: string, state: string): void {
    if (!this.#parked.has(state)) throw unknownState();
  }

  start(principal: string, attached: Attached, begin: (caller: ParkedCaller) => Promise<ExecuteResponse>): Promise<Step> {
    return this.#next(new AskedRun(begin, attached.owner), principal, attached);
  }

  cancelOf(isOver: (principal: Principal) => boolean): void {
    for (const { run } of this.#parked.values()) if (run.owner !== undefined && isOver(run.owner)) run.cancel();
  }

  resume(principal: string, state: string, answers: ReadonlyMap<string, ApprovalAnswer>, attached: Attached): Promise<Step> {
    const found = this.#parked.get(state);
    if (found === undefined || found.principal !== principal) throw unknownState();
    this.#parked.delete(state);
    found.run.answer(answers);
    return this.#next(found.run, principal, attached);
  }

  async #next(run: AskedRun, principal: string, attached: Attached): Promise<Step> {
    for (;;) {
      const questions = await run.untilAsking(attached);
      if (questions === undefined) return { response: await run.ended };
      const isOften = run.rounds >= MAX_ROUNDS;
      if (!isOften && this.#hasRoom(principal)) return { state: this.#park(run, principal), questions };
      run.answerAll({ granted: false, reason: isOften ? 'often' : 'busy' });
    }
  }

  /**
   * Whoever has most runs waiting makes room for another: its oldest one goes on without an answer. Whoever has most answers lying loses its
   * oldest one. So nobody can keep all others from being asked.
   */
  #hasRoom(principal: string): boolean {
    if (this.#parked.size < this.#maxParked) return true;
    const entries = [...this.#parked];
    const waiting = entries.filter(([, { waits }]) => waits);
    if (entries.length >= this.#maxParked * KEPT_FACTOR) {
      const [lying] =
        oldestOfMost(
          entries.filter(([, { waits }]) => !waits),
          principal,
        ) ?? [];
      if (lying === undefined) return false;
      this.#parked.delete(lying);
    }
    if (waiting.length < this.#maxParked) return true;
    const [, oldest] = oldestOfMost(waiting, principal) ?? [];
    if (oldest === undefined) return false;
    oldest.waits = false;
    oldest.run.goOn({ granted: false, reason: 'busy' });
    return true;
  }

  #park(run: AskedRun, principal: string): string {
    run.rounds++;
    const state = `apr_${randomBytes(STATE_BYTES).toString('base64url')}`;
    const parked: Parked = { run, principal, waits: true };
    this.#parked.set(state, parked);
    const forget = async (): Promise<void> => {
      parked.waits = false;
      await delay(KEEP_ENDED_MS, undefined, { ref: false });
      this.#parked.delete(state);
    };
    run.ended.then(forget, forget);
    return state;
  }
}

/** The oldest entry of who has most of them; undefined when that is not more than `principal` would have with one more. */
function oldestOfMost(entries: readonly [string, Parked][], principal: string): [string, Parked] | undefined {
  const counts = new Map<string, number>();
  for (const [, { principal: owner }] of entries) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  const most = Math.max(...counts.values());
  if (most <= (counts.get(principal) ?? 0) + 1) return undefined;
  return entries.find(([, { principal: owner }]) => counts.get(owner) === most);
}

export function unknownState(): SandboxError {
  const hint = 'Send the call again, without the answer.';
  return new SandboxError('ERR_CALL_APPROVAL', 'The run that this answer is for is over, or never was.', { hint });
}
