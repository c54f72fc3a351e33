import { expect, test } from 'vitest';
import { openExecutionRegister } from '../../src/execution/execution-register.ts';
import { COMPLETED, LIMITS, newExecution, sentCall, START, StoreFolder } from './stored-executions.ts';

const CALLS = 150;

test('what another thread or process writes meanwhile is seen whole or not at all', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await store.create(newExecution('one'));
  await store.start('one', START);
  using register = openExecutionRegister(folder.file, LIMITS);
  const written: Promise<unknown>[] = [];
  for (let number = 1; number <= CALLS; number++) {
    store.history('one', { steps: [[number, number]], files: [] });
    written.push(store.answered('one', sentCall(number), { ok: true, value: '1' }));
    store.hurry?.();
    await new Promise((resolve) => void setImmediate(resolve));
    // The store's thread commits while this one reads: a count and what it counts have to agree.
    for (let read = 0; read < 4; read++) register.read('one');
  }
  await Promise.all(written);
  await store.ended('one', COMPLETED);
  expect(register.read('one')?.calls).toHaveLength(CALLS);
});
