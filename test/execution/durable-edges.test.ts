import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { createDurableRuns } from '../../src/execution/durable-runs.ts';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import { DEFAULT_RUN_LIMITS } from '../support/executor.ts';
import { answerTo, begin, changed, HeldTool, memoryStore, openRuns, resultOf, until, type BeginOptions } from './carried.ts';
import { PlayedLoss } from './played-ends.ts';
import { PlayedExecutor, type Play } from './played-executor.ts';

const TWO: Play = [{ call: ['one'] }, { call: ['two'] }];
const AWAKE = { hibernation: { afterMs: 60_000, maxImageBytes: 1e6 } };

let store: ExecutionStore;
beforeAll(() => {
  store = memoryStore();
});
afterAll(() => store.close());

describe('without a store', () => {
  test('a run is made as it always was, and never put away', async () => {
    const executor = new PlayedExecutor();
    const log = { info: () => undefined, warn: () => undefined };
    const executions = { interruptedCalls: 'fail', engineChanged: 'keep' } as const;
    const runs = createDurableRuns({ store: undefined, executor, engineHash: '', executions, maxWaitingRuns: 1, log });
    const request = {
      executionId: 'exe_plain',
      program: { key: '', script: JSON.stringify(TWO) },
      input: '',
      state: '',
      limits: DEFAULT_RUN_LIMITS,
    };
    const journals: unknown[] = [];
    const outcome = runs.run(
      { request: { ...request, hibernation: { afterMs: 0, maxImageBytes: 1 } }, engineHash: '', context: '' },
      (journal) => async (call) => {
        journals.push(await journal.asking(call.number), await journal.sending(call.number, false));
        return answerTo(call);
      },
      new AbortController().signal,
    );
    runs.leave();
    expect(await resultOf({ outcome })).toEqual(['one 1', 'two 2']);
    expect([executor.requests.length, journals.length]).toEqual([1, 4]);
  });
});

describe('the journal', () => {
  test('lets nothing leave after the end of the run', async () => {
    await using all = openRuns({ store });
    const gate = Promise.withResolvers<undefined>();
    const said: unknown[] = [];
    const onCall: BeginOptions['onCall'] = (journal) => async (call) => {
      await journal.asking(call.number);
      await gate.promise;
      await journal.sending(call.number, true).catch((error: unknown) => said.push(error));
      return answerTo(call);
    };
    const run = await begin(all, TWO, { onCall });
    await until(() => all.runs.waiting === 1);
    run.controller.abort();
    await run.outcome;
    gate.resolve(undefined);
    await until(() => said.length === 1);
    expect(said[0]).toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
    expect((await store.read(run.id))?.calls).toMatchObject([{ stage: 'asked' }]);
  });

  test.each([
    ['sending', 'nothing leave', 'start'],
    ['sending', 'nothing leave', 'call'],
    ['asking', 'nobody be asked', 'start'],
    ['asking', 'nobody be asked', 'call'],
  ] as const)('of %s lets %s when "%s" cannot be written', async (step, _what, method) => {
    const full = new SandboxError('ERR_EXECUTION_STORE', 'The disk is full.');
    await using all = openRuns({ store: changed(store, { [method]: () => Promise.reject(full) }) });
    const sent: number[] = [];
    const onCall: BeginOptions['onCall'] = (journal) => async (call) => {
      try {
        await (step === 'sending' ? journal.sending(call.number, false) : journal.asking(call.number));
        sent.push(call.number);
        return answerTo(call);
      } catch (error) {
        return { ok: false, error: { code: (error as SandboxError).code, message: '' } };
      }
    };
    const run = await begin(all, TWO, { onCall, request: AWAKE });
    expect(await resultOf(run)).toEqual(['ERR_EXECUTION_STORE', 'ERR_EXECUTION_STORE']);
    expect(sent).toEqual([]);
    expect(all.warnings.length).toBe(method === 'start' ? 1 : 0);
  });
});

describe('a call', () => {
  test('whose tool breaks is an error in the program, without a word of why', async () => {
    await using all = openRuns({ store });
    const run = await begin(all, TWO, { onCall: () => () => Promise.reject(new Error('a secret')) });
    expect(await resultOf(run)).toEqual(['ERR_INTERNAL', 'ERR_INTERNAL']);
    expect(JSON.stringify([await store.read(run.id), all.warnings])).not.toContain('secret');
  });
});

