import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { RunStep } from '../../src/execute/run.ts';
import { answer, pass, resultOf, stopTime } from '../support/sleeping-run.ts';
import { openThreadWorkers, START, taskOf, type TaskOptions, type ThreadRun, type ThreadWorker } from '../support/thread-worker.ts';

/** Runs that are begun again with what they were given. */

let workers: ThreadWorker[];
beforeAll(async () => {
  workers = await openThreadWorkers(1);
});
beforeEach(stopTime);
afterEach(() => {
  vi.useRealTimers();
});

async function begin(body: string, options: TaskOptions = {}): Promise<ThreadRun> {
  const run = (workers[0] as ThreadWorker).begin(taskOf(body, options));
  await run.settled();
  return run;
}

const again = (body: string, steps: readonly RunStep[], more: TaskOptions = {}, now?: number): Promise<ThreadRun> =>
  begin(body, { from: { kind: 'history', steps, now }, ...more });

const RACE =
  'const out = []; await Promise.all([1, 2, 3].map(async (i) => { const v = await ampoule.callTool("s", "t", { i }); out.push([v, Date.now()]); })); return out';
const at = (ms: number): number => START + ms;

test('answers are given in the order in which they were given, whenever they come', async () => {
  const run = await again(RACE, [
    [at(5), 2],
    [at(9), 3, 1],
  ]);
  expect(run.calls.map(({ number }) => number)).toEqual([1, 2, 3]);
  // Those of the second step wait for the first.
  await answer(run, [1, 'a'], [3, 'c']);
  expect(run.left).toBeUndefined();
  await answer(run, [2, 'b']);
  expect(resultOf(run)).toEqual([
    ['b', at(5)],
    ['c', at(9)],
    ['a', at(9)],
  ]);
  // Whoever has told them need not be told.
  expect(run.steps).toEqual([]);
});

test('after the last step a run goes on as answers come, with a clock that is not behind', async () => {
  const run = await again(RACE, [[at(5_000), 2]]);
  await answer(run, [1, 'a'], [2, 'b'], [3, 'c']);
  expect(resultOf(run)).toEqual([
    ['b', at(5_000)],
    ['a', at(5_000)],
    ['c', at(5_000)],
  ]);
  expect(run.steps).toEqual([[at(5_000), 1, 3]]);
});

test('timers are run when they were run', async () => {
  const body = 'const out = []; for (let i = 0; i < 3; i++) { await ampoule.sleep(10); out.push(Date.now()); } return out';
  const run = await again(body, [[at(12)], [at(40)], [at(50)]]);
  expect(resultOf(run)).toEqual([at(12), at(40), at(50)]);
});

test('a run goes on where its clock would be by now', async () => {
  const body = 'await ampoule.callTool("s", "t"); await ampoule.sleep(1000); return Date.now()';
  const inTime = await again(body, [[at(5), 1]], {}, at(700));
  await answer(inTime, [1, 1]);
  await pass(inTime, 304);
  expect(inTime.left).toBeUndefined();
  await pass(inTime, 1);
  expect(resultOf(inTime)).toBe(at(1_005));
  const late = await again(body, [[at(5), 1]], {}, at(90_000));
  await answer(late, [1, 1]);
  expect(resultOf(late)).toBe(at(90_000));
  expect(late.left?.outcome?.usage.waitingMs).toBe(1_005);
  // Nothing was told of it yet.
  const fresh = await again('await ampoule.sleep(1000); return Date.now()', [], {}, at(2_000));
  expect(resultOf(fresh)).toBe(at(2_000));
});

test('what a run has waited before counts', async () => {
  const body = 'await ampoule.callTool("s", "t"); await ampoule.callTool("s", "t"); return 1';
  const run = await again(body, [[at(900), 1]], { limits: { waitMs: 1_000 } });
  await answer(run, [1, 1]);
  await pass(run, 99);
  expect(run.left).toBeUndefined();
  await pass(run, 1);
  await pass(run, 1);
  expect(run.left?.outcome?.end).toMatchObject({ code: 'ERR_EXECUTE_WAITING_TIME' });
});

