import { parseDate } from './date-parse.ts';
import * as p from './primordials.ts';

/** Milliseconds since 1970. Stands still while code computes; only the host moves it. */
const clock = { now: 0, started: 0 };

export function startClock(now: number): void {
  clock.now = clock.started = now;
}

/** The host never goes backwards. Without a branch, so that a run's fuel does not depend on how fast its tools answered. */
export function moveClock(now: number): void {
  clock.now = now;
}

export function now(): number {
  return clock.now;
}

/** `Date` on the run's clock. Shares its prototype with the engine's, so that instances are the real ones. */
export function installDate(): void {
  const VirtualDate = function Date(this: unknown, ..._parts: unknown[]): unknown {
    if (new.target === undefined) return p.dateToString(new p.NativeDate(p.trunc(clock.now)));
    // oxlint-disable-next-line prefer-rest-params -- a rest list would have Array.prototype in its reach
    const first: unknown = arguments.length === 1 ? arguments[0] : undefined;
    const parts = arguments.length === 0 ? [p.trunc(clock.now)] : typeof first === 'string' ? [parseDate(first)] : arguments;
    return p.construct(p.NativeDate, parts, new.target);
  };
  const members: PropertyDescriptorMap = {
    prototype: { value: p.NativeDate.prototype, writable: false },
    now: { value: () => p.trunc(clock.now), writable: true, configurable: true },
    parse: { value: { parse: (text: unknown) => parseDate(p.NativeString(text)) }.parse, writable: true, configurable: true },
    UTC: { value: p.NativeDate.UTC, writable: true, configurable: true },
    length: { value: 7, configurable: true },
    name: { value: 'Date', configurable: true },
  };
  Object.defineProperties(VirtualDate, members);
  Object.defineProperty(members['now']?.value, 'name', { value: 'now', configurable: true });
  p.defineProperty(p.NativeDate.prototype, 'constructor', { value: VirtualDate, writable: true, configurable: true, enumerable: false });
  p.defineProperty(globalThis, 'Date', { value: VirtualDate, writable: true, configurable: true, enumerable: false });
}

/** `performance.now()` and `performance.timeOrigin` on the same clock. */
export function makePerformance(): object {
  return {
    now: () => clock.now - clock.started,
    get timeOrigin() {
      return clock.started;
    },
    toJSON: () => ({ timeOrigin: clock.started }),
  };
}
