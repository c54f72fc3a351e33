import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PooledRun } from '../../../src/execute/executor/pooled-run.ts';
import { RoomMaker } from '../../../src/execute/executor/room-maker.ts';

class WaitingRun {
  movedAt: number;
  askedAt = -Infinity;
  asked = 0;

  constructor(waitedMs: number) {
    this.movedAt = performance.now() - waitedMs;
  }

  hibernate(now: number): void {
    this.askedAt = now;
    this.asked++;
  }
}

let runs: WaitingRun[] = [];
let room: RoomMaker;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  vi.advanceTimersByTime(100_000);
  room = new RoomMaker(() => runs as unknown as PooledRun[]);
});
afterEach(() => {
  room.close();
  vi.useRealTimers();
});
const asked = (): number[] => runs.map((run) => run.asked);

test('those that wait longest are asked, as many as there are to be let in', () => {
  runs = [1_000, 9_000, 5_000].map((ms) => new WaitingRun(ms));
  room.want(2);
  expect(asked()).toEqual([0, 1, 1]);
});

test('a run that has waited for a moment only is not asked yet', () => {
  runs = [new WaitingRun(99), new WaitingRun(0)];
  room.want(2);
  expect(asked()).toEqual([0, 0]);
  vi.advanceTimersByTime(50);
  expect(asked()).toEqual([1, 0]);
  vi.advanceTimersByTime(50);
  expect(asked()).toEqual([1, 1]);
});

test('no other is asked while one is on its way out, and the same one not again in the same wait', () => {
  runs = [new WaitingRun(9_000), new WaitingRun(5_000)];
  room.want(1);
  vi.advanceTimersByTime(400);
  expect(asked()).toEqual([1, 0]);
  // It did not go: it cannot.
  vi.advanceTimersByTime(5_000);
  expect(asked()).toEqual([1, 1]);
  const [first] = runs;
  if (first) first.movedAt = performance.now();
  vi.advanceTimersByTime(5_000);
  expect(asked()).toEqual([2, 1]);
});

test('nobody is asked when nobody waits any more', () => {
  runs = [new WaitingRun(0)];
  room.want(1);
  room.want(0);
  vi.advanceTimersByTime(5_000);
  expect(asked()).toEqual([0]);
});
