import { GuestStop } from './guest-stop.ts';
import type { Mailbox } from './mailbox.ts';
import type { RunClock } from './run-clock.ts';
import type { HibernationRules } from '../run.ts';

/** A run that has gone on is given so long to hear what it was woken for: else it would leave again at once, for ever. */
const PATIENCE_MS = 1_000;
/** So long an answer that is on its way to a run that has gone on may take, though the run has waited long enough. */
const GRACE_MS = 250;

export interface WaitOptions {
  /** The most that the run may wait, in milliseconds. */
  readonly waitMs: number;
  /** Default: it never leaves. */
  readonly rules?: HibernationRules | undefined;
  /** Milliseconds that it has waited before. */
  readonly waitedMs: number;
  /** Whether it goes on from an image, and has to hear first what it was woken for. */
  readonly isWoken: boolean;
}

/** What ends a wait: there is something to go on with, or the run is to leave its instance. */
export type WaitEnd = 'due' | 'leave';

/** Where one run waits: for how long in all, and when that is long enough to leave. */
export class RunWaits {
  readonly #mailbox: Mailbox;
  readonly #clock: RunClock;
  readonly #waitMs: number;
  readonly #rules: HibernationRules | undefined;
  /** When it may leave at the earliest, by `performance.now()`. */
  readonly #staysUntil: number;
  #waitedMs: number;
  #isWoken: boolean;
  #mayLeave = true;

  constructor(mailbox: Mailbox, clock: RunClock, { waitMs, rules, waitedMs, isWoken }: WaitOptions) {
    this.#mailbox = mailbox;
    this.#clock = clock;
    this.#waitMs = waitMs;
    this.#rules = rules;
    this.#staysUntil = performance.now() + (rules?.stayMs ?? 0);
    this.#waitedMs = waitedMs;
    this.#isWoken = isWoken;
  }

  /** So far, in milliseconds. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** The run has waited elsewhere: at least so long in all. */
  raiseTo(ms: number): void {
    this.#waitedMs = Math.max(this.#waitedMs, ms);
  }

  /** It cannot leave: it stays until this wait is over. */
  stay(): void {
    this.#mayLeave = false;
  }

  /**
   * Sleeps until an answer is there or the program's earliest timer is due, or the run is to leave. Other runs of the worker have their turn.
   * @param hasCalls whether answers may come
   * @throws GuestStop ERR_EXECUTE_WAITING_TIME, ERR_EXECUTE_CANCELLED
   */
  async untilDue(nextTimer: number | null, hasCalls: boolean): Promise<WaitEnd> {
    const from = performance.now();
    const waitedBefore = this.#waitedMs;
    for (;;) {
      const waited = performance.now() - from;
      const due = nextTimer === null ? Infinity : nextTimer - this.#clock.now();
      const left = this.#waitMs - this.#waitedMs + (this.#isWoken && hasCalls ? Math.max(0, GRACE_MS - waited) : 0);
      const least = this.#staysUntil - from - waited;
      const stay = Math.max(this.#isSentAway ? 0 : this.#stayMs(due, waited, hasCalls), least);
      await this.#mailbox.wait(Math.min(due, left, stay));
      this.#waitedMs = waitedBefore + performance.now() - from;
      if (this.#mailbox.hasAnswers || due <= 0) return this.#goOn();
      if (left <= 0) throw this.#waitedTooLong();
      if (stay <= 0 || (this.#isSentAway && least <= 0)) return 'leave';
    }
  }

  /**
   * Sleeps until so many answers are there, at least for a turn: other runs of the worker have theirs.
   * @throws GuestStop as `untilDue`
   */
  async untilAnswered(count: number): Promise<void> {
    const from = performance.now();
    const waitedBefore = this.#waitedMs;
    for (let ms = 0; ; ms = this.#waitMs - this.#waitedMs) {
      await this.#mailbox.wait(ms, ms > 0 ? count : Infinity);
      this.#waitedMs = waitedBefore + performance.now() - from;
      if (this.#mailbox.count >= count) return;
      if (ms < 0) throw this.#waitedTooLong();
    }
  }

  #waitedTooLong(): GuestStop {
    return new GuestStop('ERR_EXECUTE_WAITING_TIME', `The program waited for more than ${this.#waitMs} ms.`);
  }

  #goOn(): 'due' {
    this.#isWoken = false;
    this.#mayLeave = true;
    return 'due';
  }

  get #isSentAway(): boolean {
    return this.#rules !== undefined && this.#mayLeave && !this.#isWoken && this.#mailbox.isAskedToLeave;
  }

  /** How much longer the run stays. */
  #stayMs(due: number, waited: number, hasCalls: boolean): number {
    if (!this.#rules || !this.#mayLeave) return Infinity;
    const { afterMs } = this.#rules;
    if (this.#isWoken) return Math.max(afterMs, PATIENCE_MS) - waited;
    return !hasCalls && due > afterMs ? 0 : afterMs - waited;
  }
}
