import { afterEach, expect, test, vi } from 'vitest';
import { WakeQueue, WakeTurn } from '../../src/execution/wake-queue.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('lets so many on their way and no more, and everybody who waits has a turn', async () => {
  const queue = new WakeQueue(2);
  const order: string[] = [];
  const leave = await Promise.all([queue.enter('a'), queue.enter('a')]);
  const waiting = ['a', 'a', 'a', 'b'].map(async (lane, index) => {
    const left = await queue.enter(lane);
    order.push(`${lane}${index}`);
    left();
  });
  await Promise.resolve();
  expect(order).toEqual([]);
  leave[0]();
  leave[0]();
  await Promise.all(waiting);
  expect(order).toEqual(['a0', 'b3', 'a1', 'a2']);
  leave[1]();
  await Promise.all([queue.enter('c'), queue.enter('c')]);
});

test('gives the turn of one that says nothing to others', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const queue = new WakeQueue(1);
  const silent = await queue.enter('a');
  const next = queue.enter('b');
  vi.advanceTimersByTime(500);
  await next;
  silent();
  vi.advanceTimersByTime(500);
  expect(await queue.enter('c')).toBeInstanceOf(Function);
});

test('takes the turn of one run once', async () => {
  const queue = new WakeQueue(1);
  const turn = new WakeTurn(queue, 'a');
  await turn.take();
  await turn.take();
  turn.leave();
  turn.leave();
  expect(await queue.enter('b')).toBeInstanceOf(Function);
});
