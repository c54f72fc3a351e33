import { expect, test } from 'vitest';
import { MemoryShares } from '../src/memory-shares.ts';

test('takes what fits, just under and not just over', () => {
  const memory = new MemoryShares(40);
  expect([memory.take('eve', 20), memory.take('eve', 11), memory.take('eve', 10), memory.take('eve', 1)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  memory.giveBack('eve', 1);
  expect([memory.take('eve', 2), memory.take('eve', 1), memory.bytes]).toEqual([false, true, 30]);
});

test('who takes all that it gets leaves others a quarter of what there is, and so do these', () => {
  const memory = new MemoryShares(64_000);
  const shares = ['eve', 'ann', 'bob'].map((whose) => {
    let bytes = 0;
    while (memory.take(whose, 100)) bytes += 100;
    return bytes;
  });
  expect(shares).toEqual([48_000, 12_000, 3_000]);
  memory.giveBack('eve', 48_000);
  expect([memory.take('ann', 20_000), memory.bytes]).toEqual([true, 35_000]);
});

test('what is there already is counted in any case', () => {
  const memory = new MemoryShares(40);
  memory.force('eve', 100);
  memory.force('ann', 7);
  expect([memory.of('eve'), memory.bytes, memory.take('ann', 1), memory.largest()]).toEqual([100, 107, false, 'eve']);
  memory.giveBack('ann', 7);
  memory.giveBack('eve', 100);
  expect([memory.of('eve'), memory.bytes, memory.largest(), memory.take('ann', 1)]).toEqual([0, 0, undefined, true]);
});
