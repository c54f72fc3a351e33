import { existsSync, readdirSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { ExecutionStatus } from '../../../src/execution/execution-store.ts';
import { COMPLETED, newExecution, sentCall, START, StoreFolder, USAGE, waitOf } from '../stored-executions.ts';

test('all of an execution is read as it was written, by another store too, in the order in which it was written', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  const image = new Uint8Array(300_000).map((_, index) => index * 7);
  void store.create(newExecution('one', { principal: 'ann' }));
  void store.start('one', START);
  store.history('one', { steps: [[1]], files: [{ path: 'a.txt', bytes: 3, hash: 'ff' }] });
  await store.call('one', sentCall(1, { stage: 'asked' }));
  await store.call('one', sentCall(1));
  store.status('one', 'waiting');
  void store.answered('one', sentCall(1), { ok: true, value: JSON.stringify('x'.repeat(5_000)) });
  store.history('one', { steps: [[2.5, 1]], files: [] });
  await store.answered(
    'one',
    { number: 2, server: 'mail', tool: 'list', arguments: '{}' },
    { ok: false, error: { code: 'ERR_CALL_DENIED', message: 'no' } },
  );
  await store.call('one', sentCall(3, { isRepeatable: true }));
  const wait = waitOf({ pending: [3], lastCall: 3, imageBytes: image.length });
  await store.hibernated('one', wait, image);
  const other = folder.open();
  const found = await other.read('one');
  expect(found).toMatchObject({
    ...newExecution('one', { principal: 'ann' }),
    status: 'waiting',
    start: START,
    history: { steps: [[1], [2.5, 1]], files: [{ path: 'a.txt', bytes: 3, hash: 'ff' }] },
    isComplete: true,
    canWake: true,
    wait,
    hibernations: 1,
    restarts: 0,
    isCancelRequested: false,
    events: [{ kind: 'hibernated', imageBytes: image.length }],
  });
  expect(found?.calls).toEqual([
    {
      ...sentCall(1),
      stage: 'answered',
      sentAt: [expect.any(Number)],
      answeredAt: expect.any(Number),
      answer: { ok: true, value: JSON.stringify('x'.repeat(5_000)) },
    },
    {
      number: 2,
      server: 'mail',
      tool: 'list',
      arguments: '{}',
      stage: 'answered',
      isRepeatable: false,
      at: expect.any(Number),
      answeredAt: expect.any(Number),
      answer: { ok: false, error: { code: 'ERR_CALL_DENIED', message: 'no' } },
    },
    sentCall(3, { isRepeatable: true }),
  ]);
  expect(Buffer.from((await other.image('one'))!).equals(image)).toBe(true);
  store.status('one', 'running');
  expect(await store.restarted('one')).toBe(1);
  expect(await store.restarted('one')).toBe(2);
  await store.ended('one', COMPLETED);
  await store.ended('one', { ...COMPLETED, status: 'failed', code: 'ERR_INTERNAL' });
  const ended = await other.read('one');
  expect(ended).toMatchObject({
    status: 'completed',
    end: COMPLETED,
    endedAt: expect.any(Number),
    restarts: 2,
    wait: undefined,
    canWake: false,
  });
  expect(ended?.events.map(({ kind }) => kind)).toEqual(['hibernated', 'resumed', 'restarted', 'restarted']);
  expect(await other.image('one')).toBeUndefined();
  expect(await other.read('two')).toBeUndefined();
});

test('of an answer nothing is kept that is the gateway’s alone', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  void store.create(newExecution('one'));
  const error = { code: 'ERR_CALL_RESULT', message: 'too large', hint: 'h', content: [{ type: 'text' }] } as const;
  await store.answered('one', sentCall(1), { ok: false, error: { ...error, whole: new Uint8Array(10), isMessage: true } as never });
  expect((await store.read('one'))?.calls[0]?.answer).toEqual({ ok: false, error });
});

test('what has ended, or never was, does not change any more and says so', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await store.create(newExecution('one'));
  await expect(store.create(newExecution('one'))).rejects.toMatchObject({ code: 'ERR_EXECUTION_STORE' });
  await store.ended('one', COMPLETED);
  const before = await store.read('one');
  store.history('one', { steps: [[9]], files: [] });
  store.status('one', 'running');
  await store.answered('one', sentCall(1), { ok: true, value: '1' });
  for (const id of ['one', 'none']) {
    await expect(store.call(id, sentCall(1))).rejects.toMatchObject({ code: 'ERR_EXECUTION_UNKNOWN' });
    await expect(store.hibernated(id, waitOf(), new Uint8Array(9))).rejects.toMatchObject({ code: 'ERR_EXECUTION_UNKNOWN' });
    await expect(store.restarted(id)).rejects.toMatchObject({ code: 'ERR_EXECUTION_UNKNOWN' });
    await expect(store.start(id, START)).rejects.toMatchObject({ code: 'ERR_EXECUTION_UNKNOWN' });
  }
  expect(await store.read('one')).toEqual(before);
  expect(await store.image('none')).toBeUndefined();
});

