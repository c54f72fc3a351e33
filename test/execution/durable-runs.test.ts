import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import type { ExecutionStore, StoredExecution } from '../../src/execution/execution-store.ts';
import { begin, changed, HeldTool, memoryStore, openRuns, resultOf, until, type BeginOptions } from './carried.ts';
import { DEFAULT_RUN_LIMITS } from '../support/executor.ts';
import { PlayedLoss } from './played-ends.ts';
import type { Play } from './played-executor.ts';

const CALLS: Play = [{ call: ['one'] }, { call: ['two', 'three'] }, { call: ['four'] }];
const RESULT = ['one 1', 'two 2', 'three 3', 'four 4'];

let store: ExecutionStore;
beforeAll(() => {
  store = memoryStore();
});
afterAll(() => store.close());

describe('a run that is carried to its end', () => {
  test('has the same outcome whether it is put away never or at every wait', async () => {
    await using all = openRuns({ store });
    const [often, never] = [
      await begin(all, CALLS),
      await begin(all, CALLS, { request: { hibernation: { afterMs: 60_000, maxImageBytes: 1e6 } } }),
    ];
    expect(await resultOf(often)).toEqual(RESULT);
    expect(await resultOf(never)).toEqual(RESULT);
    expect((await store.read(often.id))?.hibernations).toBeGreaterThan(2);
    expect((await store.read(never.id))?.hibernations).toBe(0);
    const { usage, ...outcome } = await often.outcome;
    const { usage: other, ...same } = await never.outcome;
    expect([outcome, usage.fuel]).toEqual([same, expect.any(Number)]);
    expect(other.toolCalls).toBe(usage.toolCalls);
    expect(all.runs.waiting).toBe(0);
  });

  test('is started with the clock and the seed that it will always have', async () => {
    await using all = openRuns({ store });
    const run = await begin(all, CALLS);
    await run.outcome;
    const stored = await store.read(run.id);
    expect(stored?.start).toMatchObject({ engineHash: 'ee'.repeat(32), context: '{}', seed: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const { now, seed } = stored?.start ?? {};
    expect(all.executor.requests.map((request) => [request.now, request.seed])).toEqual(all.executor.requests.map(() => [now, seed]));
    expect(stored?.calls.map(({ number, stage }) => [number, stage])).toEqual([1, 2, 3, 4].map((number) => [number, 'answered']));
    expect(stored?.history.steps.flatMap(([, ...calls]) => calls).toSorted()).toEqual([1, 2, 3, 4]);
  });

  test('tells what it waits for while it is put away, and when it goes on', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, [{ call: ['one'] }, { sleep: 20 }], { onCall: tool.onCall });
    await until(() => run.waits.length === 1);
    expect(run.waits[0]).toEqual([{ kind: 'tool', call: 1, server: 'played', tool: 'one', since: expect.any(Number) }]);
    expect((await store.read(run.id))?.status).toBe('waiting');
    await tool.answer(1);
    expect(await resultOf(run)).toEqual(['one 1']);
    expect(run.waits.map((reasons) => reasons?.map(({ kind }) => kind))).toEqual([['tool'], undefined, ['timer'], undefined]);
  });
});

