import { expect, test } from 'vitest';
import { FairQueue } from '../src/fair-queue.ts';

function queueOf(...items: string[]): FairQueue<string> {
  const queue = new FairQueue<string>();
  for (const item of items) queue.push(item.charAt(0), item);
  return queue;
}

function takeAll(queue: FairQueue<string>): (string | undefined)[] {
  const all: (string | undefined)[] = [];
  while (queue.length > 0) {
    expect(queue.first).toBe(queue.first);
    all.push(queue.shift());
  }
  expect(queue.shift()).toBeUndefined();
  expect(queue.first).toBeUndefined();
  return all;
}

test('one lane is first come, first served', () => {
  expect(takeAll(queueOf('a1', 'a2', 'a3'))).toEqual(['a1', 'a2', 'a3']);
});

test('lanes take turns, however many one has', () => {
  expect(takeAll(queueOf('a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2'))).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
});

test('a lane that comes later has its turn after one of each other', () => {
  const queue = queueOf('a1', 'a2', 'a3', 'b1', 'b2');
  expect(queue.shift()).toBe('a1');
  queue.push('c', 'c1');
  expect(takeAll(queue)).toEqual(['b1', 'a2', 'c1', 'b2', 'a3']);
});

test('what goes back to the front is next, before its own lane and all others', () => {
  const queue = queueOf('a1', 'b1', 'b2');
  queue.unshift('b', 'b0');
  queue.unshift('c', 'c0');
  expect(takeAll(queue)).toEqual(['c0', 'b0', 'a1', 'b1', 'b2']);
});

test('an item is removed once, and an empty lane has no turn', () => {
  const queue = queueOf('a1', 'b1', 'a2');
  expect(queue.remove('b', 'b1')).toBe(true);
  expect(queue.remove('b', 'b1')).toBe(false);
  expect(queue.remove('a', 'nothing')).toBe(false);
  expect(queue.length).toBe(2);
  expect(takeAll(queue)).toEqual(['a1', 'a2']);
});

test('the newest of the longest lane makes room, unless that would be no fairer', () => {
  const queue = queueOf('a1', 'a2', 'a3', 'b1');
  expect(queue.displace('c')).toBe('a3');
  expect(queue.displace('b')).toBeUndefined();
  expect(queue.displace('a')).toBeUndefined();
  expect(queue.displace('c')).toBe('a2');
  expect(queue.displace('c')).toBeUndefined();
  expect(takeAll(queue)).toEqual(['a1', 'b1']);
});

test('everything comes out at once when it is drained', () => {
  const queue = queueOf('a1', 'b1', 'a2');
  expect(queue.drain().sort()).toEqual(['a1', 'a2', 'b1']);
  expect(queue.length).toBe(0);
  queue.push('a', 'a9');
  expect(takeAll(queue)).toEqual(['a9']);
});
