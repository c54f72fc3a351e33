import { expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { GroupedWrites } from '../../src/store/grouped-writes.ts';

interface Log {
  readonly writes: GroupedWrites;
  /** What is committed, transaction by transaction. */
  readonly committed: string[][];
}

/** Transactions of which one fails when it writes "bad". */
function logOf(isWorthRetrying?: (error: unknown) => boolean): Log & { readonly note: (what: string) => () => string } {
  const committed: string[][] = [];
  let open: string[] = [];
  const writes = new GroupedWrites({
    transact(work) {
      open = [];
      work();
      committed.push(open);
    },
    after: () => void open.push('after'),
    ...(isWorthRetrying && { isWorthRetrying }),
  });
  const note = (what: string) => (): string => {
    if (what === 'refused') throw new SandboxError('ERR_INTERNAL', what);
    if (what === 'bad') throw new Error(what);
    open.push(what);
    return what;
  };
  return { writes, committed, note };
}

test('writes of one turn are one transaction, in their order, and one that is refused fails alone', async () => {
  const { writes, committed, note } = logOf();
  const settled = await Promise.allSettled(['a', 'refused', 'b'].map((what) => writes.add(note(what))));
  expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message))).toEqual(['a', 'refused', 'b']);
  await writes.add(note('c'));
  expect(committed).toEqual([
    ['a', 'b', 'after'],
    ['c', 'after'],
  ]);
});

test('when a transaction fails nothing of it is kept, or each write is tried alone where that is worth it', async () => {
  for (const [isWorthRetrying, values, transactions] of [
    [undefined, ['bad', 'bad'], []],
    [() => true, ['a', 'bad'], [['a', 'after']]],
  ] as const) {
    const { writes, committed, note } = logOf(isWorthRetrying);
    const settled = await Promise.allSettled(['a', 'bad'].map((what) => writes.add(note(what))));
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message))).toEqual(values);
    expect(committed).toEqual(transactions);
  }
});

test('what waits is written at once when that is asked for, and nothing more after the end', async () => {
  const { writes, committed, note } = logOf();
  const first = writes.add(note('a'));
  writes.flush();
  expect(committed).toEqual([['a', 'after']]);
  expect(await first).toBe('a');
  const second = writes.add(note('b'));
  writes.close(new Error('closed'));
  await expect(second).rejects.toThrow('closed');
  await expect(writes.add(note('c'))).rejects.toThrow('closed');
  expect(committed).toHaveLength(1);
});
