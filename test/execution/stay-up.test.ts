import { expect, test } from 'vitest';
import { StayUp } from '../../src/execution/stay-up.ts';

const USUAL = { afterMs: 2_000, maxImageBytes: 1 };

test.each([
  ['a minute', { nextTimer: null, now: 0 }, 60_000],
  ['as long as it waits for its timer', { nextTimer: 86_400_000, now: 0 }, 86_400_001],
  ['a minute when its timer is nearer', { nextTimer: 1_000, now: 0 }, 60_000],
])('a run that could not be put away stays for %s', (_, wait, afterMs) => {
  expect(new StayUp().refused(USUAL, wait, 0)).toEqual({ ...USUAL, afterMs });
});

test('a run that is sent away all the same, for want of memory, stays for good, just under a minute later and not just over', () => {
  const wait = { nextTimer: null, now: 0 };
  const stay = new StayUp();
  expect(stay.refused(USUAL, wait, 0)).toBeDefined();
  expect(stay.refused(USUAL, wait, 59_999)).toBeUndefined();
  expect(stay.refused(USUAL, wait, 59_999 + 60_000)).toBeDefined();
  expect(stay.refused(undefined, wait, 1e9)).toBeUndefined();
});