test('a second answer, or a question after a call was sent, changes nothing', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  void store.create(newExecution('one'));
  await store.call('one', sentCall(1));
  await store.call('one', sentCall(1, { stage: 'asked' }));
  expect((await store.read('one'))?.calls[0]?.stage).toBe('sent');
  void store.answered('one', sentCall(1), { ok: true, value: '1' });
  await store.answered('one', sentCall(1), { ok: true, value: '2' });
  expect((await store.read('one'))?.calls).toMatchObject([{ stage: 'answered', answer: { ok: true, value: '1' } }]);
});

test('long texts are stored once, however many executions have them, and go with the last one', async () => {
  await using folder = new StoreFolder();
  const store = folder.open({ limits: { executionTtlMs: 1_000 }, now: () => clock });
  let clock = 1_700_000_000_000;
  const code = '// a line of a program\n'.repeat(5_000);
  const many = async (from: number, count: number): Promise<void> => {
    const ids = Array.from({ length: count }, (_, index) => `r${from + index}`);
    for (const id of ids) {
      void store.create(newExecution(id, { request: JSON.stringify({ id, code, input: { deep: [code.toUpperCase()] } }) }));
      void store.start(id, { ...START, script: code.repeat(2) });
    }
    await Promise.all(ids.map((id) => store.ended(id, COMPLETED)));
  };
  await many(0, 200);
  expect(JSON.parse((await store.read('r50'))!.request)).toEqual({ id: 'r50', code, input: { deep: [code.toUpperCase()] } });
  await store.close();
  // One by one it would be 100 MB.
  expect(statSync(folder.file).size).toBeLessThan(4_000_000);
  const again = folder.open({ limits: { executionTtlMs: 1_000 }, now: () => clock });
  clock += 2_000;
  for (let round = 0; round < 40; round++) await again.create(newExecution(`late${round}`));
  expect(await again.list({ status: ['completed'] })).toEqual([]);
  await again.close();
  const db = new DatabaseSync(folder.file, { readOnly: true });
  expect(['texts', 'contents', 'uses'].map((table) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])).toEqual([0, 0, 0]);
  db.close();
});

test('twenty thousand executions are listed and filtered by indexes, the newest first', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  const ids = Array.from({ length: 20_000 }, (_, index) => index);
  for (const index of ids) {
    void store.create(newExecution(`r${index}`, { principal: `p${index % 100}`, createdAt: 1_000 + index, request: '{}' }));
  }
  await Promise.all(ids.filter((index) => index % 2 === 0).map((index) => store.ended(`r${index}`, COMPLETED)));
  const list = async (filter: Parameters<typeof store.list>[0]): Promise<string[]> => (await store.list(filter)).map(({ id }) => id);
  expect(await list({ limit: 3 })).toEqual(['r19999', 'r19998', 'r19997']);
  expect(await list({ status: ['completed'], limit: 2 })).toEqual(['r19998', 'r19996']);
  expect(await list({ status: ['running', 'completed'], principal: 'p7', limit: 2 })).toEqual(['r19907', 'r19807']);
  expect(await list({ principal: 'p8', since: 20_000 })).toEqual(
    [8, 908, 808, 708, 608, 508, 408, 308, 208, 108]
      .map((n) => `r${19_000 + n}`)
      .toSorted()
      .reverse(),
  );
  expect(await list({ status: ['waiting'] })).toEqual([]);
  expect(await list({ principal: "' OR 1=1 --" })).toEqual([]);
  expect((await store.list({})).length).toBe(20_000);
  expect(await store.list({ status: ['completed'], limit: 1 })).toEqual([
    {
      id: 'r19998',
      principal: 'p98',
      status: 'completed' satisfies ExecutionStatus,
      code: undefined,
      createdAt: 20_998,
      endedAt: expect.any(Number),
      programKey: undefined,
      toolCalls: USAGE.toolCalls,
      fuel: USAGE.fuel,
      hibernations: 0,
      imageBytes: 0,
    },
  ]);
  await store.close();
  const db = new DatabaseSync(folder.file, { readOnly: true });
  const plan = (sql: string): string =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => detail)
      .join();
  const { STATEMENTS } = await import('../../../src/execution/store/store-schema.ts');
  for (const [name, sql] of Object.entries(STATEMENTS)) {
    if (!/^(SELECT|UPDATE|DELETE)/.test(sql) || name === 'pages') continue;
    expect([name, plan(sql)]).toEqual([name, expect.not.stringMatching(/SCAN \w+(?! USING (COVERING )?INDEX)\b|TEMP B-TREE FOR ORDER/)]);
  }
  db.close();
});

