import { expect, test } from 'vitest';
import { ToldCalls } from '../../src/execute/told-calls.ts';
import type { RunFrom } from '../../src/execute/run.ts';
import { DEFAULT_RUN_LIMITS } from '../support/executor.ts';

function told(from?: RunFrom, tells = true): ToldCalls {
  const program = { key: 'k', script: '' };
  const limits = { ...DEFAULT_RUN_LIMITS, maxToolCalls: 5, maxConcurrentToolCalls: 2, maxToolArgumentBytes: 10 };
  return new ToldCalls({ executionId: 'e', program, input: 'null', state: '{}', limits, now: 100, ...(from && { from }) }, tells);
}

const call = (number: number, bytes = 2): { call: number; server: string; tool: string; bytes: number } => ({
  call: number,
  server: 's',
  tool: 't',
  bytes,
});

test('calls are within the limits of the run, each just within and just over', () => {
  expect([told().refuseCalls([call(4), call(5)]), told().refuseCalls([call(6)])]).toEqual([undefined, expect.stringMatching(/numbered/)]);
  expect([told().refuseCalls([call(1, 10)]), told().refuseCalls([call(1, 11)])]).toEqual([undefined, expect.stringMatching(/too large/)]);
  const run = told();
  expect([run.refuseCalls([call(1), call(2)]), run.refuseCalls([call(3)])]).toEqual([undefined, expect.stringMatching(/at once/)]);
  run.answered(1);
  expect([told().refuseCalls([call(3), call(2)]), run.refuseCalls([call(3)])]).toEqual([expect.stringMatching(/numbered/), undefined]);
});

test('a run that goes on has the calls that it was put away with, and they count as running once it asks about them', () => {
  const run = told({ kind: 'image', image: new Uint8Array(1), now: 200.7, pending: [1, 2], lastCall: 3 });
  expect([run.last, run.clock, run.hasNews]).toEqual([3, 200, false]);
  expect(run.isWaitingFor([1, 2])).toBe(true);
  expect(run.refuseAwaits([3])).toMatch(/had not made/);
  expect([run.refuseAwaits([1, 2]), run.refuseAwaits([2])]).toEqual([undefined, expect.stringMatching(/twice/)]);
  expect(run.refuseCalls([call(4)])).toMatch(/at once/);
  expect(run.refuseHistory({ steps: [[199]] })).toMatch(/backwards/);
  run.answered(2);
  expect(run.refuseHistory({ steps: [[200, 2]] })).toBeUndefined();
  expect([run.isWaitingFor([1]), run.isWaitingFor([2])]).toEqual([true, false]);
});

test('a run that is begun again makes its calls once more, waits for none that its steps had settled, and is not told of these twice', () => {
  const run = told({
    kind: 'history',
    steps: [
      [150, 1],
      [160, 2],
    ],
  });
  expect([run.last, run.clock]).toEqual([0, 160]);
  expect(run.refuseCalls([call(1), call(2)])).toBeUndefined();
  expect([run.isWaitingFor([1]), run.isWaitingFor([])]).toEqual([false, true]);
  run.answered(1);
  expect(run.refuseHistory({ steps: [[170, 1]] })).toMatch(/no answer/);
  expect(run.refuseCalls([call(3)])).toBeUndefined();
  expect(run.isWaitingFor([3])).toBe(true);
});

test('a run that tells nothing of its steps holds no call that was answered', () => {
  const run = told(undefined, false);
  for (const number of [1, 2, 3, 4, 5]) {
    expect(run.refuseCalls([call(number)])).toBeUndefined();
    run.answered(number);
  }
  expect([1, 2, 3, 4, 5].some((number) => run.isWaitingFor([number]))).toBe(false);
});
