import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { Board } from '../../../src/execute/worker/board.ts';
import { Dispatcher } from '../../../src/execute/executor/dispatcher.ts';
import type { PooledRun } from '../../../src/execute/executor/pooled-run.ts';
import type { LineEvent, LineMessage, RunTask, SentCall } from '../../../src/execute/worker-protocol.ts';
import { WorkerLine } from '../../../src/execute/executor/worker-line.ts';

/** The main thread's side of the pool, with workers that do what the test says. */

type Start = Extract<LineMessage, { type: 'run' }>;

class FakeWorker {
  readonly line: WorkerLine;
  readonly board: Board;
  readonly lists: (readonly LineMessage[])[] = [];
  readonly #port: MessagePort;

  constructor(dispatcher: Dispatcher, maxRuns = 100) {
    const { port1, port2 } = new MessageChannel();
    this.line = new WorkerLine(port1, maxRuns, () => dispatcher.dispatch());
    this.board = new Board(this.line.board);
    this.#port = port2;
    port2.on('message', (list: readonly LineMessage[]) => this.lists.push(list));
    port2.unref();
    dispatcher.add(this.line);
  }

  get starts(): Start[] {
    return this.lists.flat().filter((message) => message.type === 'run');
  }

  start(index: number): Start {
    const start = this.starts[index];
    if (!start) throw new Error(`no run ${index} has come`);
    return start;
  }

  say(event: LineEvent): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    this.#port.postMessage([event]);
  }

  begin(index: number): boolean {
    return this.board.begin(this.start(index).slot);
  }

  rest(index: number, calls: readonly SentCall[] = []): void {
    this.say({ type: 'step', run: this.start(index).run, calls, waits: true });
  }

  end(index: number): void {
    this.say({ type: 'end', run: this.start(index).run, outcome: `"outcome ${index}"`, broken: false });
  }

  close(): void {
    this.#port.close();
  }
}

const open: { close(): void }[] = [];
afterEach(() => {
  for (const resource of open.splice(0)) resource.close();
});

function setUp(workers: number, options: { maxRuns?: number; maxHeldPages?: number } = {}): { dispatcher: Dispatcher; all: FakeWorker[] } {
  const dispatcher = new Dispatcher(options.maxHeldPages ?? Infinity);
  const all = Array.from({ length: workers }, () => new FakeWorker(dispatcher, options.maxRuns));
  open.push(dispatcher, ...all);
  return { dispatcher, all };
}

function submit(dispatcher: Dispatcher, key = 'k', onCalls: (calls: readonly SentCall[]) => void = () => undefined): PooledRun {
  return dispatcher.submit({ key } as RunTask, performance.now(), { onStep: ({ calls }) => onCalls(calls) });
}

