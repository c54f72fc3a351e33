import { expect, test } from 'vitest';
import { Admission } from '../../../src/execute/executor/admission.ts';

const never = new AbortController().signal;
const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'admitted',
    (error: { code?: string }) => error.code,
  );
/** Lets everything that can settle without the outside settle. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test('as many as the capacity are let in at once, the rest in the order in which they came', async () => {
  const admission = new Admission(2, 10);
  const inside: number[] = [];
  const leaves: (() => void)[] = [];
  const all = [0, 1, 2, 3, 4].map(async (n) => {
    leaves.push(await admission.enter(never));
    inside.push(n);
  });
  await turn();
  expect(inside).toEqual([0, 1]);
  leaves[1]?.();
  await turn();
  expect(inside).toEqual([0, 1, 2]);
  leaves[0]?.();
  leaves[2]?.();
  await Promise.all(all);
  expect(inside).toEqual([0, 1, 2, 3, 4]);
});

test('past the queue the caller hears that it is busy, and how busy', async () => {
  const admission = new Admission(1, 1);
  const leave = await admission.enter(never);
  const waiting = admission.enter(never);
  await expect(admission.enter(never)).rejects.toMatchObject({ code: 'ERR_EXECUTE_BUSY', message: '1 runs are under way and 1 wait.' });
  leave();
  (await waiting)();
  expect(await code(admission.enter(never))).toBe('admitted');
});

test('with no queue at all the second one is busy', async () => {
  const admission = new Admission(1, 0);
  await admission.enter(never);
  expect(await code(admission.enter(never))).toBe('ERR_EXECUTE_BUSY');
});

test('one that is cancelled while it waits gives up its place in the queue', async () => {
  const admission = new Admission(1, 1);
  const leave = await admission.enter(never);
  const controller = new AbortController();
  const first = code(admission.enter(controller.signal));
  controller.abort();
  expect(await first).toBe('ERR_EXECUTE_CANCELLED');
  const second = admission.enter(never);
  leave();
  expect(await code(second)).toBe('admitted');
});

test('one that is cancelled before it comes is not let in', async () => {
  const admission = new Admission(1, 1);
  expect(await code(admission.enter(AbortSignal.abort()))).toBe('ERR_EXECUTE_CANCELLED');
  expect(await code(admission.enter(never))).toBe('admitted');
});

test('leaving twice gives back one place only', async () => {
  const admission = new Admission(1, 5);
  const leave = await admission.enter(never);
  const entered: number[] = [];
  for (const n of [1, 2]) void admission.enter(never).then(() => entered.push(n));
  leave();
  leave();
  await turn();
  expect(entered).toEqual([1]);
});

test('a cancel after admission takes nothing from the others', async () => {
  const admission = new Admission(1, 5);
  const leave = await admission.enter(never);
  const controller = new AbortController();
  const second = admission.enter(controller.signal);
  leave();
  controller.abort();
  const leaveSecond = await second;
  const third = admission.enter(never);
  leaveSecond();
  expect(await code(third)).toBe('admitted');
});

test('while those inside have used up what they share, the next one waits, and comes in when one of them leaves', async () => {
  let isFull = false;
  const admission = new Admission(10, 1, () => isFull);
  const leave = await admission.enter(never);
  isFull = true;
  const entered: number[] = [];
  const second = admission.enter(never).then((leaveSecond) => {
    entered.push(2);
    return leaveSecond;
  });
  await turn();
  expect(entered).toEqual([]);
  expect(await code(admission.enter(never))).toBe('ERR_EXECUTE_BUSY');
  leave();
  (await second)();
  expect(entered).toEqual([2]);
});

test('where one left enough for several, all of them come in', async () => {
  let isFull = false;
  const admission = new Admission(10, 5, () => isFull);
  const [large] = [await admission.enter(never), await admission.enter(never)];
  isFull = true;
  const waiting = [1, 2, 3].map(() => code(admission.enter(never)));
  isFull = false;
  large?.();
  expect(await Promise.all(waiting)).toEqual(['admitted', 'admitted', 'admitted']);
});

test('a principal with many runs waiting does not keep others waiting for all of them', async () => {
  const admission = new Admission(1, 100);
  const leaveFirst = await admission.enter(never, undefined, 'greedy');
  const order: string[] = [];
  const all = [...Array.from({ length: 50 }, () => 'greedy'), 'modest'].map(async (lane) => {
    const leave = await admission.enter(never, undefined, lane);
    order.push(lane);
    await turn();
    leave();
  });
  leaveFirst();
  await Promise.all(all);
  expect(order.indexOf('modest')).toBe(1);
});

test('a principal that has filled the queue makes room for another one, and that one does not push out the rest', async () => {
  const admission = new Admission(1, 4);
  const leave = await admission.enter(never, undefined, 'greedy');
  const greedy = Array.from({ length: 4 }, () => code(admission.enter(never, undefined, 'greedy')));
  const modest = Array.from({ length: 4 }, () => code(admission.enter(never, undefined, 'modest')));
  expect(await Promise.race([code(admission.enter(never, undefined, 'greedy')), turn()])).toBe('ERR_EXECUTE_BUSY');
  expect(await Promise.all([greedy[3], greedy[2], modest[2], modest[3]])).toEqual(Array.from({ length: 4 }, () => 'ERR_EXECUTE_BUSY'));
  leave();
  expect(await greedy[0]).toBe('admitted');
});

test('those that had left their place are never refused, take no place in the queue from others, and are not pushed out', async () => {
  const admission = new Admission(1, 2);
  const leave = await admission.enter(never, undefined, 'mine');
  const wakes = Array.from({ length: 20 }, () => code(enterAndLeave(admission, 'mine', true)));
  const fresh = [1, 2].map(() => code(enterAndLeave(admission, 'yours', false)));
  expect(await code(admission.enter(never, undefined, 'yours'))).toBe('ERR_EXECUTE_BUSY');
  wakes.push(code(enterAndLeave(admission, 'yours', true)));
  // Whoever has most that can be refused makes room; the twenty are none of these.
  const other = code(enterAndLeave(admission, 'theirs', false));
  expect(await fresh[1]).toBe('ERR_EXECUTE_BUSY');
  leave();
  expect(await Promise.all([...wakes, fresh[0], other])).toEqual(Array(23).fill('admitted'));
});

async function enterAndLeave(admission: Admission, lane: string, isWake: boolean): Promise<void> {
  const leave = await admission.enter(never, undefined, lane, isWake);
  await turn();
  leave();
}

test('says how many wait, whenever that changes', async () => {
  const counts: number[] = [];
  const admission = new Admission(
    1,
    5,
    () => false,
    (count) => counts.push(count),
  );
  const leave = await admission.enter(never);
  const controller = new AbortController();
  const [first, second] = [code(admission.enter(controller.signal)), code(admission.enter(never, undefined, '', true))];
  controller.abort();
  leave();
  expect([await first, await second]).toEqual(['ERR_EXECUTE_CANCELLED', 'admitted']);
  expect(counts).toEqual([1, 2, 1, 0]);
});
