import { expect, test } from 'vitest';
import { putAllAway } from '../../src/live/put-all-away.ts';

test('nobody is asked and nothing is waited for when no run is awake', async () => {
  await putAllAway({ hibernate: () => expect.unreachable(), awake: () => 0, quietMs: 600_000, mostMs: 600_000 });
});

test('is over as soon as the last one is away', async () => {
  let left = 0;
  let looks = 0;
  // One goes with each look.
  await putAllAway({ hibernate: () => (left = 5), awake: () => (looks++ === 0 ? 5 : --left), quietMs: 600_000, mostMs: 600_000 });
  expect(left).toBe(0);
});

test('is given up when none goes any more, and when it takes too long in all', async () => {
  let left = 5;
  await putAllAway({ hibernate: () => undefined, awake: () => Math.max(2, left--), quietMs: 20, mostMs: 600_000 });
  expect(left).toBeLessThan(2);
  let endless = 1_000_000;
  await putAllAway({ hibernate: () => undefined, awake: () => endless--, quietMs: 600_000, mostMs: 30 });
  expect(endless).toBeGreaterThan(900_000);
});
