import { expect, test } from 'vitest';
import {
  MAX_FRESH,
  MAX_FRUITLESS,
  MAX_GATEWAYS,
  MAX_RESTARTS,
  MAX_RESTARTS_IN_A_ROW,
  RestartCount,
} from '../../src/execution/restart-count.ts';

test('allows so many restarts in a row, and as many again after something came of the run', () => {
  const count = new RestartCount();
  for (let time = 0; time < MAX_RESTARTS_IN_A_ROW; time++) expect(count.take(true)).toBe(true);
  count.progress();
  for (let time = 0; time < MAX_RESTARTS_IN_A_ROW; time++) expect(count.take(true)).toBe(true);
  expect(count.take(true)).toBe(false);
});

test('allows so many in all, those of other processes among them', () => {
  const count = new RestartCount();
  expect(count.takeOver(MAX_RESTARTS - 2, 0)).toBe(true);
  expect(count.take(true)).toBe(true);
  count.progress();
  expect(count.take(true)).toBe(false);
  expect(new RestartCount().takeOver(MAX_RESTARTS, 0)).toBe(false);
});

test('allows so many gateways in a row, each later than the one before', () => {
  const count = new RestartCount();
  expect([count.takeOver(0, 0), count.delayMs(1)]).toEqual([true, 0]);
  expect([count.takeOver(1, 1), count.delayMs(1)]).toEqual([true, 2_000]);
  expect([count.takeOver(9, MAX_GATEWAYS - 1), count.takeOver(10, MAX_GATEWAYS)]).toEqual([true, false]);
});

test('counts processes that end before the run has begun apart', () => {
  const count = new RestartCount();
  for (let time = 0; time < MAX_FRUITLESS; time++) expect(count.take(false)).toBe(true);
  expect(count.take(true)).toBe(true);
  expect(count.take(false)).toBe(false);
});

test('gives a run that has never begun to so many processes, and one whose image is damaged one more beginning', () => {
  const count = new RestartCount();
  for (let process = 1; process < MAX_FRESH; process++) expect(count.takeFresh()).toBe(true);
  expect([count.takeFresh(), count.takeDamage(), count.takeDamage()]).toEqual([false, true, false]);
});

test('waits before a restart that is not the first, never for more than ten seconds', () => {
  const count = new RestartCount();
  const delays = Array.from({ length: MAX_FRUITLESS }, () => {
    count.take(false);
    return [count.delayMs(0), count.delayMs(1)];
  });
  expect(delays.slice(0, 5)).toEqual([
    [0, 0],
    [0, 2_000],
    [0, 4_000],
    [0, 8_000],
    [0, 10_000],
  ]);
  expect(delays.at(-1)).toEqual([0, 10_000]);
});
