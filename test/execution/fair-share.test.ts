import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import { Goers } from '../../src/execution/ended-goers.ts';
import { HeldBytes } from '../../src/execution/held-bytes.ts';
import { openExecutionsDatabase } from '../../src/execution/store/execution-tables.ts';
import { COMPLETED, MiB, newExecution, StoreFolder, waitOf } from './stored-executions.ts';

const KiB = 1024;

/** An execution that holds about so many bytes, which no other does. */
async function ended(store: ExecutionStore, id: string, principal: string, bytes: number): Promise<void> {
  await store.create(newExecution(id, { principal, request: randomBytes(bytes / 2).toString('hex') }));
  await store.ended(id, COMPLETED);
}

async function left(store: ExecutionStore, principal: string): Promise<string[]> {
  return (await store.list({ principal, status: ['completed'] })).map(({ id }) => id).toReversed();
}

test.each([
  ['a little less than another one', 390, ['ann1', 'ann2', 'ann3'], ['bob2', 'bob3']],
  ['a little more than another one', 410, ['ann2', 'ann3'], ['bob1', 'bob2', 'bob3']],
])('of a principal that holds %s the oldest go last, or first', async (_name, kilobytes, ann, bob) => {
  await using folder = new StoreFolder();
  let now = 1_000_000_000;
  const store = folder.open({ limits: { maxStoredBytes: 4 * MiB }, now: () => now });
  for (const n of [1, 2, 3]) await ended(store, `ann${n}`, 'ann', kilobytes * KiB);
  for (const n of [1, 2, 3]) await ended(store, `bob${n}`, 'bob', 400 * KiB);
  now += 60_000;
  await store.create(newExecution('sleeper', { principal: 'eve' }));
  await store.hibernated('sleeper', waitOf(), randomBytes(1.75 * MiB));
  expect([await left(store, 'ann'), await left(store, 'bob')]).toEqual([ann, bob]);
});

test('nobody pushes out what others have: what goes is the own, also where what sleeps is what is most', async () => {
  await using folder = new StoreFolder();
  let now = 1_000_000_000;
  const store = folder.open({ limits: { maxStoredBytes: 4 * MiB }, now: () => now });
  await ended(store, 'ann1', 'ann', 200 * KiB);
  await store.create(newExecution('sleeper', { principal: 'eve' }));
  await store.hibernated('sleeper', waitOf(), randomBytes(1.5 * MiB));
  for (let n = 1; n <= 40; n++) {
    now += 60_000;
    await ended(store, `eve${n}`, 'eve', 200 * KiB);
  }
  expect(await left(store, 'ann')).toEqual(['ann1']);
  const own = await left(store, 'eve');
  expect(own.at(-1)).toBe('eve40');
  expect(own.length).toBeLessThan(14);
  // Where it has nothing more that may go, others have to: what goes on is never dropped.
  await ended(store, 'ann2', 'ann', 1_000 * KiB);
  await store.create(newExecution('second', { principal: 'eve' }));
  now += 60_000;
  await store.hibernated('second', waitOf(), randomBytes(1.4 * MiB));
  expect([await left(store, 'ann'), await left(store, 'eve')]).toEqual([['ann2'], []]);
  expect((await store.list({ status: ['waiting'] })).map(({ id }) => id)).toEqual(['second', 'sleeper']);
});

test('questions to people count for whose they are', async () => {
  await using folder = new StoreFolder();
  let now = 1_000_000_000;
  const store = folder.open({ limits: { maxStoredBytes: 2 * MiB }, now: () => now });
  await ended(store, 'ann1', 'ann', 400 * KiB);
  await store.create(newExecution('eve1', { principal: 'eve' }));
  const asked = {
    executionId: 'eve1',
    principal: 'eve',
    kind: 'approve',
    server: 'mail',
    tool: 'send',
    text: 'May it?',
    askedAt: 1,
  } as const;
  for (const call of [1, 2]) {
    await store.ask({ ...asked, id: `apr_${call}`, call, arguments: JSON.stringify(randomBytes(150 * KiB).toString('hex')) });
  }
  await store.ended('eve1', COMPLETED);
  now += 60_000;
  await store.create(newExecution('sleeper', { principal: 'bob' }));
  await store.hibernated('sleeper', waitOf(), randomBytes(1.2 * MiB));
  expect([await left(store, 'ann'), await left(store, 'eve')]).toEqual([['ann1'], []]);
});

