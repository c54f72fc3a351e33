import { SandboxError } from '../errors.ts';
import type { AuditEvent, AuditLine, AuditSink } from './audit-event.ts';
import type { AuditHash } from './audit-hashes.ts';
import { OutletQueue, type Outlet } from './audit-outlet.ts';
import { boundedEvent } from './audit-text.ts';
import { MassEvents } from './mass-events.ts';

/** Lines wait for so long at most before they are written. */
const FLUSH_MS = 50;
/** After a failure the next attempt waits for so long. */
const RETRY_MS = 1_000;
/** The log is told of failures no more often. */
const WARN_MS = 60_000;
/** How often old lines are looked for, and how soon again where there were some. */
const PRUNE_MS = 1_000;
const PRUNE_AGAIN_MS = 20;

export interface AuditOptions {
  readonly outlets: readonly Outlet[];
  readonly hash: AuditHash;
  /** Whether no run may start that is not recorded. */
  readonly refuse: boolean;
  /** Gets values for lines ready: without what is secret, shortened. Absent where the operator wants none. */
  readonly values?: ((text: string) => string) | undefined;
  /** Removes some old lines. @returns whether there may be more */
  readonly prune?: ((now: number) => boolean) | undefined;
  readonly log: { warn(fields: object, message: string): void };
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** The record of who did what. Lines are written together, some milliseconds after they were recorded. */
export class Audit implements AuditSink {
  readonly hash: AuditHash;
  /** Gets a text ready to be one of the values of a line; undefined where no values are wanted. */
  readonly values: ((text: string) => string) | undefined;
  /** Nothing is recorded: it is for nobody. */
  readonly isOff: boolean;
  readonly #options: AuditOptions;
  readonly #queues: readonly OutletQueue[];
  readonly #now: () => number;
  readonly #mass = new MassEvents((event) => void this.#add(event));
  #waiters: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #pruner: NodeJS.Timeout | undefined;
  #isUrgent = false;
  #failedAt: number | undefined;
  #warnedAt: number | undefined;
  #isClosed = false;

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#queues = options.outlets.map((outlet) => new OutletQueue(outlet));
    this.#now = options.now ?? Date.now;
    this.hash = options.hash;
    this.values = options.values;
    this.isOff = options.outlets.length === 0;
    if (options.prune) this.#pruneIn(0);
  }

  record(event: AuditEvent): void {
    if (this.isOff || this.#isClosed) return;
    this.#mass.add(event, this.#now());
    // After a failure the disk is left alone for a while.
    if (this.#failedAt === undefined) this.#flushIn(FLUSH_MS);
  }

  /**
   * Records what is about to happen. Where nothing may happen unrecorded it comes back when that is on the disk.
   * @throws SandboxError ERR_AUDIT_STORE when it cannot be written, and the operator wants nothing to happen then
   */
  async begin(event: AuditEvent): Promise<void> {
    if (this.isOff || !this.#options.refuse) return;
    const hasJustFailed = this.#failedAt !== undefined && performance.now() - this.#failedAt < RETRY_MS;
    if (this.#isClosed || hasJustFailed) throw notWritten();
    const numbers = this.#add(event);
    // There is no room for it: waiting for it would have no end.
    if (numbers.includes(Infinity)) throw notWritten();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ numbers, resolve, reject });
    // Those that come in the same turn are written, and waited for, together.
    if (!this.#isUrgent) setImmediate(() => this.#flush());
    this.#isUrgent = true;
    await promise;
  }

  /** Writes everything now, as far as the disk takes it. What comes later is not recorded. */
  close(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    clearTimeout(this.#pruner);
    this.#mass.end();
    this.#isClosed = true;
    for (const queue of this.#queues) {
      while (!queue.isEmpty && this.#flushOne(queue));
      queue.outlet.close();
    }
    for (const { reject } of this.#waiters.splice(0)) reject(notWritten());
  }

  /** @returns the number of the line in each queue */
  #add(event: AuditEvent): number[] {
    const line: AuditLine = { time: this.#now(), ...boundedEvent(event) };
    return this.#queues.map((queue) => queue.add(line));
  }

  #flushIn(ms: number): void {
    const due = performance.now() + ms;
    if (this.#isClosed || (this.#timer !== undefined && this.#due <= due)) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, ms);
    this.#timer.unref();
  }

  #flush(): void {
    this.#isUrgent = false;
    if (this.#isClosed) return;
    this.#mass.settle(this.#now());
    const hasFailed = this.#queues.filter((queue) => !queue.isEmpty && !this.#flushOne(queue)).length > 0;
    this.#failedAt = hasFailed ? performance.now() : undefined;
    this.#settleWaiters(hasFailed);
    if (hasFailed) this.#flushIn(RETRY_MS);
    // A little at a time: others have their turn in between.
    else if (this.#queues.some((queue) => !queue.isEmpty)) this.#flushIn(1);
    else if (!this.#mass.isEmpty) this.#flushIn(RETRY_MS);
  }

  /** @returns whether it went well */
  #flushOne(queue: OutletQueue): boolean {
    const error = queue.flush(this.#now());
    if (error === undefined) return true;
    this.#warn(queue, error);
    return false;
  }

  #warn({ outlet, lost }: OutletQueue, err: unknown): void {
    const now = performance.now();
    if (this.#warnedAt !== undefined && now - this.#warnedAt < WARN_MS) return;
    this.#warnedAt = now;
    const effect = this.#options.refuse ? 'no run starts until it can be' : 'it is tried again';
    this.#options.log.warn({ err, lost }, `The audit cannot be written to the ${outlet.name}: ${effect}`);
  }

  #settleWaiters(hasFailed: boolean): void {
    if (this.#waiters.length === 0) return;
    const isThere = !hasFailed && this.#isOnDisk();
    const [through, waiting] = [[] as Waiter[], [] as Waiter[]];
    for (const waiter of this.#waiters) {
      const isWritten = waiter.numbers.every((number, index) => number <= (this.#queues[index]?.written ?? 0));
      (isWritten || !isThere ? through : waiting).push(waiter);
    }
    this.#waiters = waiting;
    for (const { resolve, reject } of through) {
      if (isThere) resolve();
      else reject(notWritten());
    }
  }

  #isOnDisk(): boolean {
    try {
      for (const { outlet } of this.#queues) outlet.sync();
      return true;
    } catch (err) {
      this.#options.log.warn({ err }, 'The audit may not be on the disk');
      return false;
    }
  }

  #pruneIn(ms: number): void {
    this.#pruner = setTimeout(() => this.#pruneIn(this.#prune() ? PRUNE_AGAIN_MS : PRUNE_MS), ms);
    this.#pruner.unref();
  }

  #prune(): boolean {
    try {
      return this.#options.prune?.(this.#now()) ?? false;
    } catch {
      // What keeps it from removing lines keeps it from writing them too, and that is told.
      return false;
    }
  }
}

interface Waiter {
  /** The number of its line in each queue. */
  readonly numbers: readonly number[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function notWritten(): SandboxError {
  return new SandboxError('ERR_AUDIT_STORE', 'The run was not started, because the audit of it cannot be written.', {
    hint: 'Send it again later. The operator finds the reason in the log.',
    retryAfterMs: RETRY_MS,
  });
}
