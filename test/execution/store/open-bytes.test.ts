import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { ExecutionStore, StoredApproval } from '../../../src/execution/execution-store.ts';
import { openExecutionsDatabase } from '../../../src/execution/store/execution-tables.ts';
import { EXECUTION_BYTES, MIGRATIONS } from '../../../src/execution/store/store-schema.ts';
import { COMPLETED, MiB, newExecution, sentCall, START, StoreFolder, waitOf } from '../stored-executions.ts';

const M = 8 * MiB;
const FULL = { code: 'ERR_EXECUTION_FULL' };

/** An execution that holds so many bytes, to the last one. */
async function holding(store: ExecutionStore, id: string, principal: string, bytes: number): Promise<void> {
  await store.create(newExecution(id, { principal, request: 'x'.repeat(bytes - EXECUTION_BYTES) }));
}

function sums(file: string): { readonly kept: unknown[]; readonly counted: unknown[] } {
  const db = new DatabaseSync(file, { readOnly: true });
  const counted = `SELECT principal, sum(fixedBytes + recordBytes + imageBytes) AS bytes FROM executions WHERE ended IS NULL GROUP BY principal`;
  const result = {
    kept: db.prepare('SELECT principal, bytes FROM open_bytes ORDER BY principal').all(),
    counted: db.prepare(`SELECT * FROM (${counted} UNION ALL SELECT '', ifnull(sum(bytes), 0) FROM (${counted})) ORDER BY principal`).all(),
  };
  db.close();
  return result;
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

function question(executionId: string, call: number, bytes: number): StoredApproval {
  const rest = { principal: 'eve', kind: 'approve', server: 'mail', tool: 'send', text: 'May it?', askedAt: 1 } as const;
  return { id: `apr_${executionId}_${call}`, executionId, call, arguments: JSON.stringify('x'.repeat(bytes)), ...rest };
}

describe('a principal begins another execution', () => {
  test('as long as what its own hold is less than what is free, and not from then on; others do', async () => {
    await using folder = new StoreFolder();
    const store = folder.open({ limits: { maxStoredBytes: M } });
    await holding(store, 'first', 'eve', M / 2 - EXECUTION_BYTES - 1);
    store.admit('eve');
    await holding(store, 'second', 'eve', EXECUTION_BYTES + 1);
    expect(() => store.admit('eve')).toThrow(expect.objectContaining(FULL));
    expect(() => store.admit('eve')).toThrow(/"eve".*4194304 bytes.*limits\.maxStoredBytes \(8388608\)/);
    store.admit('ann');
    await store.ended('second', COMPLETED);
    store.admit('eve');
  });

  test('is asked in time while the store writes', async () => {
    await using folder = new StoreFolder();
    const store = folder.open({ limits: { maxStoredBytes: M } });
    await holding(store, 'first', 'eve', M / 2);
    const writing = holding(store, 'large', 'ann', MiB);
    expect(() => store.admit('eve')).toThrow(expect.objectContaining(FULL));
    await writing;
  });
});

describe('what was let in grows to three times what is free', () => {
  test.each([
    ['just under', 0, 1, 'stored'],
    ['just over', 4, 0, 'ERR_EXECUTION_FULL'],
  ])('by an image %s', async (_name, over, count, result) => {
    await using folder = new StoreFolder();
    const store = folder.open({ limits: { maxStoredBytes: M } });
    await holding(store, 'run', 'eve', MiB);
    const event = `{"kind":"hibernated","at":1700000000002,"imageBytes":5242880}`.length + 64;
    const put = store.hibernated('run', waitOf(), randomBytes(5 * MiB + over));
    expect(await put.then(() => 'stored', codeOf)).toBe(result);
    expect((await store.read('run'))?.hibernations).toBe(count);
    expect(sums(folder.file).kept).toContainEqual({ principal: 'eve', bytes: MiB + count * (5 * MiB + event) });
  });

  test('by what it is created and started with', async () => {
    await using folder = new StoreFolder();
    const store = folder.open({ limits: { maxStoredBytes: M } });
    await expect(holding(store, 'large', 'eve', 6 * MiB + 4)).rejects.toMatchObject(FULL);
    await holding(store, 'run', 'eve', 5.9 * MiB);
    await expect(store.start('run', { ...START, script: 'y'.repeat(MiB) })).rejects.toMatchObject(FULL);
    expect((await store.read('run'))?.start).toBeUndefined();
    await store.start('run', START);
  });

  test('by calls: one too many is not made, and its program hears why', async () => {
    await using folder = new StoreFolder();
    const store = folder.open({ limits: { maxStoredBytes: M } });
    await holding(store, 'run', 'eve', 5 * MiB);
    const large = (number: number, kilobytes: number): Promise<void> =>
      store.call('run', sentCall(number, { arguments: JSON.stringify(`${number}`.padEnd(kilobytes * 1_024)) }));
    await large(1, 900);
    await expect(large(2, 200)).rejects.toMatchObject(FULL);
    await large(3, 1);
    const { calls = [], isComplete } = (await store.read('run')) ?? {};
    expect([calls.map(({ number }) => number), isComplete]).toEqual([[1, 3], false]);
    expect(sums(folder.file)).toMatchObject({ kept: sums(folder.file).counted });
    await store.create(newExecution('other', { principal: 'ann' }));
    await store.call('other', sentCall(1));
  });

  test('by answers: the record is dropped as one that is too long, also for a call that its image waits for', async () => {
    await using folder = new StoreFolder();
    const store = folder.open({ limits: { maxStoredBytes: M } });
    await holding(store, 'run', 'eve', 5 * MiB);
    await store.start('run', START);
    for (const number of [1, 2]) await store.call('run', sentCall(number));
    await store.hibernated('run', waitOf({ pending: [1, 2], lastCall: 2 }), randomBytes(1_000));
    const answer = (number: number, bytes: number): Promise<boolean> =>
      store.answered('run', sentCall(number), { ok: true, value: JSON.stringify('x'.repeat(bytes)) });
    expect(await answer(1, 1_000)).toBe(true);
    expect(await store.read('run')).toMatchObject({ canWake: true, isComplete: true });
    expect(await answer(2, 2 * MiB)).toBe(false);
    expect(await store.read('run')).toMatchObject({ canWake: false, isComplete: false });
    // Whoever has the answer goes on: what the run sleeps in is there, and the answer before.
    expect([(await store.image('run'))?.length, (await store.answer('run', 1))?.ok]).toEqual([1_000, true]);
    await store.hibernated('run', waitOf({ pending: [], lastCall: 2 }), randomBytes(1_000));
    expect(await store.read('run')).toMatchObject({ canWake: true });
    expect(sums(folder.file)).toMatchObject({ kept: sums(folder.file).counted });
  });

  test('a call after the image that was made and whose answer is not kept is not made again from there', async () => {
    await using folder = new StoreFolder();
    const store = folder.open({ limits: { maxStoredBytes: M } });
    await holding(store, 'run', 'eve', 5 * MiB);
    await store.start('run', START);
    await store.hibernated('run', waitOf({ pending: [], lastCall: 0, nextTimer: 1 }), randomBytes(1_000));
    await store.call('run', sentCall(1));
    expect(await store.answered('run', sentCall(1), { ok: true, value: JSON.stringify('x'.repeat(2 * MiB)) })).toBe(false);
    expect(await store.read('run')).toMatchObject({ canWake: false, isComplete: false });
    expect((await store.image('run'))?.length).toBe(1_000);
  });

  test('by questions to people', async () => {
    await using folder = new StoreFolder();
    const store = folder.open({ limits: { maxStoredBytes: M } });
    await holding(store, 'run', 'eve', 5.5 * MiB);
    await store.ask(question('run', 1, 400 * 1_024));
    await expect(store.ask(question('run', 2, 400 * 1_024))).rejects.toMatchObject(FULL);
    expect(await store.approvals('run')).toHaveLength(1);
    expect(sums(folder.file)).toMatchObject({ kept: sums(folder.file).counted });
  });
});

test('principals who take all that they get never hold more together than may be stored, and the next one finds room', async () => {
  await using folder = new StoreFolder();
  const store = folder.open({ limits: { maxStoredBytes: M } });
  for (const [at, principal] of ['ann', 'bob', 'eve'].entries()) {
    const more = async (n: number): Promise<void> => {
      store.admit(principal);
      await holding(store, `${principal}${n}`, principal, 50_000);
      await store.hibernated(`${principal}${n}`, waitOf(), randomBytes(100_000 * (n % 3)));
    };
    let refused: unknown;
    for (let n = 0; refused === undefined; n++) refused = await more(n).then(() => undefined, codeOf);
    expect(refused).toBe('ERR_EXECUTION_FULL');
    // What was let in takes what it can get.
    const large = { arguments: 'y'.repeat(300_000) };
    for (let n = 0; n < 40; n++) await store.call(`${principal}${n % 4}`, sentCall(n + 1, large)).catch(() => undefined);
    const [all] = sums(folder.file).kept as { bytes: number }[];
    expect(all?.bytes).toBeLessThanOrEqual(M * (1 - 0.25 ** (at + 1)));
  }
  store.admit('zoe');
  await holding(store, 'zoe', 'zoe', 50_000);
  await store.hibernated('zoe', waitOf(), randomBytes(10_000));
  expect(sums(folder.file)).toMatchObject({ kept: sums(folder.file).counted });
  await store.close();
  expect(statSync(folder.file).size).toBeLessThan(1.25 * M);
});

test('what has ended is in no sum, and nothing is left of who has nothing', async () => {
  await using folder = new StoreFolder();
  const store = folder.open({ limits: { maxStoredBytes: M } });
  for (const [n, principal] of ['ann', 'eve', 'eve'].entries()) {
    const id = `run${n}`;
    await store.create(newExecution(id, { principal }));
    await store.start(id, START);
    store.history(id, { steps: [[1], [2]], files: [] });
    await store.call(id, sentCall(1));
    await store.answered(id, sentCall(1), { ok: true, value: '1' });
    await store.hibernated(id, waitOf(), randomBytes(500));
    await store.restarted(id);
    store.status(id, 'waiting');
    await store.ask({ ...question(id, 2, 10), principal });
  }
  const { kept, counted } = sums(folder.file);
  expect(kept).toEqual(counted);
  expect(kept).toHaveLength(3);
  for (const n of [0, 1, 2]) await store.ended(`run${n}`, COMPLETED);
  expect(sums(folder.file).kept).toEqual([{ principal: '', bytes: 0 }]);
});

test('what an older version has left is counted', async () => {
  await using folder = new StoreFolder();
  const old = openExecutionsDatabase(folder.file, MIGRATIONS.slice(0, 1));
  old.exec(`INSERT INTO executions (id, grp, principal, status, created, ended, recordBytes, imageBytes) VALUES
    ('a', 'test', 'ann', 'waiting', 1, NULL, 1000, 20000), ('b', 'test', 'eve', 'running', 1, NULL, 300, 0), ('c', 'test', 'eve', 'failed', 1, 2, 9, 9);
    INSERT INTO parts VALUES (1, 0, 0, zeroblob(5000)), (1, 3, 1, zeroblob(777)), (3, 0, 0, zeroblob(123));`);
  old.close();
  const store = folder.open();
  await store.list({});
  expect(sums(folder.file).kept).toEqual([
    { principal: '', bytes: 2 * EXECUTION_BYTES + 21_300 },
    { principal: 'ann', bytes: EXECUTION_BYTES + 21_000 },
    { principal: 'eve', bytes: EXECUTION_BYTES + 300 },
  ]);
});

test('what an older server writes past the sums is counted when a store is opened the next time', async () => {
  await using folder = new StoreFolder();
  const first = folder.open();
  await first.create(newExecution('one'));
  await first.close();
  const older = openExecutionsDatabase(folder.file);
  older.exec("UPDATE executions SET status = 'failed', ended = 1");
  older.exec("INSERT INTO executions (id, grp, principal, status, created, recordBytes) VALUES ('two', 'test', 'eve', 'running', 1, 500)");
  older.close();
  const store = folder.open();
  await store.list({});
  expect(sums(folder.file).kept).toEqual([
    { principal: '', bytes: 500 },
    { principal: 'eve', bytes: 500 },
  ]);
});
