import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExecutionStore, StoredExecution } from '../../src/execution/execution-store.ts';
import { COMPLETED, MiB, newExecution, sentCall, START, StoreFolder, waitOf } from './stored-executions.ts';

const folder = new StoreFolder();
const MAX = MiB;
let store: ExecutionStore;
beforeAll(() => void (store = folder.open({ limits: { maxRecordBytes: MAX } })));
afterAll(() => folder[Symbol.asyncDispose]());

async function begun(id: string): Promise<void> {
  void store.create(newExecution(id));
  await store.start(id, START);
}

/** A call with an answer of so many bytes, that has a step of the history. */
function called(id: string, number: number, bytes: number): Promise<unknown> {
  void store.call(id, sentCall(number));
  store.history(id, { steps: [[number, number]], files: [] });
  return store.answered(id, sentCall(number), { ok: true, value: `${number}`.padEnd(bytes, 'x') });
}

async function found(id: string): Promise<StoredExecution> {
  const execution = await store.read(id);
  if (execution === undefined) throw new Error('it is gone');
  return execution;
}

function answersOf({ calls }: StoredExecution): number[] {
  return calls.filter(({ answer }) => answer !== undefined).map(({ number }) => number);
}

describe('a record over maxRecordBytes', () => {
  test('is dropped, and one just under is not', async () => {
    for (const [id, bytes, isComplete] of [
      ['under', MAX - 2_000, true],
      ['over', MAX + 1, false],
    ] as const) {
      await begun(id);
      await called(id, 1, bytes / 2);
      await called(id, 2, bytes / 2);
      expect(await found(id)).toMatchObject({
        isComplete,
        canWake: false,
        start: START,
        history: {
          steps: isComplete
            ? [
                [1, 1],
                [2, 2],
              ]
            : [],
        },
      });
      await store.ended(id, COMPLETED);
      expect(await found(id)).toMatchObject({ isComplete, end: COMPLETED });
      expect((await store.list({})).find((one) => one.id === id)).toMatchObject({ toolCalls: 2 });
    }
  });

  test('counts steps too, so that timers without end fill no disk', async () => {
    await begun('timers');
    for (let n = 0; n < 40; n++) store.history('timers', { steps: Array.from({ length: 2_000 }, () => [1_700_000_000_000]), files: [] });
    await store.restarted('timers');
    expect(await found('timers')).toMatchObject({ isComplete: false, history: { steps: [] } });
  });

  test('keeps calls without an answer: nobody makes them twice without knowing', async () => {
    await begun('open');
    await store.call('open', sentCall(1));
    await called('open', 2, MAX * 0.7);
    await called('open', 3, MAX * 0.7);
    expect((await found('open')).calls.map(({ number, stage }) => [number, stage])).toEqual([
      [1, 'sent'],
      [3, 'answered'],
    ]);
  });

  test('keeps what goes on from the image: answers of calls that were pending, and of all later ones', async () => {
    await begun('woken');
    await called('woken', 1, MAX * 0.4);
    await store.call('woken', sentCall(2));
    await store.hibernated('woken', waitOf({ pending: [2], lastCall: 2 }), new Uint8Array(100));
    await called('woken', 2, MAX * 0.3);
    await called('woken', 3, MAX * 0.2);
    expect(await found('woken')).toMatchObject({ isComplete: true, canWake: true });
    await store.call('woken', sentCall(4, { arguments: JSON.stringify('x'.repeat(MAX * 0.3)) }));
    const woken = await found('woken');
    expect(woken).toMatchObject({ isComplete: false, canWake: true });
    expect([woken.calls.map(({ number }) => number), answersOf(woken)]).toEqual([
      [2, 3, 4],
      [2, 3],
    ]);
  });

  test('is of no use when even that is too long, until the run is put away the next time', async () => {
    await begun('long');
    await store.call('long', sentCall(1));
    await store.hibernated('long', waitOf({ pending: [1], lastCall: 1 }), new Uint8Array(100));
    for (const number of [1, 2, 3]) await called('long', number, MAX * 0.4);
    expect(await found('long')).toMatchObject({ isComplete: false, canWake: false, wait: undefined });
    expect(await store.image('long')).toBeUndefined();
    await store.call('long', sentCall(4));
    await store.hibernated('long', waitOf({ pending: [4], lastCall: 4 }), new Uint8Array(200));
    await called('long', 4, 10);
    const again = await found('long');
    expect(again).toMatchObject({ isComplete: false, canWake: true });
    expect([again.calls.map(({ number }) => number), (await store.image('long'))?.length]).toEqual([[4], 200]);
  });

  test('keeps the image that a run sleeps in, and the answers that it waits for', async () => {
    await begun('asleep');
    const written = [1, 2, 3].map((number) => store.call('asleep', sentCall(number)));
    await Promise.all(written);
    await store.hibernated('asleep', waitOf({ pending: [1, 2, 3], lastCall: 3 }), new Uint8Array(100));
    for (const number of [1, 2, 3]) await called('asleep', number, MAX * 0.6);
    const asleep = await found('asleep');
    expect(asleep).toMatchObject({ isComplete: false, canWake: true });
    expect([answersOf(asleep), (await store.image('asleep'))?.length]).toEqual([[1, 2, 3], 100]);
  });

  test('has all of its room again when it was dropped, whatever was in it', async () => {
    await begun('again');
    for (const number of [1, 2, 3]) await called('again', number, MAX * 0.3);
    for (let n = 0; n < 40; n++) store.history('again', { steps: Array.from({ length: 2_000 }, () => [1_700_000_000_000]), files: [] });
    expect(answersOf(await found('again'))).toEqual([]);
    await store.call('again', sentCall(4, { stage: 'asked' }));
    expect(await called('again', 4, MAX - 1_000)).toBe(true);
    expect(await called('again', 5, 1_000)).toBe(true);
    expect(answersOf(await found('again'))).toEqual([5]);
  });

  test('says of an answer whether it can be read again', async () => {
    await begun('told');
    expect(await called('told', 1, 10)).toBe(true);
    expect(await called('told', 2, MAX)).toBe(false);
    await store.ended('told', COMPLETED);
    expect(await store.answered('told', sentCall(3), { ok: true, value: '1' })).toBe(false);
  });

  test('leaves no image to go on from that waits for an answer which is gone', async () => {
    await begun('unseen');
    await store.call('unseen', sentCall(1));
    await store.answered('unseen', sentCall(1), { ok: true, value: 'x'.repeat(MAX * 0.6) });
    await called('unseen', 2, MAX * 0.6);
    // The run had not seen the first answer.
    await store.hibernated('unseen', waitOf({ pending: [1], lastCall: 2 }), new Uint8Array(100));
    expect(await found('unseen')).toMatchObject({ isComplete: false, canWake: false });
    expect((await store.image('unseen'))?.length).toBe(100);
  });
});