test('nothing goes for what finds no room all the same, and then it goes in its order', async () => {
  await using folder = new StoreFolder();
  let now = 1_000_000_000;
  const store = folder.open({ limits: { maxStoredBytes: 2 * MiB }, now: () => now });
  await ended(store, 'bob1', 'bob', 300 * KiB);
  for (const n of [1, 2]) await ended(store, `ann${n}`, 'ann', 300 * KiB);
  now += 60_000;
  await store.create(newExecution('sleeper', { principal: 'eve' }));
  for (let time = 0; time < 2; time++) {
    await expect(store.hibernated('sleeper', waitOf(), randomBytes(3 * MiB))).rejects.toMatchObject({ code: 'ERR_EXECUTION_FULL' });
  }
  expect([await left(store, 'ann'), await left(store, 'bob')]).toEqual([['ann1', 'ann2'], ['bob1']]);
  await store.hibernated('sleeper', waitOf(), randomBytes(1.2 * MiB));
  expect([await left(store, 'ann'), await left(store, 'bob')]).toEqual([['ann2'], ['bob1']]);
});

test('what a principal holds is counted a little at a time, and a text that several refer to in parts', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  const long = randomBytes(50 * KiB).toString('hex');
  for (let n = 0; n < 10; n++) {
    const principal = n % 2 === 0 ? 'ann' : 'bob';
    await store.create(newExecution(`shared${n}`, { principal, request: JSON.stringify({ code: long }) }));
  }
  await store.create(newExecution('sleeper', { principal: 'eve' }));
  await store.hibernated('sleeper', waitOf(), randomBytes(90 * KiB));
  await store.close();
  const db = new DatabaseSync(folder.file);
  const held = new HeldBytes(db, 3);
  held.refresh();
  let steps = 1;
  while (held.step()) steps++;
  expect(steps).toBe(3);
  expect(held.most(2)[0]).toBe('eve');
  expect(held.most(9).toSorted()).toEqual(['ann', 'bob', 'eve']);
  const of = (id: string): number => held.of(Number(db.prepare('SELECT n FROM executions WHERE id = ?').get(id)?.['n']))?.bytes ?? 0;
  expect(of('shared0')).toBeGreaterThan(10 * KiB);
  expect(of('shared0')).toBeLessThan(12 * KiB);
  expect(of('sleeper')).toBeGreaterThan(90 * KiB);
  // What is good for a minute is not counted anew.
  held.change({ n: 11, principal: 'eve', bytes: -80 * KiB });
  held.refresh();
  expect(held.step()).toBe(false);
  expect(held.most(1)).not.toEqual(['eve']);
  db.close();
});

test('what goes while it is counted, and was not counted yet, is not taken from what is there', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  for (const n of [1, 2]) await ended(store, `ann${n}`, 'ann', 100 * KiB);
  for (const n of [1, 2, 3]) await ended(store, `eve${n}`, 'eve', 100 * KiB);
  await store.close();
  const db = new DatabaseSync(folder.file);
  const held = new HeldBytes(db, 2);
  held.refresh();
  const { n = 0 } = db.prepare("SELECT n FROM executions WHERE id = 'eve3'").get() as { n?: number };
  const { bytes = 0 } = held.of(n) ?? {};
  for (const sign of [-1, 1, -1]) held.change({ n, principal: 'eve', bytes: sign * bytes });
  db.prepare('DELETE FROM executions WHERE n = ?').run(n);
  while (held.step());
  held.change({ n: 1, principal: 'ann', bytes: -KiB });
  expect(held.most(1)).toEqual(['eve']);
  db.close();
});

test('what goes on is never taken for an execution that had its number, and that another process has removed', () => {
  const db = openExecutionsDatabase(undefined);
  const add = db.prepare("INSERT INTO executions (n, id, grp, principal, status, created, ended) VALUES (?, ?, 'test', 'ann', ?, 1, ?)");
  add.run(1, 'first', 'completed', 10);
  add.run(2, 'second', 'completed', 20);
  const goers = new Goers(db);
  // The second one is looked up with it.
  expect(goers.next(100, 1_000)?.n).toBe(1);
  db.exec('DELETE FROM executions');
  add.run(2, 'awake', 'running', null);
  add.run(3, 'third', 'completed', 30);
  expect(goers.next(100, 1_000)?.n).toBe(3);
  db.exec('DELETE FROM executions WHERE n = 3');
  expect(goers.next(100, 1_000)).toBeUndefined();
  db.close();
});
