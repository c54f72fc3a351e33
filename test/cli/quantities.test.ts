import { expect, test } from 'vitest';
import { countOf, duration, momentAfter } from '../../src/cli/quantities.ts';

const HOUR_MS = 3_600_000;

test.each([
  [0, '0 ms', '+0.000 s'],
  [999.4, '999 ms', '+0.999 s'],
  [1_000, '1 s', '+1.000 s'],
  [2_001, '2.001 s', '+2.001 s'],
  [59_999, '59.999 s', '+59.999 s'],
  [60_000, '1 min', '+1 min'],
  [77_517, '1 min 17 s', '+1 min 17 s'],
  [HOUR_MS, '1 h', '+1 h'],
  [25 * HOUR_MS + 61_000, '1 day 1 h 1 min', '+1 day 1 h 1 min'],
  [30 * 24 * HOUR_MS, '30 days', '+30 days'],
])('%d ms is %s', (ms, text, moment) => {
  expect([duration(ms), momentAfter(ms)]).toEqual([text, moment]);
});

test('large numbers can be read', () => {
  expect(countOf(400_000_000_000)).toBe('400,000,000,000');
});