test('an answer that never comes ends a run that is begun again, too', async () => {
  const run = await again(RACE, [[at(5), 2]], { limits: { waitMs: 1_000 } });
  await answer(run, [1, 'a']);
  await pass(run, 1_001);
  await pass(run, 1);
  expect(run.left?.outcome?.end).toMatchObject({ code: 'ERR_EXECUTE_WAITING_TIME' });
});

test('a run is not put away while it is given its steps, and is after them', async () => {
  const run = await again(RACE, [[at(5), 2]], { hibernation: { afterMs: 0, maxImageBytes: 1e9 } });
  await pass(run, 5_000);
  expect(run.left).toBeUndefined();
  await answer(run, [2, 'b']);
  const { image = new Uint8Array(), pending = [], lastCall = 0, now = 0 } = run.left?.hibernated ?? {};
  expect([pending, lastCall, now]).toEqual([[1, 3], 3, at(5_000)]);
  const woken = await begin(RACE, { from: { kind: 'image', image, pending, lastCall, now: at(6_000) } });
  await answer(woken, [1, 'a'], [3, 'c']);
  expect(resultOf(woken)).toEqual([
    ['b', at(5)],
    ['a', at(6_000)],
    ['c', at(6_000)],
  ]);
});

test.each([
  ['names a call that the program did not begin', RACE, [[at(1), 4]], 'step 1 of 1 answers call 4'],
  [
    'names a call that was answered before',
    RACE,
    [
      [at(1), 1],
      [at(2), 1],
    ],
    'step 2 of 2 answers call 1',
  ],
  ['runs a timer that the program did not set', RACE, [[at(1), 1], [at(2)], [at(3), 2]], 'step 2 of 3 runs a timer'],
  ['runs a timer too early', 'await ampoule.sleep(10); await ampoule.sleep(10)', [[at(10)], [at(15)]], 'step 2 of 2 runs a timer'],
  [
    'goes back in time',
    RACE,
    [
      [at(5), 1],
      [at(4), 2],
    ],
    'step 2 of 2 goes back in time',
  ],
  ['is before the start', RACE, [[at(-1), 1]], 'step 1 of 1 goes back in time'],
  [
    'comes after the end',
    'await ampoule.callTool("s", "t"); return 1',
    [
      [at(1), 1],
      [at(2), 2],
    ],
    'step 2 of 2 was to come, and the program completed',
  ],
  [
    'comes after a failure',
    'throw new Error("x")',
    [[at(1), 1]],
    'step 1 of 1 was to come, and the program failed with ERR_EXECUTE_THROWN',
  ],
  ['comes where the program waits for nothing', 'await new Promise(() => {})', [[at(1)]], 'ERR_EXECUTE_NEVER_SETTLES'],
] as const)('a step that %s ends the run and says which it was', async (_how, body, steps, message) => {
  const run = await again(body, steps);
  for (let call = 1; call < 4 && !run.left; call++) await answer(run, [call, call]);
  expect(run.left?.outcome?.end).toMatchObject({ code: 'ERR_EXECUTION_DIVERGED', message: expect.stringContaining(message) });
});

test('many steps without answers let others have their turn, and can be cancelled', async () => {
  const steps = Array.from({ length: 5_000 }, (_, i): RunStep => [at(i + 1)]);
  const run = (workers[0] as ThreadWorker).begin(
    taskOf('setInterval(() => undefined, 1); await new Promise(() => {})', { from: { kind: 'history', steps } }),
  );
  await new Promise((resolve) => void setImmediate(resolve));
  run.port.receive({ type: 'cancel' });
  await run.settled();
  expect(run.left?.outcome?.end).toMatchObject({ code: 'ERR_EXECUTE_CANCELLED' });
});
