import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { programKey } from '../../src/component/program-key.ts';
import type { RunOutcome, ToolAnswer } from '../../src/execute/run.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import type { CallJournal, WaitReason } from '../../src/execution/durable-run.ts';
import { createDurableRuns, type CarriedRuns } from '../../src/execution/durable-runs.ts';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import { DEFAULT_RUN_LIMITS, openTestExecutor, resultOf } from '../support/executor.ts';
import { changed, HeldTool, until } from './carried.ts';
import { StoreFolder } from './stored-executions.ts';

const SEED = '5e'.repeat(32);
const folder = new StoreFolder();
const warnings: string[] = [];
let executor: SupervisedExecutor;
let store: ExecutionStore;
let runs: CarriedRuns;
/** The next image that is read has another byte. */
let isFlipped = false;

beforeAll(async () => {
  executor = await openTestExecutor();
  store = folder.open();
  runs = open();
});
afterAll(async () => {
  runs.leave();
  await executor.close();
  await folder[Symbol.asyncDispose]();
});

function open(): CarriedRuns {
  const executions = { interruptedCalls: 'fail', engineChanged: 'keep' } as const;
  const log = {
    info: () => undefined,
    warn: (fields: object, message: string) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
  };
  const flipping = changed(store, {
    image: async (id) => {
      const bytes = Uint8Array.from((await store.image(id)) ?? []);
      const place = bytes.length >> 1;
      if (isFlipped) bytes[place] = (bytes[place] ?? 0) ^ 1;
      isFlipped = false;
      return bytes;
    },
  });
  return createDurableRuns({
    store: flipping,
    executor,
    engineHash: inject('engine').hash,
    executions,
    maxWaitingRuns: 10_000,
    log,
  }) as CarriedRuns;
}

interface Options {
  readonly afterMs?: number;
  readonly limits?: Partial<typeof DEFAULT_RUN_LIMITS>;
  readonly onCall?: HeldTool['onCall'];
  readonly id?: string;
}

interface Run {
  readonly id: string;
  readonly outcome: Promise<RunOutcome>;
  readonly controller: AbortController;
  readonly waits: (readonly WaitReason[] | undefined)[];
}

/** Runs the body of an async function, as `runBody` of the executor's tests. */
async function run(body: string, { afterMs = 0, limits, onCall = echo, id }: Options = {}): Promise<Run> {
  const script = `return (async () => {${body}\n})();\n//# sourceURL=program.js\n`;
  const executionId = id ?? `exe_${randomUUID()}`;
  const stored = id === undefined ? undefined : await store.read(id);
  if (id === undefined) await store.create({ id: executionId, principal: 'local', createdAt: Date.now(), request: '{}' });
  const request = {
    executionId,
    program: { key: programKey({ script, engineHash: inject('engine').hash }), script },
    input: '7',
    state: '{}',
    limits: { ...DEFAULT_RUN_LIMITS, ...limits },
    hibernation: { afterMs, maxImageBytes: 16 * 1024 * 1024 },
    seed: SEED,
  };
  const controller = new AbortController();
  const waits: Run['waits'] = [];
  const observer = { onWaiting: (reasons: readonly WaitReason[] | undefined) => void waits.push(reasons) };
  const durable = { request, engineHash: inject('engine').hash, context: '{}', observer, stored };
  const outcome = runs.run(durable, onCall, controller.signal);
  outcome.catch(() => undefined);
  return { id: executionId, outcome, controller, waits };
}

function echo(journal: CallJournal): (call: { number: number; arguments: string }) => Promise<ToolAnswer> {
  return async (call) => {
    await journal.sending(call.number, false);
    return { ok: true, value: call.arguments };
  };
}

const MIXED = `
  const log = [];
  const call = (tool, value) => ampoule.callTool('played', tool, { value });
  console.log('begins', input);
  log.push(await call('one', Math.random()));
  log.push(await Promise.all([call('two', 1), call('three', 2), ampoule.sleep(5)]));
  let total = 0; for (let i = 0; i < 1000; i++) total += Math.random();
  log.push(total);
  await ampoule.sleep(15);
  console.log('slept');
  log.push(await call('four', crypto.randomUUID()));
  return log;`;

/** The same run in one go: from its start, with the steps and answers that are stored of it. */
async function replayed(id: string): Promise<unknown> {
  const stored = await store.read(id);
  if (!stored?.start) throw new Error('it is not stored');
  const { programKey: key, script, input, state, limits, now, seed } = stored.start;
  const answers = new Map(stored.calls.map(({ number, answer }) => [number, answer]));
  const from = { kind: 'history', steps: stored.history.steps } as const;
  const never = new Promise<never>(() => undefined);
  const answer = (number: number): Promise<ToolAnswer> => Promise.resolve(answers.get(number) ?? never);
  const events = { call: ({ number }: { number: number }) => answer(number), answer, history: () => undefined };
  const request = { executionId: 'exe_replay', program: { key, script }, input, state, limits, now, seed, from };
  return comparable((await executor.attempt(request, events, new AbortController().signal)) as RunOutcome);
}

