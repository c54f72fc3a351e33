import { expect, test } from 'vitest';
import { WakeGate } from '../../src/execute/wake-gate.ts';

const never = new AbortController().signal;
/** Lets everything that can settle without the outside settle. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Notes by name who has been let in. */
function open(most: number): { enter: (name: string, bytes: number, lane?: string) => Promise<() => void>; inside: string[] } {
  const gate = new WakeGate(most);
  const inside: string[] = [];
  const enter = async (name: string, bytes: number, lane = ''): Promise<() => void> => {
    const leave = await gate.enter(bytes, lane, never);
    inside.push(name);
    return leave;
  };
  return { enter, inside };
}

test('as many bytes go as may, and the next ones when they are no burden any more', async () => {
  const { enter, inside } = open(100);
  const [first] = [await enter('a', 60), await enter('b', 40)];
  void enter('c', 1);
  await turn();
  expect(inside).toEqual(['a', 'b']);
  first?.();
  await turn();
  expect(inside).toEqual(['a', 'b', 'c']);
});

test('one that is larger than all that may go has its turn alone', async () => {
  const { enter, inside } = open(100);
  const first = await enter('a', 1);
  const large = enter('large', 1_000);
  void enter('b', 1);
  await turn();
  expect(inside).toEqual(['a']);
  first();
  const leave = await large;
  await turn();
  expect(inside).toEqual(['a', 'large']);
  leave();
  // Twice is once.
  leave();
  await turn();
  expect(inside).toEqual(['a', 'large', 'b']);
});

test('whoever has many that wait keeps nobody else waiting for all of them', async () => {
  const { enter, inside } = open(10);
  const first = await enter('first', 10);
  const all = [...Array.from({ length: 20 }, (_, i) => [`greedy ${i}`, 'greedy']), ['modest', 'modest']].map(async ([name = '', lane]) => {
    (await enter(name, 10, lane))();
  });
  first();
  await Promise.all(all);
  expect(inside.indexOf('modest')).toBe(2);
});

test('one that is cancelled while it waits takes nothing, and one that is cancelled before does not wait', async () => {
  const gate = new WakeGate(10);
  const leave = await gate.enter(10, '', never);
  const controller = new AbortController();
  const waiting = gate.enter(10, '', controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
  await expect(gate.enter(1, '', AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
  leave();
  expect(await gate.enter(10, '', never)).toBeTypeOf('function');
});
