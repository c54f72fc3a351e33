import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import type { ExecutionStore, StoredExecution } from '../../src/execution/execution-store.ts';
import { begin, goOn, HeldTool, memoryStore, openRuns, resultOf, until, type Begun, type BeginOptions } from './carried.ts';
import type { Play } from './played-executor.ts';

const AWAKE = { hibernation: { afterMs: 60_000, maxImageBytes: 1e6 } };
const TWO: Play = [{ call: ['one'] }, { call: ['two'] }];

let store: ExecutionStore;
beforeAll(() => {
  store = memoryStore();
});
afterAll(() => store.close());

describe('a gateway that lets go of its runs', () => {
  test('says so to whoever waits, writes nothing more, and another one goes on with the run', async () => {
    const tool = new HeldTool(true);
    const run = await (async () => {
      await using first = openRuns({ store });
      const asleep = await begin(first, TWO, { onCall: tool.onCall });
      await tool.answer(1);
      await tool.untilCalled(2);
      await until(() => first.runs.waiting === 1);
      first.runs.leave();
      await expect(asleep.outcome).rejects.toMatchObject({ code: 'ERR_SERVER_CLOSING' });
      // What the upstream's end makes of the call is not its answer.
      await tool.answer(2, { ok: false, error: { code: 'ERR_UPSTREAM_CLOSED', message: 'It was closed.' } });
      await expect((await begin(first, TWO)).outcome).rejects.toMatchObject({ code: 'ERR_SERVER_CLOSING' });
      return asleep;
    })();
    expect(tool.signals[1]?.aborted).toBe(false);
    expect((await store.read(run.id))?.calls[1]).toMatchObject({ stage: 'sent' });
    await using second = openRuns({ store });
    const again = await goOn(second, run, TWO, { onCall: tool.onCall });
    await tool.untilCalled(3);
    expect(second.executor.requests).toEqual([]);
    await tool.answer(2);
    expect(await resultOf(again)).toEqual(['one 1', 'two 2']);
    expect(second.executor.requests.map(({ from }) => from?.kind)).toEqual(['image']);
  });

  test('does so for one run whose signal fires because the server ends', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, TWO, { onCall: tool.onCall, request: AWAKE });
    await tool.untilCalled();
    run.controller.abort(new SandboxError('ERR_SERVER_CLOSING', 'The server is shutting down.'));
    await expect(run.outcome).rejects.toMatchObject({ code: 'ERR_SERVER_CLOSING' });
    expect((await store.read(run.id))?.status).toBe('running');
  });

  test('says of one that was cancelled a moment before that it was cancelled: nobody may go on with it', async () => {
    await using all = openRuns({ store });
    const run = await begin(all, TWO, { onCall: new HeldTool().onCall });
    await until(() => all.runs.waiting === 1);
    run.controller.abort(new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled.'));
    all.runs.leave();
    await expect(run.outcome).rejects.toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
  });
});

