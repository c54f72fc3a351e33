import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { SandboxError } from '../../../src/errors.ts';
import { UnwrittenEnds } from '../../../src/execution/store/unwritten-ends.ts';
import { COMPLETED } from '../stored-executions.ts';

/** Ends that are written as the test says. */
function disk(code: 'ERR_EXECUTION_STORE' | 'ERR_EXECUTION_UNKNOWN' = 'ERR_EXECUTION_STORE') {
  const state = { isFull: true, written: [] as string[] };
  const write = async (id: string): Promise<void> => {
    await sleep(1);
    if (state.isFull) throw new SandboxError(code, 'no');
    state.written.push(id);
  };
  return { state, ends: new UnwrittenEnds(write) };
}

test('an end that cannot be written is told to whoever asks, until it can be', async () => {
  const { state, ends } = disk();
  const ended = { end: COMPLETED, endedAt: 7 };
  for (const id of ['one', 'two']) await expect(ends.add(id, ended)).rejects.toMatchObject({ code: 'ERR_EXECUTION_STORE' });
  expect([ends.find('one'), ends.find('three')]).toEqual([ended, undefined]);
  state.isFull = false;
  await expect.poll(() => ends.find('two')).toBeUndefined();
  expect([state.written, ends.find('one')]).toEqual([['one', 'two'], undefined]);
  await ends.add('three', { end: COMPLETED, endedAt: 8 });
  expect(ends.find('three')).toBeUndefined();
  await ends.close();
});

test('when the store is closed it is tried once more', async () => {
  const { state, ends } = disk();
  await expect(ends.add('one', { end: COMPLETED, endedAt: 7 })).rejects.toThrow('no');
  await ends.close();
  expect(state.written).toEqual([]);
  state.isFull = false;
  await ends.close();
  expect(state.written).toEqual(['one']);
});

test('what will never be written is not kept', async () => {
  const { ends } = disk('ERR_EXECUTION_UNKNOWN');
  await expect(ends.add('one', { end: COMPLETED, endedAt: 7 })).rejects.toMatchObject({ code: 'ERR_EXECUTION_UNKNOWN' });
  expect(ends.find('one')).toBeUndefined();
});

test('they take sixteen million characters at most: the oldest go', async () => {
  const { ends } = disk();
  const large = { ...COMPLETED, outcome: '', response: 'x'.repeat(8 * 1024 * 1024) };
  const add = (id: string): Promise<void> => expect(ends.add(id, { end: large, endedAt: 7 })).rejects.toThrow('no');
  await add('one');
  await add('two');
  expect(ends.find('one')).toBeDefined();
  await add('three');
  expect(['one', 'two', 'three'].map((id) => ends.find(id) === undefined)).toEqual([true, false, false]);
  await ends.close();
});

test('nobody pushes out the ends of others: those of whoever has most go', async () => {
  const { ends } = disk();
  const add = (id: string, whose: string, mebibytes: number): Promise<void> => {
    const end = { ...COMPLETED, outcome: '', response: 'x'.repeat(mebibytes * 1024 * 1024) };
    return expect(ends.add(id, { end, endedAt: 7, whose })).rejects.toThrow('no');
  };
  await add('hers', 'ann', 4);
  for (const id of ['one', 'two', 'three', 'four', 'five']) await add(id, 'eve', 3);
  expect(['hers', 'one', 'two', 'five'].map((id) => ends.find(id) !== undefined)).toEqual([true, false, true, true]);
  await ends.close();
});

test('one that is told again counts once: what is old does not go for it', async () => {
  const { ends } = disk();
  const large = { ...COMPLETED, outcome: '', response: 'x'.repeat(6 * 1024 * 1024) };
  const add = (id: string): Promise<void> => expect(ends.add(id, { end: large, endedAt: 7 })).rejects.toThrow('no');
  await add('one');
  for (let time = 0; time < 3; time++) await add('two');
  expect(ends.find('one')).toBeDefined();
  await ends.close();
});

test('nothing is tried after the store is closed, also when it was being tried just then', async () => {
  vi.useFakeTimers();
  try {
    const writes: (() => void)[] = [];
    const ends = new UnwrittenEnds(
      () => new Promise((_, reject) => writes.push(() => reject(new SandboxError('ERR_EXECUTION_STORE', 'no')))),
    );
    const added = ends.add('one', { end: COMPLETED, endedAt: 7 }).catch(() => 'it was not written');
    writes[0]?.();
    expect(await added).toBe('it was not written');
    await vi.advanceTimersByTimeAsync(1_000);
    const closed = ends.close();
    writes[2]?.();
    await closed;
    writes[1]?.();
    await vi.advanceTimersByTimeAsync(10_000);
    expect([writes.length, vi.getTimerCount()]).toEqual([3, 0]);
  } finally {
    vi.useRealTimers();
  }
});
