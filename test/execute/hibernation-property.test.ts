import * as fc from 'fast-check';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { RunStep } from '../../src/execute/run.ts';
import { randomProgram } from '../support/random-program.ts';
import { answerTo, LIMITS, Schedule, type Outcome } from '../support/run-schedule.ts';
import { stopTime } from '../support/sleeping-run.ts';
import { openThreadWorkers, taskOf, type ThreadWorker } from '../support/thread-worker.ts';

let workers: ThreadWorker[];
beforeAll(async () => {
  workers = await openThreadWorkers(2);
});
beforeEach(stopTime);
afterEach(() => {
  vi.useRealTimers();
});

/** The same, but for times: what was given is given at once. */
const timeless = ({ calls, usage, ...rest }: Outcome): unknown => ({
  ...rest,
  calls: calls.map(({ ms: _ms, ...call }) => call),
  usage: { ...usage, waitingMs: 0, activeMs: 0 },
});

/** Begun again from its start, with the answers at once, in any order. */
async function replay(body: string, steps: readonly RunStep[]): Promise<Outcome | undefined> {
  const run = (workers[0] as ThreadWorker).begin(taskOf(body, { limits: LIMITS, from: { kind: 'history', steps } }));
  const answered = new Set<number>();
  while (!run.left) {
    await run.settled();
    const open = run.calls.filter(({ number }) => !answered.has(number)).toReversed();
    if (open.length === 0 && !run.left) vi.advanceTimersByTime(1);
    for (const call of open) {
      const { ok, text } = answerTo(call);
      answered.add(call.number);
      run.answer(call.number, text, ok);
    }
  }
  return run.left.outcome;
}

const PROGRAMS = 25;

test('a run has the same outcome, logs, calls and fuel however often it is put away, wherever it goes on, and when it is begun again', async () => {
  let hibernations = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000_000_000), async (seed) => {
      const body = randomProgram(seed);
      const { outcome, steps } = await new Schedule(workers, body, seed, 'never').play();
      for (const manner of ['always', 'at random', 'twice at random'] as const) {
        const played = await new Schedule(workers, body, seed, manner).play();
        expect(played.outcome).toEqual(outcome);
        expect(played.steps).toEqual(steps);
        hibernations += played.hibernations;
      }
      const again = await replay(body, steps);
      expect(again && timeless(again)).toEqual(timeless(outcome));
    }),
    { numRuns: PROGRAMS, endOnFailure: true },
  );
  expect(hibernations).toBeGreaterThan(PROGRAMS);
}, 300_000);