describe('a process that is lost', () => {
  test('does not make a run lose calls that are under way, nor make them twice', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, CALLS, { onCall: tool.onCall, request: { hibernation: { afterMs: 60_000, maxImageBytes: 1e6 } } });
    await tool.answer(1);
    await tool.untilCalled(3);
    all.executor.lose();
    await until(() => all.executor.requests.length === 2);
    expect(all.executor.requests[1]?.from).toMatchObject({ kind: 'history', steps: [[expect.any(Number), 1]] });
    for (const number of [3, 2, 4]) await tool.answer(number);
    expect(await resultOf(run)).toEqual(RESULT);
    expect(tool.calls.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect((await store.read(run.id))?.restarts).toBe(1);
  });

  test('has a run go on from its image when nothing came after that', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, CALLS, { onCall: tool.onCall });
    await until(() => run.waits.length === 1);
    all.executor.onAttempt = (_, attempt) => attempt === 2 && queueMicrotask(() => all.executor.lose());
    await tool.answer(1);
    await until(() => all.executor.requests.length === 3);
    expect(all.executor.requests[2]?.from).toMatchObject({ kind: 'image', pending: [1], lastCall: 1 });
    all.executor.onAttempt = undefined;
    for (const number of [2, 3, 4]) await tool.answer(number);
    expect(await resultOf(run)).toEqual(RESULT);
  });

  test('has a run go on from its start when a call came after its image: it would make another from there', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, [{ call: ['one'] }, { callWithClock: 'two' }, { call: ['three'] }], { onCall: tool.onCall });
    await until(() => run.waits.length === 1);
    all.executor.keepsAll = true;
    await tool.answer(1);
    await tool.untilCalled(2);
    await new Promise((resolve) => setTimeout(resolve, 3));
    all.executor.lose();
    for (const number of [2, 3]) await tool.answer(number);
    expect(await resultOf(run)).toEqual(['one 1', 'two 2', 'three 3']);
    expect(tool.calls.length).toBe(3);
    expect(all.executor.requests.map(({ from }) => from?.kind)).toEqual([undefined, 'image', 'history']);
  });

  test('is forgiven three times in a row, and the fourth time ends the run', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    all.executor.onAttempt = () => queueMicrotask(() => all.executor.lose());
    const run = await begin(all, CALLS, { onCall: tool.onCall, request: { hibernation: { afterMs: 60_000, maxImageBytes: 1e6 } } });
    expect((await run.outcome).end).toMatchObject({ status: 'failed', code: 'ERR_EXECUTE_LOST' });
    expect(all.executor.requests.length).toBe(4);
    expect(tool.calls.length).toBe(1);
  });

  test('is forgiven anew when the run got further in between', async () => {
    await using all = openRuns({ store });
    const play: Play = Array.from({ length: 8 }, () => ({ call: ['more'] }));
    const onCall: BeginOptions['onCall'] = (journal) => async (call) => {
      await journal.sending(call.number, false);
      all.executor.lose();
      return { ok: true, value: '"more"' };
    };
    const run = await begin(all, play, { request: { hibernation: { afterMs: 60_000, maxImageBytes: 1e6 } }, onCall });
    expect(((await resultOf(run)) as unknown[]).length).toBe(8);
    expect((await store.read(run.id))?.restarts).toBe(8);
  });

  test('before the run has begun costs nothing once, and is told the second time', async () => {
    await using all = openRuns({ store });
    all.executor.refusals.push(new PlayedLoss(false));
    expect(await resultOf(await begin(all, CALLS))).toEqual(RESULT);
    all.executor.refusals.push(new PlayedLoss(false), new PlayedLoss(false));
    await expect((await begin(all, CALLS)).outcome).rejects.toMatchObject({ code: 'ERR_EXECUTE_LOST' });
  });

  test('does not make a run lose its record when that is not whole: it ends', async () => {
    const torn = async (id: string): Promise<StoredExecution | undefined> => {
      const stored = await store.read(id);
      return stored && { ...stored, isComplete: false, canWake: false };
    };
    await using all = openRuns({ store: changed(store, { read: torn }) });
    const tool = new HeldTool();
    const run = await begin(all, CALLS, { onCall: tool.onCall, request: { hibernation: { afterMs: 60_000, maxImageBytes: 1e6 } } });
    await tool.untilCalled();
    all.executor.lose();
    const { end, calls } = await run.outcome;
    expect([end, calls]).toMatchObject([{ code: 'ERR_EXECUTE_LOST' }, [{ tool: 'one', ok: false }]]);
    expect(tool.signals[0]?.aborted).toBe(true);
  });
});

describe('a run that does not do again what it did', () => {
  test.each([
    [
      'another tool',
      (tool: string) => (tool === 'two' ? 'other' : tool),
      'Call 2 of the run was "played.two" and came again as "played.other".',
    ],
  ])('ends with what differs: %s', async (_, differ, message) => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, CALLS, { onCall: tool.onCall, request: { hibernation: { afterMs: 60_000, maxImageBytes: 1e6 } } });
    await tool.answer(1);
    await tool.untilCalled(3);
    all.executor.differ = differ;
    all.executor.lose();
    const { end, logs, calls } = await run.outcome;
    // All that it had called, also what did not come again.
    expect(calls.map(({ tool, ok }) => [tool, ok])).toEqual([
      ['one', true],
      ['two', false],
      ['three', false],
    ]);
    expect(end).toMatchObject({ status: 'failed', code: 'ERR_EXECUTION_DIVERGED', message: expect.stringContaining(message) });
    expect(logs).toEqual([{ level: 'info', message: '1 steps' }]);
    expect(tool.calls.length).toBe(3);
  });
});

