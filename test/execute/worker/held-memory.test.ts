import { expect, test } from 'vitest';
import { createHeldMemory, HeldMemory } from '../../../src/execute/worker/held-memory.ts';

test('pages are given up to the maximum and not past it, whoever asks', () => {
  const held = createHeldMemory(10);
  const elsewhere = new HeldMemory(held.share);
  expect([held.tryAdd(6), elsewhere.tryAdd(5), elsewhere.tryAdd(4), held.tryAdd(1)]).toEqual([true, false, true, false]);
  held.add(-6);
  expect([elsewhere.tryAdd(7), elsewhere.tryAdd(6)]).toEqual([false, true]);
});
