import { expect, test } from 'vitest';
import { withFigures } from '../../reliability/soak/document.ts';
import { fifths, judge, slope, type Sample } from '../../reliability/soak/figures.ts';
import { soakRun } from '../../reliability/soak/programs.ts';

const MiB = 1024 * 1024;

function samplesOf(change: (at: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: 61 }, (_, at) => ({
    runs: at,
    gatewayBytes: 300 * MiB,
    executorBytes: 300 * MiB,
    heapBytes: 60 * MiB,
    descriptors: 90,
    timers: 0,
    temporaryFiles: 0,
    cacheBytes: 20 * MiB,
    executionBytes: 8 * MiB,
    ...change(at),
  }));
}

const growing = (samples: readonly Sample[]): string[] => judge(samples).flatMap(({ figure, isFlat }) => (isFlat ? [] : [figure]));

test('what grows in the second half is found, and what grew in the first is not', () => {
  expect(growing(samplesOf(() => ({})))).toEqual([]);
  expect(growing(samplesOf((at) => ({ gatewayBytes: 300 * MiB + Math.min(at, 30) * 10 * MiB })))).toEqual([]);
  expect(growing(samplesOf((at) => ({ gatewayBytes: 300 * MiB + at * MiB })))).toEqual(['resident memory of the gateway']);
  expect(growing(samplesOf((at) => ({ heapBytes: 60 * MiB + at * 0.2 * MiB })))).toEqual(['heap of the gateway']);
  expect(growing(samplesOf((at) => ({ descriptors: 90 + Math.floor(at / 5) })))).toEqual(['descriptors']);
  expect(growing(samplesOf((at) => ({ executionBytes: (8 + at / 2) * MiB })))).toEqual(['store of executions']);
  expect(growing(samplesOf((at) => ({ temporaryFiles: at > 50 ? 1 : 0 })))).toEqual(['temporary files']);
});

test('a single high sample is no growth, and what falls is none either', () => {
  expect(growing(samplesOf((at) => ({ heapBytes: (at === 45 ? 80 : 60) * MiB })))).toEqual([]);
  expect(growing(samplesOf((at) => ({ descriptors: 200 - at, executorBytes: (400 - at) * MiB })))).toEqual([]);
});

test('the slope is that of the line of least squares', () => {
  expect(slope([1, 3, 5, 7])).toBe(2);
  expect(slope([5])).toBe(0);
  expect(slope([0, 1, 0, 1])).toBeCloseTo(0.2);
});

test('each fifth has its own 95th percentile', () => {
  const latencies = Array.from({ length: 500 }, (_, n) => (n >= 400 ? 2 : 1) * (n % 100));
  expect(fifths(latencies)).toEqual([95, 95, 95, 95, 190]);
});

test('every stretch of the soak is of the same mix', () => {
  const kinds = (from: number): string[] => Array.from({ length: 20 }, (_, n) => soakRun(from + n).kind).sort();
  expect(kinds(1)).toEqual(kinds(100_001));
  expect(new Set(kinds(1)).size).toBeGreaterThan(8);
});

test('new figures take the place of old ones in the page', () => {
  const page = 'before\n<!-- soak: written by npm run soak -- --document -->\nold\n<!-- soak: end -->\nafter\n';
  const once = withFigures(page, 'new\n', 'today');
  expect(once).toMatch(/^before\n[^]*today:\n\n```\nnew\n```\n\n<!-- soak: end -->\nafter\n$/);
  expect(withFigures(once, 'new\n', 'today')).toBe(once);
  expect(() => withFigures('nothing', 'new', 'today')).toThrow('has no lines');
});
