import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { WakeTimers } from '../../src/execution/wake-timers.ts';

afterEach(() => {
  vi.useRealTimers();
});

function played(): { timers: WakeTimers; now: () => number } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const now = (): number => performance.now();
  return { timers: new WakeTimers({ monotonic: now }), now };
}

test('wakes everybody at their time and in their order, whoever is cancelled in between', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 1_000 }), fc.boolean()), { maxLength: 60 }), (times) => {
      const { timers, now } = played();
      const began = now();
      const woken: [number, number][] = [];
      const all = times.map(([ms]) => timers.at(began + ms, () => woken.push([ms, now() - began])));
      for (const [index, [, isCancelled]] of times.entries()) {
        const time = all[index];
        if (isCancelled && time) timers.cancel(time);
        if (isCancelled && time) timers.cancel(time);
      }
      vi.advanceTimersByTime(1_001);
      const kept = times.filter(([, isCancelled]) => !isCancelled).map(([ms]) => ms);
      expect(woken.map(([ms]) => ms)).toEqual(kept.toSorted((a, b) => a - b));
      for (const [ms, at] of woken) expect(at - Math.max(ms, 1)).toBeCloseTo(0, 5);
      expect(timers.size).toBe(0);
      vi.useRealTimers();
    }),
  );
});

test('waits for longer than a timer of Node can', () => {
  const { timers, now } = played();
  const month = 30 * 86_400_000;
  let at = 0;
  timers.at(now() + month, () => (at = now()));
  const began = now();
  vi.advanceTimersByTime(month - 1);
  expect(at).toBe(0);
  vi.advanceTimersByTime(2);
  expect(at - began).toBeCloseTo(month, 0);
});

test('keeps no process alive, and forgets everything when it is closed', () => {
  const { timers, now } = played();
  let isWoken = false;
  timers.at(now() + 5, () => (isWoken = true));
  timers.close();
  vi.advanceTimersByTime(10);
  expect([isWoken, timers.size]).toEqual([false, 0]);
  vi.useRealTimers();
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const real = new WakeTimers({ monotonic: () => performance.now() });
  real.at(performance.now() + 60_000, () => undefined);
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBe(before);
  real.close();
});

test('wakes those who are due although what one of them does adds and cancels others', () => {
  const { timers, now } = played();
  const woken: string[] = [];
  const began = now();
  const late = timers.at(began + 3, () => woken.push('late'));
  timers.at(began + 1, () => {
    woken.push('first');
    timers.cancel(late);
    timers.at(began + 1, () => woken.push('added'));
  });
  timers.at(began + 2, () => woken.push('second'));
  vi.advanceTimersByTime(10);
  expect(woken).toEqual(['first', 'added', 'second']);
});
