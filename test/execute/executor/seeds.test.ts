import { expect, test } from 'vitest';
import { freshSeed } from '../../../src/execute/executor/seeds.ts';

test('every seed is 64 hexadecimal digits, and no two are alike', () => {
  const seeds = Array.from({ length: 1_000 }, freshSeed);
  expect(seeds.every((seed) => /^[0-9a-f]{64}$/.test(seed))).toBe(true);
  expect(new Set(seeds).size).toBe(1_000);
  // Nor do they share bytes where one batch of random bytes ends and the next begins.
  expect(new Set(seeds.map((seed) => seed.slice(0, 16))).size).toBe(1_000);
});
