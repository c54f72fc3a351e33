import { expect, test } from 'vitest';
import { LargeCalls } from '../../src/run/large-calls.ts';

const MIB = 1024 * 1024;
const signal = new AbortController().signal;
const rest = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 10));

/** Calls that go on until they are told to end. */
function room(): {
  calls: LargeCalls;
  make: (principal: string, text: string, ends?: AbortSignal) => Promise<string | undefined>;
  begun: string[];
  end: () => void;
} {
  const calls = new LargeCalls();
  const begun: string[] = [];
  const open: (() => void)[] = [];
  const make = (principal: string, text: string, ends = signal): Promise<string | undefined> =>
    calls.make(principal, text, ends, () => {
      begun.push(principal);
      return new Promise((resolve) => void open.push(() => resolve(principal)));
    });
  return { calls, make, begun, end: () => open.shift()?.() };
}

test('large calls of one principal begin as far as there is room, the others in their order', async () => {
  const { make, begun, end } = room();
  const made = [20, 20, 20, 20].map((mib) => make('a', 'x'.repeat(mib * MIB)));
  await rest();
  expect(begun).toHaveLength(2);
  end();
  await rest();
  expect(begun).toHaveLength(3);
  for (let i = 0; i < 3; i++) {
    end();
    await rest();
  }
  expect(await Promise.all(made)).toEqual(['a', 'a', 'a', 'a']);
});

test('one that is larger than the room is made alone', async () => {
  const { make, begun } = room();
  void make('a', 'x'.repeat(60 * MIB));
  void make('a', 'x'.repeat(MIB));
  await rest();
  expect(begun).toHaveLength(1);
});

test('nobody waits for the calls of another principal, and no small call for a large one', async () => {
  const { make, begun } = room();
  for (let i = 0; i < 5; i++) void make('a', 'x'.repeat(40 * MIB));
  void make('b', 'x'.repeat(40 * MIB));
  void make('a', 'x'.repeat(60_000));
  await rest();
  expect(begun.toSorted()).toEqual(['a', 'a', 'b']);
});

test('many values weigh more than their text', async () => {
  const { make, begun } = room();
  for (let i = 0; i < 10; i++) void make('a', `[${'{},'.repeat(200_000)}0]`);
  await rest();
  expect(begun).toHaveLength(3);
});

test('a call whose run ends while it waits, or before, is not made and holds no place', async () => {
  const { calls, make, begun, end } = room();
  const ended = new AbortController();
  void make('a', 'x'.repeat(40 * MIB));
  const waiting = make('a', 'x'.repeat(40 * MIB), ended.signal);
  const last = make('a', 'x'.repeat(40 * MIB));
  await rest();
  ended.abort();
  expect(await waiting).toBeUndefined();
  expect(await make('a', 'x'.repeat(MIB), ended.signal)).toBeUndefined();
  end();
  await rest();
  expect(begun).toHaveLength(2);
  end();
  expect(await last).toBe('a');
  await expect(calls.make('a', 'x'.repeat(MIB), signal, () => Promise.reject(new Error('as it is')))).rejects.toThrow('as it is');
});
