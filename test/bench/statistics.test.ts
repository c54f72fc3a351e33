import { expect, test } from 'vitest';
import { describe as describeValues, percentiles, repeatUntilSteady, sampleUntilSteady, uncertainty } from '../../bench/statistics.ts';

test('the spread of values that are all the same is zero', () => {
  expect(describeValues([2, 2, 2, 2])).toEqual({ p50: 2, p95: 2, spread: 0, count: 4, steady: true });
});

test('the spread is half the distance between the quartiles over the median', () => {
  expect(describeValues([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]).spread).toBeCloseTo((10 - 4) / 2 / 7);
});

test('fewer than five batches say nothing', () => {
  expect(uncertainty([1, 1, 1, 1])).toBe(Number.POSITIVE_INFINITY);
  expect(uncertainty([1, 1, 1, 1, 1])).toBe(0);
});

test('the same deviation is less uncertain in more batches', () => {
  const few = uncertainty([9, 10, 11, 9, 11]);
  const many = uncertainty(Array.from({ length: 50 }, (_, at) => 9 + (at % 3)));
  expect(few).toBeGreaterThan(many);
  expect(many).toBeGreaterThan(0);
});

test('steady values end a sample before its time is used up', async () => {
  let batches = 0;
  const sample = await sampleUntilSteady(() => Promise.resolve([5, 5, (batches += 1) * 0 + 5]), { bound: 0.05, budgetMs: 60_000 });
  expect(sample).toMatchObject({ p50: 5, steady: true, count: 15 });
  expect(batches).toBe(5);
});

test('values that never agree are given up when the time is used up, and said to be unsteady', async () => {
  let number = 0;
  const batch = (): Promise<number[]> => Promise.resolve([(number += 1) % 2 === 0 ? 1 : 100]);
  expect(await sampleUntilSteady(batch, { bound: 0.01, budgetMs: 20 })).toMatchObject({ steady: false });
});

test('several figures are measured again until the worst of them stands still', async () => {
  let runs = 0;
  const measure = (): Promise<{ a: number; b: number }> => Promise.resolve({ a: 1, b: (runs += 1) < 4 ? 2 * runs : 10 });
  const { results, steady } = await repeatUntilSteady(measure, ({ a, b }) => [a, b], { bound: 0.01, budgetMs: 60_000 });
  expect(steady).toBe(true);
  expect(results.length).toBeGreaterThan(5);
});

test('percentiles go from the least to the largest value', () => {
  const all = percentiles([3, 1, 2]);
  expect(all).toHaveLength(101);
  expect([all[0], all[100]]).toEqual([1, 3]);
});
