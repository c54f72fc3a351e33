import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isHibernated } from '../../src/execute/hibernated-run.ts';
import { RunLost } from '../../src/execute/lost-runs.ts';
import type { HibernatedRun, RunFrom, RunOutcome, ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import { startExecutor, type SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { carry, echo, listen, requestOf } from '../support/carry.ts';
import { codeOf, memoryStore, resultOf, runBody, testInit } from '../support/executor.ts';

/** Attempts that come to no good end: their process dies, they have to wait for a place, or nobody wants them any more. */

const SILENT = { debug: () => undefined, warn: () => undefined };
const start = (init: Partial<ReturnType<typeof testInit>> = {}): Promise<SupervisedExecutor> =>
  startExecutor({ init: { ...testInit(), ...init }, programs: memoryStore(), log: SILENT, longestBackOffMs: 50 });

/** One that has many places, and one that has a single one. */
let [wide, narrow]: (SupervisedExecutor | undefined)[] = [];
beforeAll(async () => {
  [wide, narrow] = await Promise.all([start(), start({ maxRunsPerWorker: 1, maxQueuedRuns: 1 })]);
});
afterAll(() => Promise.all([wide?.close(), narrow?.close()]));

function the(executor: SupervisedExecutor | undefined): SupervisedExecutor {
  if (!executor) throw new Error('no executor');
  return executor;
}

function kill(executor: SupervisedExecutor): void {
  if (executor.pid !== undefined) process.kill(executor.pid, 'SIGKILL');
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
const hang = (): Promise<ToolAnswer> => new Promise(() => undefined);
const never = (): AbortSignal => new AbortController().signal;
const STAY = { hibernation: { afterMs: 3_600_000 } };
const WAIT = 'return ampoule.callTool("s", "t", { n: 1 })';

/** How an attempt went: a code, "completed", "put away", or how it was lost. */
function fate(attempt: Promise<RunOutcome | HibernatedRun>): Promise<string> {
  return attempt.then(
    (end) => (isHibernated(end) ? 'put away' : codeOf(end)),
    (error: { code?: string }) =>
      error instanceof RunLost ? `lost ${error.hasBegun ? 'after' : 'before'} it began` : (error.code ?? 'no code'),
  );
}

/** A run that takes a place of an executor until it is let go. */
async function occupy(executor: SupervisedExecutor): Promise<() => Promise<void>> {
  const [called, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<ToolAnswer>()];
  const run = runBody(executor, WAIT, { onCall: () => (called.resolve(), answered.promise) });
  await called.promise;
  return async () => {
    answered.resolve({ ok: true, value: '1' });
    await run;
  };
}

async function putAway(body = WAIT, options: Parameters<typeof requestOf>[1] = {}): Promise<RunFrom> {
  const end = await the(wide).attempt(requestOf(body, options), listen({ call: hang }), never());
  if (!isHibernated(end)) throw new Error(`it was not put away: ${JSON.stringify(end.end)}`);
  const { image, now, pending, lastCall } = end;
  return { kind: 'image', image, now, pending, lastCall };
}

describe('a process that is killed', () => {
  test('while the run waits: it is lost, its calls are left, and it ends the same from the start in the next one', async () => {
    const executor = the(wide);
    let left = 0;
    const body = 'const a = await ampoule.callTool("s", "t", { n: Math.random() }); return [a, await ampoule.callTool("s", "t", { n: 2 })]';
    const { pid } = executor;
    const dead = async (): Promise<void> => {
      kill(executor);
      while (executor.pid === pid) await pause(5);
    };
    // The second call is answered when the process that asked it is gone: it is asked once more, and not made.
    const onCall = (call: ToolCall): Promise<ToolAnswer> => (call.number === 2 ? dead() : pause(1)).then(() => echo(call));
    const carried = await carry(() => executor, body, { ...STAY, onCall, onLeave: () => left++ });
    expect([carried.lost, carried.made, left]).toEqual([1, [1, 2], 1]);
    const plain = await runBody(executor, body, { seed: carried.request.seed ?? '', now: carried.request.now ?? 0 });
    expect([carried.outcome.end, carried.outcome.usage.fuel]).toEqual([plain.end, plain.usage.fuel]);
  });

  test('while it computes: the same', async () => {
    const executor = the(wide);
    const body = `await ampoule.callTool("s", "t", { n: 1 });
      let x = 0;
      for (let i = 0; i < 20_000_000; i++) x = (x + i) | 0;
      return x;`;
    let kills = 0;
    const onCall = (call: ToolCall): Promise<ToolAnswer> => {
      if (kills++ === 0) setTimeout(() => kill(executor), 60);
      return echo(call);
    };
    const { outcome, lost, made } = await carry(() => executor, body, { ...STAY, onCall });
    expect([resultOf(outcome), lost, made]).toEqual([sum(20_000_000), 1, [1]]);
  });

  test('while the run is queued, or on its way: it had not begun', async () => {
    const executor = the(narrow);
    await executor.ready;
    const from = await putAway();
    const free = await occupy(executor);
    const [fresh, woken] = [requestOf(WAIT, STAY), { ...requestOf(WAIT), from }];
    const queued = [fresh, woken].map((request) => fate(executor.attempt(request, listen({}), never())));
    await pause(100);
    kill(executor);
    expect(await Promise.all(queued)).toEqual(['lost before it began', 'lost before it began']);
    const early = fate(executor.attempt(woken, listen({ answer: echoed }), never()));
    expect(await early).toBe('completed');
    await free();
    const sent = fate(executor.attempt(woken, listen({ answer: echoed }), never()));
    setImmediate(() => kill(executor));
    // Its image was sent, and nobody can say whether it was begun.
    expect(await sent).toMatch(/^lost/);
  });

  test('again and again, at any time: every run ends as if nothing had been, and makes every call once', async () => {
    const executor = the(wide);
    const body = `const seen = [];
      for (let i = 0; i < 6; i++) { seen.push(await ampoule.callTool("s", "t", { i })); await ampoule.sleep(3); }
      return seen.map(({ i }) => i)`;
    let isOver = false;
    const killing = (async () => {
      for (let n = 0; n < 3; n++) {
        await executor.ready.catch(() => undefined);
        await pause(17 * n);
        if (!isOver) kill(executor);
        await pause(60);
      }
    })();
    const onCall = (call: ToolCall): Promise<ToolAnswer> => pause(call.number * 5).then(() => echo(call));
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, i) => carry(() => executor, body, { onCall, hibernation: { afterMs: i % 3 } })),
    );
    isOver = true;
    await killing;
    for (const { outcome, made } of all) {
      expect(resultOf(outcome)).toEqual([0, 1, 2, 3, 4, 5]);
      expect(made).toEqual([1, 2, 3, 4, 5, 6]);
    }
    expect(all.reduce((lost, run) => lost + run.lost, 0)).toBeGreaterThan(0);
  });
});