describe('an executor', () => {
  test('that cannot put a run away has it wait where it is, and those who wait for it are told', async () => {
    await using all = openRuns({ store });
    all.executor.keepsAll = true;
    const tool = new HeldTool();
    const run = await begin(all, [{ call: ['one'] }, { sleep: 5 }], { onCall: tool.onCall });
    await until(() => run.waits.length === 1);
    expect(run.waits[0]).toMatchObject([{ kind: 'tool', tool: 'one' }]);
    expect((await store.read(run.id))?.status).toBe('waiting');
    await tool.answer(1);
    expect(await resultOf(run)).toEqual(['one 1']);
    expect(all.executor.requests.length).toBe(1);
  });

  test('that does not come up does not end runs that sleep', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, TWO, { onCall: tool.onCall });
    await until(() => all.runs.waiting === 1);
    all.executor.refusals.push(...Array.from({ length: 10 }, () => new PlayedLoss(false)));
    for (const number of [1, 2]) await tool.answer(number);
    expect(await resultOf(run)).toEqual(['one 1', 'two 2']);
    expect((await store.read(run.id))?.restarts).toBe(0);
  });

  test('one of whose workers dies is as lost as its process', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, TWO, { onCall: tool.onCall });
    await until(() => all.runs.waiting === 1);
    all.executor.refusals.push(new SandboxError('ERR_EXECUTE_ENGINE', 'A worker died.'));
    for (const number of [1, 2]) await tool.answer(number);
    expect(await resultOf(run)).toEqual(['one 1', 'two 2']);
    expect((await store.read(run.id))?.restarts).toBe(1);
  });

  test('that is busy does not begin a run, which nothing is made of', async () => {
    await using all = openRuns({ store });
    all.executor.refusals.push(new SandboxError('ERR_EXECUTE_BUSY', 'Too many runs wait.'));
    await expect((await begin(all, TWO)).outcome).rejects.toMatchObject({ code: 'ERR_EXECUTE_BUSY' });
  });

  test('that breaks while a run goes on in it ends that with an outcome', async () => {
    await using all = openRuns({ store });
    const tool = new HeldTool();
    const run = await begin(all, TWO, { onCall: tool.onCall });
    await until(() => all.runs.waiting === 1);
    all.executor.refusals.push(new SandboxError('ERR_EXECUTE_RESULT_TOO_LARGE', 'The request is too large to send.'));
    await tool.answer(1);
    expect(await run.outcome).toMatchObject({ end: { code: 'ERR_EXECUTE_RESULT_TOO_LARGE' }, calls: [{ tool: 'one', ok: true }] });
  });
});

describe('maxWaitingRuns', () => {
  test('lets a run in as long as fewer wait, and none when as many do', async () => {
    await using all = openRuns({ store, maxWaitingRuns: 2 });
    const tool = new HeldTool();
    const first = await begin(all, [{ call: ['one'] }], { onCall: tool.onCall });
    await until(() => all.runs.waiting === 1);
    const second = await begin(all, [{ sleep: 60_000 }]);
    await until(() => all.runs.waiting === 2);
    await expect((await begin(all, TWO)).outcome).rejects.toMatchObject({
      code: 'ERR_EXECUTION_FULL',
      details: { hint: expect.stringContaining('maxWaitingRuns') },
    });
    await tool.answer(1);
    await first.outcome;
    expect(await resultOf(await begin(all, TWO))).toEqual(['one 1', 'two 2']);
    second.controller.abort();
    await second.outcome;
  });
});

test('past maxWaitingRuns a run that was let in waits where it is', async () => {
  await using all = openRuns({ store, maxWaitingRuns: 1 });
  const tools = [new HeldTool(), new HeldTool()];
  const both = await Promise.all(tools.map(({ onCall }) => begin(all, [{ call: ['one'] }], { onCall })));
  await until(() => all.warnings.length === 1);
  expect([all.runs.waiting, all.warnings[0]]).toEqual([1, expect.stringMatching(/stays in memory.*ERR_EXECUTION_FULL/)]);
  await Promise.all(tools.map((tool) => tool.answer(1)));
  expect(await Promise.all(both.map(resultOf))).toEqual([['one 1'], ['one 1']]);
  expect(all.runs.waiting).toBe(0);
});
