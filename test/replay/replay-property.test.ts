import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunLimits, ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import type { Recording } from '../../src/replay/recording.ts';
import type { Replayed } from '../../src/replay/replay.ts';
import { randomFrom, randomProgram } from '../support/random-program.ts';
import { Recorder } from './recorder.ts';

const PROGRAMS = 25;

let recorder: Recorder;
beforeAll(async () => {
  recorder = await Recorder.open();
});
afterAll(() => recorder[Symbol.asyncDispose]());

interface Manner {
  readonly hibernateAfterMs?: number;
  readonly limits?: Partial<RunLimits>;
  readonly mishap?: 'killed' | 'cancelled';
}

/** Tools answer after a while, in any order, and now and then with an error. */
function record(seed: number, { mishap, ...how }: Manner): Promise<Recording> {
  const random = randomFrom(seed);
  const mishapAt = 1 + Math.floor(random() * 6);
  let calls = 0;
  const onCall = async ({ number, arguments: args }: ToolCall, stop: AbortController): Promise<ToolAnswer> => {
    if (++calls === mishapAt && mishap === 'killed') process.kill(recorder.executor.pid ?? Number.NaN, 'SIGKILL');
    if (calls === mishapAt && mishap === 'cancelled') stop.abort();
    await new Promise((resolve) => setTimeout(resolve, random() < 0.4 ? 0 : random() * 15));
    // In no order that anything would bring it into.
    const error = { message: `no ${number}`, content: [{ type: 'text', text: 'é' }], code: 'ERR_CALL_TOOL' as const, hint: 'h' };
    return number % 5 === 0 ? { ok: false, error } : { ok: true, value: JSON.stringify(`${args.length} `.repeat((number * 37) % 400)) };
  };
  return recorder.record(randomProgram(seed), { ...how, onCall });
}

/** What a reader of a failing test needs. */
const told = ({ status, differences, endedFromOutside }: Replayed): unknown => ({ status, differences, endedFromOutside });
const SAME = { status: 'same', differences: [], endedFromOutside: undefined };

const manner: fc.Arbitrary<Manner> = fc.oneof(
  fc.constant({}),
  fc.record({ hibernateAfterMs: fc.constantFrom(0, 5), limits: fc.constant({ maxConcurrentToolCalls: 3, maxLogBytes: 2_000 }) }),
  fc.record({ limits: fc.record({ fuel: fc.integer({ min: 200_000, max: 5_000_000 }) }) }),
  fc.record({ limits: fc.record({ maxToolCalls: fc.integer({ min: 0, max: 6 }) }), hibernateAfterMs: fc.constant(0) }),
);

test('a replay has the result, state, log, calls and fuel of the run, however that was carried to its end', async () => {
  const ends = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000_000_000), manner, async (seed, how) => {
      const recording = await record(seed, how);
      ends.add(recording.expected?.code ?? 'completed');
      expect(told(await recorder.replay(recording))).toEqual(SAME);
    }),
    { numRuns: PROGRAMS, endOnFailure: true },
  );
  expect([...ends]).toContain('completed');
}, 120_000);

test('the same of runs whose executor was killed in the middle', async () => {
  for (const seed of [11, 12, 13]) {
    const recording = await record(seed, { mishap: 'killed', ...(seed % 2 && { hibernateAfterMs: 0 }) });
    expect(told(await recorder.replay(recording))).toEqual(SAME);
  }
}, 120_000);

test('a run that was cancelled is replayed up to there', async () => {
  for (const seed of [21, 22, 23, 24]) {
    const recording = await record(seed, { mishap: 'cancelled', ...(seed % 2 && { hibernateAfterMs: 0 }) });
    const endedFromOutside = recording.expected?.code === 'ERR_EXECUTE_CANCELLED' ? 'ERR_EXECUTE_CANCELLED' : undefined;
    expect(told(await recorder.replay(recording))).toEqual({ ...SAME, endedFromOutside });
  }
}, 120_000);
