import { MessageChannel, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { createBoard, type Board } from '../../../src/execute/worker/board.ts';
import type { RunMessage, LineEvent, LineMessage, RunTask, WorkerResult, WorkerTask } from '../../../src/execute/worker-protocol.ts';
import { WorkerRuns, type RunWork } from '../../../src/execute/worker/worker-runs.ts';

/** The worker's end of a line, in this thread, with runs that do what the test says. */

interface FakeRun {
  readonly task: WorkerTask;
  readonly heard: RunMessage[];
  call(number: number): void;
  end(): void;
  fail(message: string): void;
}

interface Opened {
  readonly board: Board;
  readonly began: FakeRun[];
  readonly post: (...list: LineMessage[]) => void;
  /** What the main thread has been sent so far, message by message. */
  readonly received: () => LineEvent[][];
}

const makeOrFail: RunWork['make'] = ({ script }) => {
  if (script === 'bad') throw new Error('no memory');
  return Uint8Array.of(1);
};

const ports: MessagePort[] = [];
afterEach(() => ports.splice(0).forEach((port) => port.close()));

function open(make: RunWork['make'] = makeOrFail): Opened {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1);
  const board = createBoard(10);
  const began: FakeRun[] = [];
  const lists: LineEvent[][] = [];
  const execute: RunWork['execute'] = (task) => {
    const { promise, resolve, reject } = Promise.withResolvers<WorkerResult>();
    const heard: RunMessage[] = [];
    task.port.onMessage((message) => heard.push(message));
    began.push({
      task,
      heard,
      call: (number) =>
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
        task.port.postMessage({ type: 'call', call: { executionId: 'e', number, server: 's', tool: 't', arguments: '{}' } }),
      end: () => resolve({ outcome: '"done"', broken: false }),
      fail: (message) => reject(new Error(message)),
    });
    return promise;
  };
  // oxlint-disable-next-line no-new -- it lives as long as its port
  new WorkerRuns(port2, board, { execute, make });
  return {
    board,
    began,
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    post: (...list) => port1.postMessage(list),
    received: () => {
      for (let next = receiveMessageOnPort(port1); next; next = receiveMessageOnPort(port1)) lists.push(next.message);
      return lists;
    },
  };
}

const start = (run: number): LineMessage => ({ type: 'run', run, slot: run, queuedMs: 0, task: { program: new Uint8Array() } as RunTask });
const answer = (run: number, call: number): LineMessage => ({
  type: 'message',
  run,
  message: { type: 'answer', call, ok: true, answer: '{}' },
});
const turn = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 5));
const poll = <T>(value: () => T): ReturnType<typeof expect.poll<T>> => expect.poll(value, { interval: 1, timeout: 2_000 });

/** Two runs that have begun and wait; what they said is heard. */
async function openTwo(): Promise<Opened & { first: FakeRun; second: FakeRun }> {
  const opened = open();
  opened.post(start(1), start(2));
  await poll(() => opened.began.length).toBe(2);
  const [first, second] = opened.began;
  if (!first || !second) throw new Error('two runs were to begin');
  for (const { task } of [first, second]) task.port.rest();
  await turn();
  opened.received().splice(0);
  return { ...opened, first, second };
}

test('the calls of a step are one event, and the first wait is said once', async () => {
  const { post, began, received } = open();
  post(start(1));
  await poll(() => began.length).toBe(1);
  began[0]?.call(1);
  began[0]?.call(2);
  began[0]?.task.port.rest();
  began[0]?.task.port.rest();
  began[0]?.call(3);
  began[0]?.task.port.rest();
  expect(received().flat()).toMatchObject([
    { type: 'step', run: 1, calls: [{ number: 1 }, { number: 2 }], waits: true },
    { type: 'step', run: 1, calls: [{ number: 3 }], waits: false },
  ]);
});

test('what the only run of a worker says leaves at once', async () => {
  const { post, began, received } = open();
  post(start(1));
  await poll(() => began.length).toBe(1);
  began[0]?.task.port.rest();
  expect(received()).toHaveLength(1);
});

test('what several runs say in one turn leaves in one message', async () => {
  const { first, second, received } = await openTwo();
  first.call(1);
  first.task.port.rest();
  second.call(1);
  second.task.port.rest();
  expect(received()).toEqual([]);
  await turn();
  expect(received().map((list) => list.map((event) => 'run' in event && event.run))).toEqual([[1, 2]]);
});

test('while a run computes for long the news of the others, and its own calls, leave at the next slice of fuel', async () => {
  const { first, second, received } = await openTwo();
  first.call(1);
  first.task.port.rest();
  second.task.port.resume();
  second.call(1);
  second.task.port.slice();
  expect(received().flat()).toMatchObject([
    { run: 1, calls: [{ number: 1 }] },
    { run: 2, calls: [{ number: 1 }], waits: false },
  ]);
});

test('answers reach their run, all that are here before it goes on', async () => {
  const { first, second, post } = await openTwo();
  post(answer(1, 1), answer(2, 1));
  post(answer(1, 2), { type: 'message', run: 2, message: { type: 'cancel' } }, answer(99, 1));
  await poll(() => second.heard.length).toBe(2);
  expect(first.heard.map((message) => message.type === 'answer' && message.call)).toEqual([1, 2]);
  expect(second.heard.map(({ type }) => type)).toEqual(['answer', 'cancel']);
});

test('a run that was taken back does not begin, and its slot is given back', async () => {
  const { board, post, began, received } = open();
  board.takeBack(1);
  post(start(1), start(2));
  await poll(() => began.length).toBe(1);
  expect(board.hasBegun(2)).toBe(true);
  expect(received().flat()).toEqual([{ type: 'skipped', slot: 1 }]);
});

test('an end is the last that is heard of a run, after the calls that nobody waits for', async () => {
  const { board, first, second, received } = await openTwo();
  first.call(1);
  first.end();
  second.fail('broken memory');
  await turn();
  const events = received().flat();
  expect(events.filter((event) => 'run' in event && event.run === 1)).toMatchObject([
    { type: 'step', calls: [{ number: 1 }] },
    { type: 'end', outcome: '"done"' },
  ]);
  expect(events).toContainEqual({ type: 'failed', run: 2, message: 'broken memory' });
  expect(board.busy).toBe(false);
});

test('the memory that a run holds is counted until its end', async () => {
  const { board, first } = await openTwo();
  const memory = new WebAssembly.Memory({ initial: 3 });
  first.task.port.hold(memory);
  expect(board.heldPages).toBe(3);
  memory.grow(4);
  first.task.port.rest();
  expect(board.heldPages).toBe(7);
  first.end();
  await turn();
  expect(board.heldPages).toBe(0);
});

test('a program is made or not, and the answer says which', async () => {
  const { post, received } = open();
  post({ type: 'make', run: 1, task: { key: 'k', script: 'good' } }, { type: 'make', run: 2, task: { key: 'k', script: 'bad' } });
  await poll(() => received().length).toBe(2);
  expect(received().flat()).toEqual([
    { type: 'made', run: 1, result: Uint8Array.of(1) },
    { type: 'failed', run: 2, message: 'no memory' },
  ]);
});

test('a worker that makes a program is busy, and no longer than that', async () => {
  const seen: boolean[] = [];
  const { board, post, received } = open((task) => {
    seen.push(board.busy);
    return makeOrFail(task);
  });
  post({ type: 'make', run: 1, task: { key: 'k', script: 'good' } }, { type: 'make', run: 2, task: { key: 'k', script: 'bad' } });
  await poll(() => received().flat().length).toBe(2);
  expect([seen, board.busy]).toEqual([[true, true], false]);
});
