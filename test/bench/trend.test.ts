import { expect, test } from 'vitest';
import { figure, growth, lineThrough } from '../../bench/curves/trend.ts';

const points = (...pairs: [number, number][]): { x: number; y: number }[] => pairs.map(([x, y]) => ({ x, y }));

test('the line through points on a line is that line', () => {
  const line = lineThrough(points([1, 5], [2, 7], [10, 23]));
  expect(line.start).toBeCloseTo(3);
  expect(line.slope).toBeCloseTo(2);
  expect(line.fit).toBeCloseTo(1);
});

test('a bent curve is not explained by a line', () => {
  expect(lineThrough(points([1, 1], [2, 4], [3, 9], [10, 100], [20, 400])).fit).toBeLessThan(0.98);
});

test('growth is told in words', () => {
  expect(growth(points([10, 5], [1_000, 5.2]))).toBe('hardly at all');
  expect(growth(points([1, 10], [100, 100]))).toBe('more slowly than in proportion');
  expect(growth(points([1, 10], [100, 990]))).toBe('in proportion');
  expect(growth(points([1, 1], [10, 100]))).toBe('faster than in proportion');
});

test('figures have about three digits', () => {
  expect([0.01234, 0.1234, 1.234, 12.34, 123.4, 12_345].map(figure)).toEqual(['0.0123', '0.12', '1.23', '12.3', '123', '12,345']);
});