describe('an image', () => {
  test('that is damaged is done without once', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, CALLS, { onCall: tool.onCall });
    await until(() => run.waits.length === 1);
    all.executor.refusals.push(new SandboxError('ERR_COMPONENT_DAMAGED', 'The image has another checksum.'));
    for (const number of [1, 2, 3]) await tool.answer(number);
    await tool.untilCalled(4);
    expect(all.executor.requests[2]?.from?.kind).toBe('history');
    await until(() => run.waits.at(-1)?.length === 1 && all.executor.size === 0);
    all.executor.refusals.push(new SandboxError('ERR_COMPONENT_DAMAGED', 'The image has another checksum.'));
    await tool.answer(4);
    expect((await run.outcome).end).toMatchObject({ code: 'ERR_EXECUTION_DAMAGED' });
  });

  test('that the store refuses keeps the run in memory, where it ends', async () => {
    const hibernated = () => Promise.reject(new SandboxError('ERR_EXECUTION_FULL', 'The disk is full.'));
    await using all = openRuns({ store: changed(store, { hibernated }) });
    const tool = new HeldTool();
    const run = await begin(all, [{ call: ['one'] }, { sleep: 10 }, { call: ['two'] }], { onCall: tool.onCall });
    await tool.answer(1);
    await tool.answer(2);
    expect(await resultOf(run)).toEqual(['one 1', 'two 2']);
    expect(all.executor.requests.map(({ hibernation }) => hibernation?.afterMs)).toEqual([0, 60_000]);
    expect(all.warnings.filter((line) => line.includes('stays in memory')).length).toBe(1);
    expect([run.waits, all.runs.waiting]).toEqual([[], 0]);
  });
});

describe('waitMs', () => {
  test('ends a run that is put away with its logs, over it and not under', async () => {
    await using all = openRuns({ store });
    const limited = (waitMs: number): BeginOptions => ({ request: { limits: { ...DEFAULT_RUN_LIMITS, waitMs } } });
    const over = await begin(all, [{ sleep: 5 }, { sleep: 60_000 }], limited(60));
    const under = await begin(all, [{ sleep: 60 }], limited(60_000));
    expect((await under.outcome).end.status).toBe('completed');
    const { end, logs, usage } = await over.outcome;
    expect(end).toMatchObject({ code: 'ERR_EXECUTE_WAITING_TIME' });
    expect(logs).toEqual([{ level: 'info', message: '1 steps' }]);
    expect(usage.waitingMs).toBeGreaterThanOrEqual(60);
  });
});

describe('cancelling', () => {
  test('a run that is put away ends it at once, with its logs, and its calls', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, CALLS, { onCall: tool.onCall });
    await tool.answer(1);
    await tool.untilCalled(3);
    await until(() => run.waits.at(-1)?.length === 2);
    run.controller.abort();
    const { end, logs, calls } = await run.outcome;
    expect(end).toMatchObject({ status: 'failed', code: 'ERR_EXECUTE_CANCELLED' });
    expect(logs).toEqual([{ level: 'info', message: '1 steps' }]);
    expect(calls.map(({ tool: name, ok }) => [name, ok])).toEqual([
      ['one', true],
      ['two', false],
      ['three', false],
    ]);
    expect(tool.signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    expect(all.runs.waiting).toBe(0);
  });

  test('a run on its way out of its sleep ends it with its logs, and its calls', async () => {
    let onImage = (): void => undefined;
    const image: ExecutionStore['image'] = (id) => {
      onImage();
      return store.image(id);
    };
    await using all = openRuns({ store: changed(store, { image }) });
    const tool = new HeldTool();
    const run = await begin(all, CALLS, { onCall: tool.onCall });
    await tool.answer(1);
    await tool.untilCalled(3);
    await until(() => run.waits.at(-1)?.length === 2);
    onImage = () => run.controller.abort();
    await tool.answer(2);
    const { end, logs, calls } = await run.outcome;
    expect(end).toMatchObject({ status: 'failed', code: 'ERR_EXECUTE_CANCELLED' });
    expect(logs).toEqual([{ level: 'info', message: '1 steps' }]);
    expect(calls.map(({ tool: name }) => name)).toEqual(['one', 'two', 'three']);
  });

  test('a run whose image is gone ends it with the calls that are stored', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, [{ call: ['one'] }], { onCall: tool.onCall });
    await until(() => run.waits.length === 1);
    all.executor.refusals.push(new SandboxError('ERR_COMPONENT_DAMAGED', 'The image has another checksum.'));
    run.controller.abort();
    expect(await run.outcome).toMatchObject({
      end: { code: 'ERR_EXECUTE_CANCELLED' },
      calls: [{ tool: 'one', ok: false }],
      usage: { toolCalls: 1 },
    });
  });

  test('before a run has begun does not begin it', async () => {
    await using all = openRuns({ store });
    const run = await begin(all, CALLS, { run: {}, request: {} });
    run.controller.abort();
    await run.outcome.catch(() => undefined);
    const controller = new AbortController();
    controller.abort();
    const request = all.executor.requests[0];
    if (!request) throw new Error('no run began');
    await store.create({ id: 'exe_early', principal: 'local', createdAt: 1, request: '{}' });
    const early = all.runs.run(
      { request: { ...request, executionId: 'exe_early' }, engineHash: '', context: '' },
      () => () => Promise.reject(new Error('called')),
      controller.signal,
    );
    await expect(early).rejects.toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
  });
});
