import { expect, test } from 'vitest';
import { begin, openRuns } from '../carried.ts';

test('an answer has the time at which it came, which is before all that the program does with it', async () => {
  // The store has a clock of its own: what it wrote down would be years later.
  let now = 0;
  await using all = openRuns({ clocks: { wall: () => ++now, monotonic: () => performance.now() } });
  const run = await begin(all, [{ call: ['one'] }, { call: ['two', 'three'] }, { call: ['four'] }]);
  await run.outcome;
  const times = (await all.store.read(run.id))?.calls.map(({ at, answeredAt = Infinity }) => [at, answeredAt]) ?? [];
  const [[, one] = [], [two] = [], , [four] = []] = times;
  expect(one).toBeLessThan(two ?? 0);
  expect(Math.max(...times.slice(1, 3).map(([, at = Infinity]) => at))).toBeLessThan(four ?? 0);
});
