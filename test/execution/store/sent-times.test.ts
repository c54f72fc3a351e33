import { expect, test } from 'vitest';
import type { StoredCall } from '../../../src/execution/execution-store.ts';
import { newExecution, sentCall, StoreFolder } from '../stored-executions.ts';

test('a call has the times at which it was sent, the last twenty, where that is not once and when it was made', async () => {
  await using folder = new StoreFolder();
  let now = 1_000;
  const store = folder.open({ now: () => ++now });
  await store.create(newExecution('exe_1'));
  const at = 500;
  const write = (number: number, stage: StoredCall['stage']): Promise<void> => store.call('exe_1', sentCall(number, { stage, at }));
  const times = async (number: number): Promise<readonly number[] | undefined> =>
    (await store.read('exe_1'))?.calls.find((call) => call.number === number)?.sentAt;

  await write(1, 'sent');
  await write(2, 'asked');
  await write(2, 'asked');
  expect([await times(1), await times(2)]).toEqual([undefined, undefined]);
  // A person said yes, some time after the call was made.
  await write(2, 'sent');
  const [first = 0] = (await times(2)) ?? [];
  expect([first > 1_000, (await times(2))?.length]).toEqual([true, 1]);
  await write(2, 'sent');
  expect(await times(2)).toEqual([first, expect.any(Number)]);

  for (let again = 0; again < 19; again++) await write(1, 'sent');
  expect(await times(1)).toEqual([at, ...Array.from({ length: 19 }, () => expect.any(Number) as number)]);
  await write(1, 'sent');
  expect([(await times(1))?.length, (await times(1))?.[0] === at]).toEqual([20, false]);
});