const echoed = (): Promise<ToolAnswer> => Promise.resolve({ ok: true, value: '1' });

function sum(to: number): number {
  let x = 0;
  for (let i = 0; i < to; i++) x = (x + i) | 0;
  return x;
}

describe('an executor without a free place', () => {
  test('refuses new runs past its queue, and none that it had let in before; all of them have their turn', async () => {
    const executor = the(narrow);
    await executor.ready;
    const from = await putAway();
    const free = await occupy(executor);
    const [mine, yours] = ['ab'.repeat(16), 'cd'.repeat(16)];
    const order: string[] = [];
    const wake = (results: string, name: string): Promise<string> => {
      const listener = listen({ answer: () => (order.push(name), echoed()) });
      return fate(executor.attempt({ ...requestOf(WAIT, { results }), from }, listener, never()));
    };
    const wakes = Array.from({ length: 6 }, (_, i) => wake(mine, `mine ${i}`));
    await pause(50);
    const other = wake(yours, 'yours');
    const fresh = [1, 2, 3].map(() => fate(executor.attempt(requestOf('return 1', { results: 'ef'.repeat(16) }), listen({}), never())));
    expect(await Promise.race([Promise.all([fresh[1], fresh[2]]), pause(5_000)])).toEqual(['ERR_EXECUTE_BUSY', 'ERR_EXECUTE_BUSY']);
    await free();
    expect(await Promise.all([...wakes, other, fresh[0]])).toEqual(Array(8).fill('completed'));
    expect(order.indexOf('yours')).toBeLessThan(3);
    expect(order.filter((name) => name !== 'yours')).toEqual([0, 1, 2, 3, 4, 5].map((i) => `mine ${i}`));
  });

  test('has those that only wait leave for those that wait for a place', async () => {
    const executor = the(narrow);
    const sleeper = fate(executor.attempt(requestOf(WAIT, STAY), listen({ call: hang }), never()));
    await pause(150);
    expect(await fate(executor.attempt(requestOf('return 1', STAY), listen({}), never()))).toBe('completed');
    expect(await sleeper).toBe('put away');
  });
});

describe('a run that is cancelled', () => {
  test('ends as cancelled wherever it is: before it is sent, queued, computing, waiting', async () => {
    const [executor, tight] = [the(wide), the(narrow)];
    const from = await putAway();
    const free = await occupy(tight);
    const woken = { ...requestOf(WAIT, STAY), from };
    const cancelledAfter = (ms: number, ...[at, request]: [SupervisedExecutor, ReturnType<typeof requestOf>]): Promise<string> => {
      const controller = new AbortController();
      const end = fate(at.attempt(request, listen({ call: hang, answer: hang }), controller.signal));
      if (ms === 0) controller.abort();
      else setTimeout(() => controller.abort(), ms);
      return end;
    };
    const fates = await Promise.all([
      fate(executor.attempt(woken, listen({}), AbortSignal.abort())),
      cancelledAfter(0, executor, woken),
      cancelledAfter(60, tight, woken),
      cancelledAfter(60, executor, requestOf('for (;;);', STAY)),
      cancelledAfter(60, executor, requestOf('await ampoule.callTool("s", "t"); for (;;);', STAY)),
      cancelledAfter(60, executor, woken),
      cancelledAfter(60, executor, requestOf('await ampoule.sleep(60_000)', STAY)),
    ]);
    expect(fates).toEqual(Array(7).fill('ERR_EXECUTE_CANCELLED'));
    await free();
    expect([executor.load('none'), tight.load('none')]).toEqual([0, 0]);
  });

  test('at any time while it is put away and woken ends as cancelled, or was put away before', async () => {
    const executor = the(wide);
    const from = await putAway('await ampoule.callTool("s", "t"); return ampoule.callTool("s", "u")');
    const request = { ...requestOf('await ampoule.callTool("s", "t"); return ampoule.callTool("s", "u")'), from };
    const fates = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const controller = new AbortController();
        const end = fate(executor.attempt(request, listen({ call: hang }), controller.signal));
        await pause(i / 2);
        controller.abort();
        return end;
      }),
    );
    expect(fates.every((end) => end === 'ERR_EXECUTE_CANCELLED' || end === 'put away')).toBe(true);
    expect(fates).toContain('ERR_EXECUTE_CANCELLED');
    expect(executor.load('none')).toBe(0);
  });
});