describe('what is stored', () => {
  test('is kept for executionTtlMs after its end, and what has not ended for ever', async () => {
    await using own = new StoreFolder();
    let now = 1_700_000_000_000;
    const aging = own.open({ limits: { executionTtlMs: 10_000 }, now: () => now });
    for (const id of ['old', 'new', 'open']) await aging.create(newExecution(id, { createdAt: now }));
    await aging.ended('old', COMPLETED);
    now += 5_000;
    await aging.ended('new', COMPLETED);
    now += 4_999;
    await aging.create(newExecution('a'));
    expect(await aging.read('old')).toBeDefined();
    now += 1;
    await aging.create(newExecution('b'));
    expect([await aging.read('old'), (await aging.read('new'))?.id]).toEqual([undefined, 'new']);
    now += 1_000_000_000;
    await aging.create(newExecution('c'));
    expect((await aging.list({})).map(({ id }) => id)).toEqual(['c', 'b', 'a', 'open']);
  });

  test('is at most maxStoredBytes: those that ended first go first, then no run is put away, and nothing that goes on is lost', async () => {
    await using own = new StoreFolder();
    let now = 1_000_000_000;
    const small = own.open({ limits: { maxStoredBytes: 4.05 * MiB }, now: () => now });
    const big = (id: string, fill: number): Promise<void> => {
      void small.create(newExecution(id));
      return small.hibernated(id, waitOf(), new Uint8Array(MiB).fill(fill));
    };
    for (const id of ['e1', 'e2', 'e3']) {
      await small.create(newExecution(id, { request: JSON.stringify(id.padEnd(0.7 * MiB, id)) }));
      await small.ended(id, COMPLETED);
    }
    now += 60_000;
    await big('w1', 1);
    expect((await small.list({ status: ['completed'] })).map(({ id }) => id)).toEqual(['e3', 'e2', 'e1']);
    await big('w2', 2);
    expect((await small.list({ status: ['completed'] })).map(({ id }) => id)).toEqual(['e3', 'e2']);
    await big('w3', 3);
    expect((await small.list({ status: ['completed'] })).map(({ id }) => id)).toEqual(['e3']);
    await expect(big('w4', 4)).rejects.toMatchObject({ code: 'ERR_EXECUTION_FULL' });
    // Nothing had to go for what finds no room all the same.
    expect((await small.list({ status: ['completed'] })).map(({ id }) => id)).toEqual(['e3']);
    expect(await small.read('w4')).toMatchObject({ status: 'running', hibernations: 0 });
    // An image in the place of another one needs no more room.
    await small.hibernated('w3', waitOf(), new Uint8Array(MiB).fill(33));
    for (const [id, fill] of [
      ['w1', 1],
      ['w2', 2],
      ['w3', 33],
    ] as const) {
      expect((await small.image(id))?.[MiB - 1]).toBe(fill);
    }
    await small.ended('w1', COMPLETED);
    await big('w5', 5);
    expect(await small.image('w5')).toHaveLength(MiB);
  });

  test('is left alone for a minute by whoever fills the store, so that its answer can be fetched', async () => {
    await using own = new StoreFolder();
    let now = 1_000_000_000;
    const small = own.open({ limits: { maxStoredBytes: MiB }, now: () => now });
    const end = async (id: string, bytes: number): Promise<void> => {
      await small.create(newExecution(id, { principal: 'ann', request: JSON.stringify(id.padEnd(bytes, id)) }));
      await small.ended(id, COMPLETED);
    };
    // Older than all that may go.
    await small.create(newExecution('sleeper', { createdAt: 1 }));
    await end('other', 0.5 * MiB);
    await end('another', 0.5 * MiB);
    await expect(small.hibernated('sleeper', waitOf(), new Uint8Array(9))).rejects.toMatchObject({ code: 'ERR_EXECUTION_FULL' });
    expect((await small.read('other'))?.end).toEqual(COMPLETED);
    // Past a quarter more than there may be it goes all the same.
    await end('third', 0.05 * MiB);
    expect((await small.read('other'))?.end).toEqual(COMPLETED);
    await end('fourth', 0.2 * MiB);
    expect([await small.read('other'), (await small.read('another'))?.id]).toEqual([undefined, 'another']);
    await end('fifth', 0.25 * MiB);
    now += 60_000;
    await small.create(newExecution('next'));
    expect(await small.read('another')).toBeUndefined();
    await end('sixth', 0.6 * MiB);
    await small.ended('next', COMPLETED);
    now -= 3_600_000;
    await small.create(newExecution('earlier', { request: JSON.stringify('x'.repeat(0.2 * MiB)) }));
    expect([await small.read('fifth'), (await small.read('sixth'))?.id]).toEqual([undefined, 'sixth']);
    expect((await small.read('sleeper'))?.status).toBe('running');
  });

  test('gives its disk back when it is gone', async () => {
    await using own = new StoreFolder();
    const shrinking = own.open();
    for (let n = 0; n < 6; n++) {
      await shrinking.create(newExecution(`r${n}`));
      await shrinking.hibernated(`r${n}`, waitOf(), new Uint8Array(4 * MiB).fill(n));
    }
    for (let n = 0; n < 6; n++) await shrinking.ended(`r${n}`, COMPLETED);
    const db = new DatabaseSync(own.file, { readOnly: true });
    const pages = (): number => Number(db.prepare('PRAGMA page_count').get()?.['page_count']) * 4_096;
    await expect.poll(pages, { timeout: 20_000 }).toBeLessThan(5 * MiB);
    db.close();
    await shrinking.close();
    expect(statSync(own.file).size).toBeLessThan(5 * MiB);
  });
});

test('an image that is damaged costs nothing else of a record that gets too long', async () => {
  await using folder = new StoreFolder();
  const store = folder.open({ limits: { maxRecordBytes: 4_000 } });
  await store.create(newExecution('one'));
  await store.start('one', START);
  store.history('one', { steps: [[1]], files: [] });
  await store.hibernated('one', waitOf(), new Uint8Array(3));
  const other = new DatabaseSync(folder.file);
  other.exec('UPDATE parts SET content = zeroblob(40) WHERE kind = 5');
  other.close();
  await store.call('one', sentCall(1));
  expect(await store.answered('one', sentCall(1), { ok: true, value: JSON.stringify('x'.repeat(5_000)) })).toBe(false);
  const { isComplete, canWake, history } = (await store.read('one')) ?? {};
  expect({ isComplete, canWake, history }).toEqual({ isComplete: false, canWake: false, history: { steps: [], files: [] } });
});