/** What does not depend on the clock of the machine. */
function comparable({ end, logs, usage, calls }: RunOutcome): unknown {
  return { end, logs, fuel: usage.fuel, calls: calls.map(({ tool, ok, code }) => ({ tool, ok, code })) };
}

describe('a run in a real executor, with a real store', () => {
  test('is the same to the last fuel unit whether it was put away or not', async () => {
    const often = await run(MIXED);
    const outcome = await often.outcome;
    expect((await store.read(often.id))?.hibernations).toBeGreaterThanOrEqual(3);
    expect((await store.read(often.id))?.isComplete).toBe(true);
    expect(comparable(outcome)).toEqual(await replayed(often.id));
    expect(outcome.end.status).toBe('completed');
  });

  test('goes on when its process is killed, asleep or awake, and makes no call twice', async () => {
    const tools = [new HeldTool(), new HeldTool()];
    const [asleep, awake] = await Promise.all(tools.map(({ onCall }, index) => run(MIXED, { onCall, afterMs: index * 60_000 })));
    const value = JSON.stringify('x');
    const answer = (number: number) => Promise.all(tools.map((tool) => tool.answer(number, { ok: true, value })));
    await answer(1);
    await Promise.all(tools.map((tool) => tool.untilCalled(3)));
    process.kill(executor.pid ?? Number.NaN, 'SIGKILL');
    for (const number of [2, 3, 4]) await answer(number);
    for (const { id, outcome } of [asleep, awake].filter((one) => one !== undefined)) {
      expect(resultOf(await outcome)).toMatchObject(['x', ['x', 'x', null], expect.any(Number), 'x']);
      expect(comparable(await outcome)).toEqual(await replayed(id));
    }
    for (const tool of tools) expect(tool.calls.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect((await store.read(awake?.id ?? ''))?.restarts).toBe(1);
  });

  test('goes on in another gateway', async () => {
    const tool = new HeldTool(true);
    const first = await run(MIXED, { onCall: tool.onCall });
    await tool.answer(1, { ok: true, value: '"x"' });
    await tool.untilCalled(3);
    await until(async () => (await store.read(first.id))?.status === 'waiting' && first.waits.at(-1)?.length === 2);
    runs.leave();
    runs = open();
    const again = await run(MIXED, { onCall: tool.onCall, id: first.id });
    await tool.untilCalled(5);
    for (const number of [2, 3, 4]) await tool.answer(number, { ok: true, value: '"x"' });
    const outcome = await again.outcome;
    expect(outcome.end.status).toBe('completed');
    expect(comparable(outcome)).toEqual(await replayed(first.id));
  });

  test('that waits for too long while it is put away ends as in memory, with its logs', async () => {
    const body = `console.log('before'); await ampoule.sleep(60_000);`;
    const over = async (afterMs: number) => (await run(body, { afterMs, limits: { waitMs: 150 } })).outcome;
    const [asleep, awake] = await Promise.all([over(0), over(600_000)]);
    expect(asleep.end).toEqual(awake.end);
    expect(asleep.end).toMatchObject({ code: 'ERR_EXECUTE_WAITING_TIME' });
    expect([asleep.logs, asleep.usage.fuel]).toEqual([awake.logs, awake.usage.fuel]);
    expect(asleep.usage.waitingMs).toBeGreaterThanOrEqual(150);
  });

  test('that is cancelled while it is put away has the logs and calls that it had', async () => {
    const tool = new HeldTool();
    const asleep = await run(MIXED, { onCall: tool.onCall });
    const timer = await run(`console.log('timer'); await ampoule.sleep(60_000);`);
    await tool.answer(1, { ok: true, value: '"x"' });
    await tool.untilCalled(3);
    // Its own timer is over then.
    await until(() => asleep.waits.at(-1)?.length === 2 && timer.waits.length === 1);
    asleep.controller.abort();
    timer.controller.abort();
    expect(await timer.outcome).toMatchObject({ end: { code: 'ERR_EXECUTE_CANCELLED' }, logs: [{ message: 'timer' }] });
    const { end, logs, calls } = await asleep.outcome;
    expect([end, logs.map(({ message }) => message)]).toMatchObject([{ code: 'ERR_EXECUTE_CANCELLED' }, ['begins 7']]);
    expect(calls.map(({ tool: name, ok }) => [name, ok])).toEqual([
      ['one', true],
      ['two', false],
      ['three', false],
    ]);
    expect(tool.signals[2]?.aborted).toBe(true);
  });

  test('whose image has another byte begins again from its start', async () => {
    const tool = new HeldTool();
    const asleep = await run(MIXED, { onCall: tool.onCall });
    await tool.untilCalled();
    await until(() => asleep.waits.length === 1);
    isFlipped = true;
    for (const number of [1, 2, 3, 4]) await tool.answer(number, { ok: true, value: '"x"' });
    expect((await asleep.outcome).end.status).toBe('completed');
    expect(tool.calls.length).toBe(4);
    expect(warnings.filter((line) => line.includes('damaged')).length).toBe(1);
  });
});