describe('a run that another process has begun', () => {
  test('begins again from the start with the recorded answers when it was never put away', async () => {
    const tool = new HeldTool(true);
    await using first = openRuns({ store });
    const run = await begin(first, TWO, { onCall: tool.onCall, request: AWAKE });
    await tool.answer(1);
    await tool.untilCalled(2);
    first.runs.leave();
    await using second = openRuns({ store });
    const again = await goOn(second, run, TWO, { onCall: tool.onCall });
    expect(again.id).toBe(run.id);
    await tool.untilCalled(3);
    await tool.answer(2);
    expect(await resultOf(again)).toEqual(['one 1', 'two 2']);
    expect(tool.calls.map(({ number }) => number)).toEqual([1, 2, 2]);
    const [request] = second.executor.requests;
    expect(request?.from).toMatchObject({ kind: 'history', steps: [[expect.any(Number), 1]] });
    expect([request?.now, request?.seed]).toEqual([first.executor.requests[0]?.now, first.executor.requests[0]?.seed]);
  });

  test('whose end is stored is not run again', async () => {
    await using all = openRuns({ store });
    const done = await begin(all, TWO);
    const outcome = await done.outcome;
    await store.ended(done.id, { status: 'completed', usage: outcome.usage, outcome: JSON.stringify(outcome), response: '{}' });
    const count = all.executor.requests.length;
    expect(await (await goOn(all, done, TWO)).outcome).toEqual(JSON.parse(JSON.stringify(outcome)));
    expect(all.executor.requests.length).toBe(count);
  });

  test('that was accepted and not started is started', async () => {
    await using all = openRuns({ store });
    await store.create({ id: 'exe_new', principal: 'local', createdAt: 1, request: '{}' });
    const stored = await store.read('exe_new');
    expect(await resultOf(await begin(all, TWO, { id: 'exe_new', run: { stored } }))).toEqual(['one 1', 'two 2']);
  });

  test('ends with what it was limited to at its start, not with what is configured by now', async () => {
    const tool = new HeldTool(true);
    await using first = openRuns({ store });
    const run = await begin(first, TWO, { onCall: tool.onCall });
    await tool.untilCalled();
    await until(() => first.runs.waiting === 1);
    first.runs.leave();
    await using second = openRuns({ store });
    const limits = { ...first.executor.requests[0]?.limits, waitMs: 10 } as NonNullable<BeginOptions['request']>['limits'];
    const again = await goOn(second, run, TWO, { onCall: tool.onCall, request: limits ? { limits, input: '"another"' } : {} });
    await tool.untilCalled(2);
    for (const number of [1, 2]) await tool.answer(number);
    expect(await resultOf(again)).toEqual(['one 1', 'two 2']);
    expect(second.executor.requests[0]).toMatchObject({ limits: first.executor.requests[0]?.limits, input: 'null' });
  });

  test('is not begun again for ever', async () => {
    await using all = openRuns({ store });
    const run = await begin(all, TWO, { request: AWAKE });
    await run.outcome;
    const again = await goOn(all, run, TWO, { change: (stored) => ({ ...stored, restarts: 50 }) });
    expect((await again.outcome).end).toMatchObject({ code: 'ERR_EXECUTE_LOST' });
    const once = await goOn(all, run, TWO, { change: (stored) => ({ ...stored, restarts: 49 }) });
    expect(await resultOf(once)).toEqual(['one 1', 'two 2']);
  });

  test('is not woken for ever, when each time its gateway ends with it', async () => {
    const tool = new HeldTool(true);
    const run = await (async () => {
      await using first = openRuns({ store });
      const asleep = await begin(first, TWO, { onCall: tool.onCall });
      await until(() => first.runs.waiting === 1);
      return asleep;
    })();
    const ends: string[] = [];
    while (ends.length < 40 && ends.at(-1) !== 'ERR_EXECUTE_LOST') {
      await using next = openRuns({ store });
      next.executor.onAttempt = () => next.runs.leave();
      const { outcome } = await goOn(next, run, TWO);
      ends.push(
        await outcome.then(({ end }) => (end.status === 'failed' ? end.code : 'ok')).catch((error: { code: string }) => error.code),
      );
    }
    expect(ends).toEqual([...Array<string>(31).fill('ERR_SERVER_CLOSING'), 'ERR_EXECUTE_LOST']);
  });

  test('with neither a whole record nor an image ends', async () => {
    await using all = openRuns({ store });
    const run = await begin(all, TWO, { request: AWAKE });
    await run.outcome;
    const again = await goOn(all, run, TWO, { change: (stored) => ({ ...stored, isComplete: false, canWake: false }) });
    expect(await again.outcome).toMatchObject({ end: { code: 'ERR_EXECUTION_DAMAGED' }, calls: [{ ok: true }, { ok: true }] });
  });
});