/** What is said in one thread arrives in a later turn. */
const poll = <T>(value: () => T): ReturnType<typeof expect.poll<T>> => expect.poll(value, { interval: 1, timeout: 2_000 });
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
const codeOf = (run: PooledRun): Promise<unknown> =>
  run.ended.then(
    ({ outcome }) => outcome,
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
const counts = (workers: readonly FakeWorker[]): number[] => workers.map(({ starts }) => starts.length);

function pair(workers: readonly FakeWorker[]): [FakeWorker, FakeWorker] {
  const [first, second] = workers;
  if (!first || !second) throw new Error('two workers are needed');
  return [first, second];
}

test('runs spread over the workers, two to each, and the rest waits for one that is free', async () => {
  const { dispatcher, all } = setUp(2);
  for (let i = 0; i < 6; i++) submit(dispatcher);
  await poll(() => counts(all)).toEqual([2, 2]);
  await pause(5);
  expect(counts(all)).toEqual([2, 2]);
});

test('a run that waits for a tool makes room for the next one, and one that has ended does', async () => {
  const { dispatcher, all } = setUp(1);
  const [worker] = all;
  const runs = Array.from({ length: 4 }, () => submit(dispatcher));
  await poll(() => counts(all)).toEqual([2]);
  worker?.rest(0);
  await poll(() => counts(all)).toEqual([3]);
  worker?.end(1);
  await poll(() => counts(all)).toEqual([4]);
  expect(await codeOf(runs[1] as PooledRun)).toBe('"outcome 1"');
});

test('no number of waiting runs keeps a new one out, up to the places of the worker', async () => {
  const { dispatcher, all } = setUp(1, { maxRuns: 50 });
  const [worker] = all;
  for (let i = 0; i < 60; i++) submit(dispatcher);
  for (let i = 0; i < 50; i++) {
    await poll(() => worker?.starts.length).toBeGreaterThan(i);
    worker?.rest(i);
  }
  await pause(5);
  expect(counts(all)).toEqual([50]);
  worker?.end(0);
  await poll(() => counts(all)).toEqual([51]);
});

test('what comes up in one turn goes in one message', async () => {
  const { dispatcher, all } = setUp(1);
  const [worker] = all;
  const run: PooledRun = submit(dispatcher, 'k', (calls) => {
    for (const { number } of calls) run.answer({ type: 'answer', call: number, ok: true, answer: '{}' });
  });
  submit(dispatcher);
  await poll(() => counts(all)).toEqual([2]);
  worker?.rest(
    0,
    [1, 2, 3].map((number) => ({ number, server: 's', tool: 't', arguments: '{}' })),
  );
  await poll(() => worker?.lists.length).toBe(2);
  expect(worker?.lists.map((list) => list.map(({ type }) => type))).toEqual([
    ['run', 'run'],
    ['message', 'message', 'message'],
  ]);
});

test('a run behind one that computes goes to a worker that becomes idle, and is not run twice', async () => {
  const { dispatcher, all } = setUp(2);
  const [busy, other] = pair(all);
  const runs = Array.from({ length: 4 }, () => submit(dispatcher));
  await poll(() => counts(all)).toEqual([2, 2]);
  for (const worker of all) {
    worker.begin(0);
    worker.board.busy = true;
  }
  await pause(10);
  expect(counts(all)).toEqual([2, 2]);
  other.board.busy = false;
  other.end(0);
  other.end(1);
  await poll(() => counts(all)).toEqual([2, 3]);
  expect(busy.begin(1)).toBe(false);
  expect(other.begin(2)).toBe(true);
  busy.say({ type: 'skipped', slot: busy.start(1).slot });
  other.end(2);
  busy.end(0);
  const outcomes = await Promise.all(runs.map(codeOf));
  expect(['"outcome 0"', '"outcome 1"', '"outcome 2"'].map((outcome) => outcomes.filter((one) => one === outcome).length)).toEqual([
    2, 1, 1,
  ]);
});

test('a worker that computes is the last choice for a run', async () => {
  const { dispatcher, all } = setUp(2);
  const [busy, other] = pair(all);
  busy.board.busy = true;
  submit(dispatcher);
  await poll(() => other.starts.length).toBe(1);
  expect([busy.starts.length, other.starts.length]).toEqual([0, 1]);
});

test('a worker that had the program last suits it best, unless it computes', () => {
  const { dispatcher, all } = setUp(2);
  const [first, second] = pair(all);
  for (const [worker, key] of [
    [first, 'a'],
    [second, 'b'],
  ] as const) {
    worker.line.post(submit(new Dispatcher(Infinity), key));
  }
  const suits = (key: string): boolean => first.line.load(key) < second.line.load(key);
  expect([suits('a'), suits('b')]).toEqual([true, false]);
  first.board.busy = true;
  expect([suits('a'), suits('b')]).toEqual([false, false]);
  dispatcher.close();
});

test('a run that is cancelled while it is queued, or on its way, never begins', async () => {
  const { dispatcher, all } = setUp(1);
  const [worker] = all;
  const runs = Array.from({ length: 3 }, () => submit(dispatcher));
  await poll(() => counts(all)).toEqual([2]);
  for (const run of runs) dispatcher.cancel(run);
  expect(await Promise.all(runs.map(codeOf))).toEqual(Array.from({ length: 3 }, () => 'ERR_EXECUTE_CANCELLED'));
  expect([worker?.begin(0), worker?.begin(1)]).toEqual([false, false]);
  submit(dispatcher);
  // The third went on its way when the first was taken back, and was taken back as well.
  await poll(() => counts(all)).toEqual([4]);
  expect([worker?.begin(2), worker?.begin(3)]).toEqual([false, true]);
});

test('a run that is cancelled when it has begun is interrupted and told, and no other is', async () => {
  const { dispatcher, all } = setUp(1);
  const [worker] = all;
  const runs = [submit(dispatcher), submit(dispatcher)];
  await poll(() => counts(all)).toEqual([2]);
  worker?.begin(0);
  worker?.begin(1);
  dispatcher.cancel(runs[1] as PooledRun);
  await poll(() => worker?.lists.at(-1)).toEqual([{ type: 'message', run: worker?.start(1).run, message: { type: 'cancel' } }]);
  expect([0, 1].map((index) => worker?.board.flag(worker.start(index).slot)[0])).toEqual([0, 1]);
});

test('a cancel that comes after the end changes nothing for the run that has the slot now', async () => {
  const { dispatcher, all } = setUp(1);
  const [worker] = all;
  const first = submit(dispatcher);
  await poll(() => counts(all)).toEqual([1]);
  worker?.begin(0);
  worker?.end(0);
  await first.ended;
  submit(dispatcher);
  await poll(() => counts(all)).toEqual([2]);
  expect(worker?.start(1).slot).toBe(worker?.start(0).slot);
  dispatcher.cancel(first);
  expect(worker?.begin(1)).toBe(true);
  expect(worker?.board.flag(worker.start(1).slot)[0]).toBe(0);
});

test('while the runs hold all the memory that they may, no further one begins', async () => {
  const { dispatcher, all } = setUp(1, { maxHeldPages: 100 });
  const [worker] = all;
  submit(dispatcher);
  await poll(() => counts(all)).toEqual([1]);
  worker?.begin(0);
  worker?.board.hold(100);
  worker?.rest(0);
  submit(dispatcher);
  await pause(5);
  expect([dispatcher.isFull, counts(all)]).toEqual([true, [1]]);
  worker?.board.hold(-100);
  worker?.end(0);
  await poll(() => counts(all)).toEqual([2]);
});

test('a run that no worker begins does not wander among them for ever', async () => {
  const { dispatcher, all } = setUp(2);
  submit(dispatcher);
  await pause(50);
  expect(all.flatMap(({ starts }) => starts).length).toBeLessThanOrEqual(2);
});

test('with a worker the runs that it had begun are lost, and all others go to the next worker, in order', async () => {
  const { dispatcher, all } = setUp(1);
  const [worker] = all;
  const runs = Array.from({ length: 3 }, () => submit(dispatcher));
  const made = dispatcher.make({ key: 'k', script: '' });
  await poll(() => counts(all)).toEqual([2]);
  worker?.begin(0);
  dispatcher.remove((worker as FakeWorker).line, new Error('gone'));
  await expect(made).rejects.toThrow('gone');
  expect(dispatcher.isEmpty).toBe(true);
  const next = new FakeWorker(dispatcher);
  open.push(next);
  await poll(() => next.starts.length).toBe(2);
  next.end(0);
  next.end(1);
  expect(await Promise.all(runs.map(codeOf))).toEqual(['gone', '"outcome 0"', '"outcome 1"']);
});

test('a run ends with the second worker that is lost before it begins it', async () => {
  const { dispatcher, all } = setUp(2);
  const [first, second] = pair(all);
  second.board.busy = true;
  const run = submit(dispatcher);
  await poll(() => first.starts.length).toBe(1);
  dispatcher.remove(first.line, new Error('first'));
  await poll(() => second.starts.length).toBe(1);
  dispatcher.remove(second.line, new Error('second'));
  expect(await codeOf(run)).toBe('second');
});

test('a failure inside a worker is that of its run', async () => {
  const { dispatcher, all } = setUp(1);
  const [worker] = all;
  const runs = [submit(dispatcher), submit(dispatcher)];
  await poll(() => counts(all)).toEqual([2]);
  worker?.say({ type: 'failed', run: worker.start(0).run, message: 'damaged' });
  worker?.end(1);
  expect(await Promise.all(runs.map(codeOf))).toEqual(['damaged', '"outcome 1"']);
});
