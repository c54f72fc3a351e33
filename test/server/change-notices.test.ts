import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createChangeNotices } from '../../src/server/change-notices.ts';

const INTERVAL_MS = 60;

test('tells of one change at once', () => {
  let told = 0;
  createChangeNotices(() => told++, INTERVAL_MS).changed();
  expect(told).toBe(1);
});

test('tells of many changes at a bounded rate, and of the last one in any case', async () => {
  let [version, told] = [0, 0];
  const seen: number[] = [];
  const notices = createChangeNotices(() => {
    told++;
    seen.push(version);
  }, INTERVAL_MS);
  const began = performance.now();
  while (performance.now() - began < 4 * INTERVAL_MS) {
    version++;
    notices.changed();
    await sleep(2);
  }
  await sleep(2 * INTERVAL_MS);
  expect(told).toBeGreaterThan(2);
  expect(told).toBeLessThanOrEqual(2 + (performance.now() - began) / INTERVAL_MS);
  expect(seen.at(-1)).toBe(version);
});

test('tells nothing after its end', async () => {
  let told = 0;
  const notices = createChangeNotices(() => told++, INTERVAL_MS);
  notices.changed();
  notices.changed();
  notices.end();
  notices.changed();
  await sleep(2 * INTERVAL_MS);
  expect(told).toBe(1);
});