describe('a call whose answer nobody knows', () => {
  async function interruptedRun(tool: HeldTool): Promise<Begun> {
    await using first = openRuns({ store });
    const run = await begin(first, TWO, { onCall: tool.onCall });
    await tool.untilCalled();
    await until(() => first.runs.waiting === 1);
    return run;
  }

  test.each([
    ['is made again when the tool says that this does no harm', true, ['one 1', 'two 2'], 3],
    ['is an error in the program when it does not', false, ['ERR_CALL_INTERRUPTED', 'two 2'], 2],
  ])('%s', async (_, isRepeatable, result, calls) => {
    const tool = new HeldTool(isRepeatable);
    const run = await interruptedRun(tool);
    await using all = openRuns({ store });
    const again = await goOn(all, run, TWO, { onCall: tool.onCall });
    if (isRepeatable) await tool.untilCalled(2);
    if (isRepeatable) await tool.answer(1);
    await tool.answer(2);
    expect(await resultOf(again)).toEqual(result);
    expect(tool.calls.length).toBe(calls);
    expect((await store.read(run.id))?.calls[0]?.answer?.ok).toBe(isRepeatable);
  });

  test.each([
    ['made again when the operator says so', true, ['one 1', 'two 2']],
    ['an error when the operator refuses', false, ['ERR_CALL_INTERRUPTED', 'two 2']],
  ])('is, with "ask", %s', async (_, isGranted, result) => {
    const tool = new HeldTool();
    const run = await interruptedRun(tool);
    await using all = openRuns({ store, executions: { interruptedCalls: 'ask', engineChanged: 'keep' } });
    const decision = Promise.withResolvers<boolean>();
    const asked: unknown[] = [];
    const askRepeat = (call: unknown, sentAt: number): Promise<boolean> => {
      asked.push([call, sentAt]);
      const question = {
        id: `apr_${isGranted}`,
        executionId: run.id,
        principal: 'local',
        call: 1,
        kind: 'repeat',
        server: 'played',
      } as const;
      void store.ask({ ...question, tool: 'one', arguments: '{}', text: 'Again?', askedAt: 1 });
      return decision.promise;
    };
    // It was sent for the last time some while after it was made: that is when whoever is asked has to look.
    const change = (stored: StoredExecution): StoredExecution => ({
      ...stored,
      calls: stored.calls.map((call) => ({ ...call, sentAt: [7, 8] })),
    });
    const again = await goOn(all, run, TWO, { onCall: tool.onCall, run: { askRepeat }, change });
    await until(() => again.waits.some((reasons) => reasons?.[0]?.kind === 'approval'));
    expect(again.waits.at(-1)?.[0]).toMatchObject({ kind: 'approval', call: 1, approval: `apr_${isGranted}`, text: 'Again?' });
    expect(asked).toEqual([[expect.objectContaining({ executionId: run.id, number: 1, tool: 'one', arguments: '{"number":1}' }), 8]]);
    expect(tool.calls.length).toBe(1);
    decision.resolve(isGranted);
    if (isGranted) await tool.untilCalled(2);
    if (isGranted) await tool.answer(1);
    await tool.answer(2);
    expect(await resultOf(again)).toEqual(result);
  });

  test('is made when it was never sent, also when nothing was written about it before the run was put away', async () => {
    const waiting: BeginOptions['onCall'] = () => () => new Promise(() => undefined);
    const run = await (async () => {
      await using first = openRuns({ store });
      const asleep = await begin(first, TWO, { onCall: waiting });
      await until(() => first.runs.waiting === 1);
      return asleep;
    })();
    expect((await store.read(run.id))?.calls).toMatchObject([{ number: 1, stage: 'asked', tool: 'one' }]);
    await using all = openRuns({ store });
    expect(await resultOf(await goOn(all, run, TWO))).toEqual(['one 1', 'two 2']);
  });

  test('is an error when an image waits for it and nothing is stored of it', async () => {
    const tool = new HeldTool(true);
    const run = await interruptedRun(tool);
    await using all = openRuns({ store });
    const again = await goOn(all, run, TWO, { onCall: tool.onCall, change: (stored) => ({ ...stored, calls: [] }) });
    await tool.answer(2);
    expect(await resultOf(again)).toEqual(['ERR_CALL_INTERRUPTED', 'two 2']);
  });
});

describe('a question to a person', () => {
  test('is told while it is open, awake and asleep, and the call is asked about again after a restart', async () => {
    const decisions: ((isGranted: boolean) => void)[] = [];
    const asking: BeginOptions['onCall'] = (journal) => async (call) => {
      const question = {
        id: `apr_${call.executionId}`,
        executionId: call.executionId,
        principal: 'local',
        call: call.number,
        kind: 'approve',
      } as const;
      await journal.asking(call.number);
      await store.ask({ ...question, server: 'played', tool: call.tool, arguments: '{}', text: 'May it?', askedAt: 1 });
      await journal.asking(call.number);
      if (!(await new Promise<boolean>((resolve) => decisions.push(resolve)))) throw new Error('refused');
      await journal.sending(call.number, false);
      return { ok: true, value: '"allowed"' };
    };
    const play: Play = [{ call: ['one'] }];
    const first = openRuns({ store });
    const run = await begin(first, play, { onCall: asking, request: { hibernation: { afterMs: 20, maxImageBytes: 1e6 } } });
    await until(() => run.waits.length === 2);
    expect(run.waits[0]).toMatchObject([{ kind: 'approval', call: 1, tool: 'one', approval: `apr_${run.id}`, text: 'May it?' }]);
    expect(run.waits[1]).toEqual(run.waits[0]);
    await first[Symbol.asyncDispose]();
    expect((await store.read(run.id))?.calls).toMatchObject([{ stage: 'asked' }]);
    await using second = openRuns({ store });
    const again = await goOn(second, run, play, { onCall: asking });
    await until(() => decisions.length === 2);
    decisions[1]?.(true);
    expect(await resultOf(again)).toEqual(['allowed']);
  });
});
