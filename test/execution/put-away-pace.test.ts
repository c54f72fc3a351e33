import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { pacedRules } from '../../src/execute/image-pace.ts';
import { FREE_TIMES, MOST_AHEAD, PACE_MS, PutAwayPace } from '../../src/execution/put-away-pace.ts';
import { LIMITS as ALL_LIMITS } from '../../src/limits.ts';
import * as support from '../support/executor.ts';
import { begin, memoryStore, openRuns } from './carried.ts';

const MIB = 1024 * 1024;
const USUAL = { afterMs: 2_000, maxImageBytes: 128 * MIB };
const DAY_MS = 86_400_000;

interface Habit {
  readonly lifeMs: number;
  readonly bytes: number;
  /** How long it waits each time. */
  readonly everyMs: number;
}

/** A run that waits again and again for as long as it may, in an executor that keeps to its rules. */
function live(
  { lifeMs, bytes, everyMs }: Habit,
  usual = USUAL,
): { readonly times: number; readonly isFine: boolean; readonly stays: number } {
  const pace = new PutAwayPace(lifeMs + ALL_LIMITS.timeoutMs.default, 0);
  let [times, stays, isFine] = [0, 0, true];
  for (let now = 0; now < lifeMs && isFine; times++) {
    const rules = pace.rules(usual, now);
    if (rules?.stayMs !== undefined) stays++;
    now += Math.max(everyMs, rules?.stayMs ?? 0);
    isFine = pace.putAway(bytes, now);
  }
  return { times, isFine, stays };
}

describe('a run that is put away whenever it may be', () => {
  const { waitMs, hibernateAfterMs, maxImageBytes } = ALL_LIMITS;

  test.each([
    ['a day long, every two seconds', { lifeMs: waitMs.default, bytes: 50_000, everyMs: hibernateAfterMs.default }, 43_200],
    ['thirty days long, every two seconds', { lifeMs: waitMs.maximum, bytes: MIB, everyMs: hibernateAfterMs.default }, 1_296_000],
    ['a day long, every second', { lifeMs: DAY_MS, bytes: MIB, everyMs: PACE_MS }, 86_400],
  ])('%s, never has to stay longer than it would', (_, habit, times) => {
    expect(live(habit)).toEqual({ times, isFine: true, stays: 0 });
  });

  test.each([maxImageBytes.default, maxImageBytes.maximum])(
    'nor one with an image of %d bytes, which its executor keeps for longer anyway',
    (bytes) => {
      const from = { kind: 'image', image: new Uint8Array(bytes), now: 0, pending: [], lastCall: 0 } as const;
      const everyMs = pacedRules(USUAL, from).afterMs;
      expect(live({ lifeMs: 7 * DAY_MS, bytes, everyMs })).toMatchObject({ isFine: true, stays: 0 });
    },
  );

  test('at every wait of a millisecond stays for a second each time then, and is put away for as long as it lives', () => {
    const { times, isFine, stays } = live({ lifeMs: DAY_MS, bytes: 1_000, everyMs: 1 });
    expect(isFine).toBe(true);
    expect(times).toBeGreaterThan(86_000);
    expect(times).toBeLessThan(86_400 + 2 * FREE_TIMES);
    expect(stays).toBeGreaterThan(86_000);
    expect(live({ lifeMs: DAY_MS, bytes: maxImageBytes.maximum, everyMs: 1 })).toMatchObject({ isFine: true });
  });
});

describe('the bound', () => {
  test('is reached by who puts it away again without staying, just over and not just under', () => {
    const pace = new PutAwayPace(DAY_MS, 0);
    for (let n = 0; n < FREE_TIMES + MOST_AHEAD; n++) expect(pace.putAway(MIB, 0)).toBe(true);
    expect(pace.rules(USUAL, 0)).toEqual({ ...USUAL, stayMs: (MOST_AHEAD + 1) * PACE_MS });
    expect(pace.rules(undefined, 0)).toBeUndefined();
    expect(pace.putAway(1, 0)).toBe(false);
    expect(pace.putAway(1, 10 * PACE_MS)).toBe(true);
  });

  test('counts a large image for what it is', () => {
    const pace = new PutAwayPace(DAY_MS, 0);
    expect(pace.putAway((FREE_TIMES - 1) * MIB, 0)).toBe(true);
    expect(pace.rules(USUAL, 0)).toEqual(USUAL);
    pace.putAway(1, 0);
    expect(pace.rules(USUAL, 0)).toEqual({ ...USUAL, stayMs: PACE_MS });
    expect(pace.rules(USUAL, PACE_MS)).toEqual(USUAL);
    expect(pace.putAway((MOST_AHEAD + 2) * MIB, PACE_MS)).toBe(false);
  });

  test('in all is four times what there is time for, and what another process did counts', () => {
    const pace = new PutAwayPace(10 * PACE_MS, 0);
    pace.recall(1_000 + 4 * 10 - 1);
    expect([pace.putAway(1, 0), pace.putAway(1, 0)]).toEqual([true, false]);
  });
});

test('an executor that was taken over and puts a run away again and again has it end with a code', async () => {
  const entry = fileURLToPath(new URL('../fixtures/executors/hostile.ts', import.meta.url));
  const log = { debug: () => undefined, warn: () => undefined };
  const program = { entry, flags: ['--title=puts it away'] };
  const executor = new SupervisedExecutor({
    init: support.testInit(),
    programs: support.memoryStore(),
    log,
    program,
    maxMemoryBytes: 400 * MIB,
  });
  const store = memoryStore();
  await using all = openRuns({ store, executor });
  try {
    const run = await begin(all, []);
    const { end } = await run.outcome;
    expect(end).toMatchObject({ status: 'failed', code: 'ERR_EXECUTE_LOST', message: expect.stringContaining('again and again') });
    const stored = await store.read(run.id);
    // What passes while it does so gives it a few more.
    expect(stored?.hibernations).toBeGreaterThanOrEqual(FREE_TIMES + MOST_AHEAD);
    expect(stored?.hibernations).toBeLessThan(2 * (FREE_TIMES + MOST_AHEAD));
  } finally {
    await executor.close();
    all.runs.leave();
    await store.close();
  }
});
