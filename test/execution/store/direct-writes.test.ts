import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { DirectConnection } from '../../../src/execution/store/direct-connection.ts';
import { DirectWrites } from '../../../src/execution/store/direct-writes.ts';
import type { StoreRequest } from '../../../src/execution/store/store-protocol.ts';
import { BUSY_TIMEOUT_MS } from '../../../src/store/database.ts';
import { COMPLETED, LIMITS, newExecution, sentCall, START, StoreFolder } from '../stored-executions.ts';

const NOW = 1_700_000_000_000;
const creating = (id: string): StoreRequest => ({ number: 1, method: 'create', parameters: [newExecution(id)] });
const calling = (id: string, call = 1): StoreRequest => ({ number: 2, method: 'call', parameters: [id, sentCall(call)] });

test('what is written directly is there for every other connection as soon as it is acknowledged', async () => {
  await using folder = new StoreFolder();
  const looking = folder.open();
  const direct = new DirectConnection({ file: folder.file, group: 'test', limits: LIMITS, owner: 'me' });
  expect(direct.write([creating('one'), calling('one')], NOW)).toHaveLength(2);
  expect((await looking.read('one'))?.calls).toEqual([sentCall(1)]);
  direct.close();
});

test('a transaction that cannot be had, or of which anything fails, leaves nothing, at once', async () => {
  await using folder = new StoreFolder();
  const looking = folder.open();
  const direct = new DirectConnection({ file: folder.file, group: 'test', limits: LIMITS, owner: 'me' });
  const other = new DatabaseSync(folder.file);
  other.exec('BEGIN IMMEDIATE');
  const began = performance.now();
  expect(direct.write([creating('one')], NOW)).toBeUndefined();
  // SQLite would wait for as long: the event loop would stand still.
  expect(performance.now() - began).toBeLessThan(BUSY_TIMEOUT_MS / 2);
  other.exec('COMMIT');
  other.close();
  expect(direct.write([creating('one'), calling('none')], NOW)).toBeUndefined();
  expect(direct.write([creating('one'), { number: 3, method: 'restarted', parameters: ['one'] }], NOW)).toBeUndefined();
  expect(await looking.read('one')).toBeUndefined();
  const foreign = new DirectConnection({ file: folder.file, group: 'test', limits: LIMITS, owner: 'another' });
  expect(foreign.write([creating('one')], NOW)).toHaveLength(1);
  expect(direct.write([calling('one')], NOW)).toBeUndefined();
  for (const connection of [direct, foreign]) connection.close();
});

test('nothing is written directly before there is an owner, without a file, where no connection can be had, or after the end', async () => {
  await using folder = new StoreFolder();
  const group = { group: 'test', limits: LIMITS };
  folder.open();
  const [own, memory, missing] = [folder.file, undefined, `${folder.path}/none/executions.db`].map(
    (file) => new DirectWrites({ ...group, file }, () => undefined),
  );
  expect(own?.write([creating('one')], NOW).size).toBe(0);
  for (const writes of [own, memory, missing]) writes?.open('me');
  expect([own, memory, missing].map((writes) => writes?.write([creating('one')], NOW).size)).toEqual([1, 0, 0]);
  expect([own?.takeUnnoted(), own?.takeUnnoted()]).toEqual([1, 0]);
  own?.close();
  expect(own?.write([creating('two')], NOW).size).toBe(0);
});

test('while another process writes a call waits for it, in its order, and the event loop does not', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await store.create(newExecution('one'));
  await store.start('one', START);
  const other = new DatabaseSync(folder.file);
  other.exec('BEGIN IMMEDIATE');
  const order: string[] = [];
  const written = [
    store.call('one', sentCall(1)).then(() => order.push('call')),
    store.answered('one', sentCall(1), { ok: true, value: '1' }).then(() => order.push('answered')),
  ];
  // A turn in which it is tried here, and many others: nobody sleeps in them.
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(order).toEqual([]);
  other.exec('COMMIT');
  other.close();
  // Behind what waits: not one of them may pass it.
  const later = store.ended('one', COMPLETED).then(() => order.push('ended'));
  await Promise.all([...written, later]);
  expect(order).toEqual(['call', 'answered', 'ended']);
  expect(await store.read('one')).toMatchObject({
    status: 'completed',
    isComplete: true,
    calls: [{ stage: 'answered', answer: { value: '1' } }],
  });
});

test('what could not be written is told as before, and what comes next is known not to be all there is', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await store.create(newExecution('one'));
  await store.start('one', START);
  const other = new DatabaseSync(folder.file);
  other.exec("CREATE TRIGGER refuse BEFORE INSERT ON parts WHEN NEW.kind = 4 BEGIN SELECT RAISE(ABORT, 'no'); END");
  store.history('one', { steps: [[1]], files: [] });
  // It is asked for, and so behind what nobody waits for.
  await store.read('one');
  other.exec('DROP TRIGGER refuse');
  other.close();
  await store.call('one', sentCall(1));
  expect(await store.read('one')).toMatchObject({ isComplete: false, calls: [{ stage: 'sent' }] });
});

test('what was written directly counts when room is made: the time of what ended is over for readers too', async () => {
  await using folder = new StoreFolder();
  let now = NOW;
  const store = folder.open({ limits: { executionTtlMs: 1_000 }, now: () => now });
  await store.create(newExecution('first'));
  for (let count = 0; count < 100; count++) {
    await store.create(newExecution(`old${count}`));
    await store.ended(`old${count}`, COMPLETED);
  }
  now += 2_000;
  for (let count = 0; count < 5; count++) await store.create(newExecution(`new${count}`));
  expect((await store.list({ limit: 1_000 })).filter(({ id }) => id.startsWith('old'))).toEqual([]);
});
