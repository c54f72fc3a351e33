import { expect, test } from 'vitest';
import { longerFor, remember } from '../../bench/history.ts';
import type { Row } from '../../bench/result.ts';

const row = (value: number, unit: Row['unit'] = 'ms'): Row => ({ id: 'x', name: 'a figure', unit, value });

test('a figure that moved more than 20 % is measured longer the next time', () => {
  const { history } = remember({}, 'http', [row(10)]);
  expect(longerFor(history, 'http')).toBe(1);
  const moved = remember(history, 'http', [row(12.1)]);
  expect(moved.moved).toEqual(['a figure: 10 before, 12.1 now']);
  expect(longerFor(moved.history, 'http')).toBeGreaterThan(1);
});

test('a figure that stands still again goes back to its usual time', () => {
  const first = remember({}, 'http', [row(10)]).history;
  const moved = remember(first, 'http', [row(20)]).history;
  expect(longerFor(remember(moved, 'http', [row(21)]).history, 'http')).toBe(1);
});

test('parts are remembered apart, and counts may change', () => {
  const { history } = remember({}, 'http', [row(10, 'count')]);
  const { moved, history: next } = remember(history, 'http', [row(1, 'count')]);
  expect(moved).toEqual([]);
  expect(longerFor(next, 'check')).toBe(1);
});
