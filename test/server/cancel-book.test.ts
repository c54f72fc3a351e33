import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createCancelBook } from '../../src/server/cancel-book.ts';
import { requestKey } from '../../src/server/legacy-lane.ts';
import { LOCAL } from '../../src/server/request-principal.ts';

test('the name of a request is short, however long what a client sends for it, and of its own for each', () => {
  const long = ['a', 'b'].map((end) => requestKey(LOCAL, 's', 'x'.repeat(1_000_000) + end));
  expect(Math.max(...long.map((key) => key.length))).toBeLessThan(600);
  const keys = [
    ...long,
    requestKey(LOCAL, 's', 1),
    requestKey(LOCAL, 's', '1'),
    requestKey(LOCAL, 's 1', ''),
    requestKey(LOCAL, 's', ' 1'),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

describe('the cancel book', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('cancels the request of that key and no other', () => {
    const book = createCancelBook();
    const [one, two] = [book.begin('one', LOCAL), book.begin('two', LOCAL)];
    book.cancel('one');
    expect([one.signal.aborted, two.signal.aborted]).toEqual([true, false]);
    book.cancelAll();
    expect(two.signal.aborted).toBe(true);
  });

  test('cancels a request that comes after its cancel, once', () => {
    const book = createCancelBook();
    book.cancel('late');
    expect(book.begin('late', LOCAL).signal.aborted).toBe(true);
    expect(book.begin('late', LOCAL).signal.aborted).toBe(false);
  });

  test('forgets a cancel that nothing came for', () => {
    const book = createCancelBook();
    book.cancel('never');
    vi.advanceTimersByTime(9_999);
    book.cancel('later');
    vi.advanceTimersByTime(1);
    expect(book.begin('never', LOCAL).signal.aborted).toBe(false);
    expect(book.begin('later', LOCAL).signal.aborted).toBe(true);
  });

  test('remembers a bounded number of cancels, the newest', () => {
    const book = createCancelBook();
    for (let index = 0; index <= 1_000; index++) book.cancel(`key ${index}`);
    expect(book.begin('key 0', LOCAL).signal.aborted).toBe(false);
    expect(book.begin('key 1', LOCAL).signal.aborted).toBe(true);
  });

  test('keeps a second request of the same key when the first one is done', () => {
    const book = createCancelBook();
    const first = book.begin('same', LOCAL);
    const second = book.begin('same', LOCAL);
    first.done();
    book.cancel('same');
    expect(second.signal.aborted).toBe(true);
  });
});