test('a store that is only looked at owns nothing and leaves nothing beside the file', async () => {
  await using folder = new StoreFolder();
  const first = folder.open();
  await first.create(newExecution('one'));
  await first.ended('one', COMPLETED);
  await first.close();
  const looking = folder.open({ group: '' });
  expect(await looking.list({})).toHaveLength(1);
  expect(existsSync(`${folder.file}-owners`) ? readdirSync(`${folder.file}-owners`) : []).toEqual([]);
  await looking.close();
  await looking.close();
  expect(readdirSync(folder.path).toSorted()).toEqual(['executions.db', 'executions.db-owners']);
  await expect(looking.list({})).rejects.toMatchObject({ code: 'ERR_EXECUTION_STORE' });
});

test('what cannot be sent or written fails alone, and holds up nothing', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await store.create(newExecution('one'));
  // No message has a function, and no row a time that is no number.
  const odd = waitOf({ nextTimer: (() => 1) as unknown as number });
  await expect(store.hibernated('one', odd, new Uint8Array(1))).rejects.toMatchObject({ code: 'ERR_EXECUTION_STORE' });
  const writes = [newExecution('two'), newExecution('bad', { createdAt: Number.NaN }), newExecution('three')].map((one) =>
    store.create(one),
  );
  expect((await Promise.allSettled(writes)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const taken = new Uint8Array(3_000_000);
  const hibernated = store.hibernated('one', waitOf(), taken);
  structuredClone(taken.buffer, { transfer: [taken.buffer] });
  await expect(hibernated).rejects.toMatchObject({ code: 'ERR_EXECUTION_STORE' });
  await store.start('one', START);
  expect((await store.read('one'))?.start).toEqual(START);
});

test('without a file everything is in memory, and nothing is said to be durable', async () => {
  await using folder = new StoreFolder();
  const store = folder.open({ file: undefined });
  await store.create(newExecution('one'));
  await store.hibernated('one', waitOf(), new Uint8Array([1]));
  expect(await store.image('one')).toEqual(new Uint8Array([1]));
  expect(await store.claim()).toEqual([]);
  expect([store.isDurable, folder.open().isDurable]).toEqual([false, true]);
});

test('a glance says whose an execution is and how it ended, and reads nothing of its calls and answers', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  void store.create(newExecution('one', { principal: 'ann' }));
  void store.start('one', START);
  const value = JSON.stringify(Array.from({ length: 300_000 }, (_, index) => index / 7));
  for (const number of [1, 2, 3]) await store.answered('one', sentCall(number), { ok: true, value });
  const wait = waitOf({ pending: [], nextTimer: 5, imageBytes: 3 });
  await store.hibernated('one', wait, new Uint8Array(3));
  const known = { id: 'one', principal: 'ann', createdAt: newExecution('one').createdAt, seed: START.seed };
  expect(await store.glance('one')).toEqual({ ...known, status: 'waiting', asleepAt: wait.at });
  await store.ended('one', COMPLETED);
  expect(await store.glance('one')).toEqual({ ...known, status: 'completed', end: COMPLETED, endedAt: expect.any(Number) });
  expect(await store.glance('two')).toBeUndefined();
  // What is not read cannot be found to be damaged.
  using db = new DatabaseSync(folder.file);
  db.exec('UPDATE parts SET content = zeroblob(9) WHERE kind IN (2, 3)');
  await expect(store.read('one')).rejects.toMatchObject({ code: 'ERR_EXECUTION_DAMAGED' });
  expect((await store.glance('one'))?.end).toEqual(COMPLETED);
  db.exec("UPDATE executions SET principal = 'ben'");
  await expect(store.glance('one')).rejects.toMatchObject({ code: 'ERR_EXECUTION_DAMAGED' });
});
