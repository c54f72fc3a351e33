import type { AuditEvent } from './audit-event.ts';

/** Lines alike that come within so long are one line, with their number. */
const TOGETHER_MS = 1_000;
const MAX_KEYS = 1_000;
/** What anybody can cause as fast as the network goes, at no cost: lines of it must not push out the others, nor fill a disk. */
const CHEAP = /^ERR_(?:QUOTA|ACCESS)_/;

/** Makes one line of many that are alike. The first of them is told at once. */
export class MassEvents {
  readonly #tell: (event: AuditEvent) => void;
  readonly #seen = new Map<string, { since: number; more: number; event: AuditEvent }>();

  /** @param tell gets what is to be recorded */
  constructor(tell: (event: AuditEvent) => void) {
    this.#tell = tell;
  }

  add(event: AuditEvent, now: number): void {
    if (event.kind !== 'auth' && !CHEAP.test(event.code ?? '')) return this.#tell(event);
    this.settle(now);
    const name = JSON.stringify([event.kind, event.principal, event.code]);
    const key = this.#seen.has(name) || this.#seen.size < MAX_KEYS ? name : event.kind;
    const seen = this.#seen.get(key);
    if (seen === undefined) {
      this.#seen.set(key, { since: now, more: 0, event });
      return this.#tell(event);
    }
    seen.more++;
    seen.event = event;
    return undefined;
  }

  /** Whether something is left to be told later. */
  get isEmpty(): boolean {
    return this.#seen.size === 0;
  }

  /** Tells those whose time is over. The oldest are first. */
  settle(now: number): void {
    for (const [key, { since, more, event }] of this.#seen) {
      // A clock that was set back ends the time too.
      if (now - since < TOGETHER_MS && now >= since) return;
      this.#seen.delete(key);
      if (more > 0) this.#tell(more === 1 ? event : { ...event, times: more });
    }
  }

  /** Tells all of them. */
  end(): void {
    this.settle(Infinity);
  }
}
