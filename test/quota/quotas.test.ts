import { describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import type { RunQuota } from '../../src/quota/quotas.ts';
import { desk, GIGA, HOUR, limits, MINUTE, outcome, spend } from './desk.ts';

describe('runs in a minute', () => {
  test('as many as the limit begin, and the next is told limit, value, key and time', () => {
    const { begin, refusal } = desk({ '*': { runsPerMinute: 3 } });
    for (let n = 0; n < 3; n++) begin('key:a').leave();
    const error = refusal('key:a');
    expect(error?.code).toBe('ERR_QUOTA_RUNS');
    expect(error?.message).toBe(
      'The principal "key:a" may begin 3 runs in a minute (principals["*"].runsPerMinute). Try again in 20000 ms.',
    );
    expect(error?.details.retryAfterMs).toBe(20_000);
  });

  test('a run can begin at the time that was told, and not a millisecond before', () => {
    const { begin, refusal, clock } = desk({ '*': { runsPerMinute: 3 } });
    for (let n = 0; n < 3; n++) begin('key:a').leave();
    clock.now += 19_999;
    expect(refusal('key:a')?.details.retryAfterMs).toBe(1);
    clock.now += 1;
    expect(refusal('key:a')).toBeUndefined();
    expect(refusal('key:a')?.code).toBe('ERR_QUOTA_RUNS');
  });

  test('what was refused does not count, and after a minute all are there again', () => {
    const { begin, refusal, clock } = desk({ '*': { runsPerMinute: 2 } });
    for (let n = 0; n < 2; n++) begin('key:a').leave();
    for (let n = 0; n < 50; n++) expect(refusal('key:a')).toBeDefined();
    clock.now += MINUTE;
    for (let n = 0; n < 2; n++) expect(refusal('key:a')).toBeUndefined();
    expect(refusal('key:a')).toBeDefined();
  });

  test('a clock that goes back gives nothing, takes nothing and stops nobody for ever', () => {
    const { begin, refusal, clock } = desk({ '*': { runsPerMinute: 2 } }, 10 * HOUR);
    begin('key:a').leave();
    clock.now -= 5 * HOUR;
    expect(refusal('key:a')).toBeUndefined();
    expect(refusal('key:a')?.details.retryAfterMs).toBe(30_000);
    clock.now += 5 * HOUR + MINUTE;
    expect(refusal('key:a')).toBeUndefined();
  });
});

describe('runs at a time', () => {
  test('the last one that may is let in, the next is not, and one that ends makes room', () => {
    const { begin, refusal } = desk({ '*': { concurrentRuns: 2 } });
    const first = begin('key:a');
    const second = begin('key:a');
    const error = refusal('key:a');
    expect(error).toMatchObject({ code: 'ERR_QUOTA_CONCURRENT', details: { retryAfterMs: 1_000 } });
    expect(error?.message).toContain('may have 2 runs under way at a time (principals["*"].concurrentRuns)');
    first.leave();
    expect(refusal('key:a')).toBeUndefined();
    // A run leaves once, however often it says so.
    first.leave();
    first.leave();
    const third = begin('key:a');
    expect(refusal('key:a')).toBeDefined();
    second.leave();
    third.leave();
  });

  test('a refused run that is over does not free the place of another', () => {
    const { begin, of, refusal } = desk({ '*': { concurrentRuns: 1 } });
    const inside = begin('key:a');
    const refused = of('key:a');
    expect(() => refused.enter()).toThrow(SandboxError);
    refused.leave();
    expect(refusal('key:a')).toBeDefined();
    inside.leave();
    expect(refusal('key:a')).toBeUndefined();
  });

  test('whoever has a name has 100 unless the operator says otherwise, and local as many as it likes', () => {
    const { begin, refusal } = desk({});
    const runs = Array.from({ length: 100 }, () => begin('key:a'));
    expect(refusal('key:a')?.message).toContain('the default of principals["*"].concurrentRuns');
    expect(refusal('key:b')).toBeUndefined();
    runs.forEach((run) => run.leave());
    const local = Array.from({ length: 1_000 }, () => begin('local'));
    expect(refusal('local')).toBeUndefined();
    local.forEach((run) => run.leave());
    const { begin: beginAny, refusal: refusalAny } = desk({ 'key:*': { concurrentRuns: 'unlimited' } });
    for (let n = 0; n < 300; n++) beginAny('key:a');
    expect(refusalAny('key:a')).toBeUndefined();
  });
});

describe('fuel in an hour', () => {
  test('what is left lowers the limit of the next run, by what was really used', async () => {
    const { begin } = desk({ '*': { fuelPerHour: GIGA } });
    const a = (): RunQuota => begin('key:a');
    expect(await spend(a, 400 * GIGA, 600_000_000)).toBe(GIGA);
    expect(await spend(a, 400 * GIGA, 100_000_000)).toBe(400_000_000);
    expect(await spend(a, 200_000_000, 200_000_000)).toBe(200_000_000);
    expect(await spend(a, 400 * GIGA, 0)).toBe(100_000_000);
  });

  test('just enough for a run lets it begin, and a unit less does not', async () => {
    const { begin, refusal, clock } = desk({ '*': { fuelPerHour: HOUR * 1_000 } });
    await spend(() => begin('key:a'), 400 * GIGA, HOUR * 1_000 - 50_000_000);
    expect(refusal('key:a')).toBeUndefined();
    await spend(() => begin('key:a'), 400 * GIGA, 1_000);
    expect(refusal('key:a')).toMatchObject({ code: 'ERR_QUOTA_FUEL', details: { retryAfterMs: 1 } });
    expect(refusal('key:a')?.message).toContain(`may use ${HOUR * 1_000} fuel units in an hour (principals["*"].fuelPerHour)`);
    clock.now += 1;
    expect(refusal('key:a')).toBeUndefined();
  });

  test('a run that ends for want of the fuel of the hour says so, and when there is more', async () => {
    const { begin } = desk({ '*': { fuelPerHour: GIGA } });
    const run = begin('key:a');
    const ended = await run.run(limits(2 * GIGA), ({ fuel }) => Promise.resolve(outcome(fuel, 'ERR_EXECUTE_FUEL')));
    expect(ended.end).toMatchObject({ code: 'ERR_QUOTA_FUEL', retryAfterMs: HOUR });
    run.leave();
    // A run that used up its own limit has nobody else to blame.
    const { begin: again } = desk({ '*': { fuelPerHour: GIGA } });
    const own = await again('key:a').run(limits(GIGA / 2), ({ fuel }) => Promise.resolve(outcome(fuel, 'ERR_EXECUTE_FUEL')));
    expect(own.end).toMatchObject({ code: 'ERR_EXECUTE_FUEL' });
  });

  test.each(['ERR_EXECUTE_THROWN', 'ERR_EXECUTE_CANCELLED', 'ERR_EXECUTE_MEMORY'])('a run that ended with %s is charged', async (code) => {
    const { begin } = desk({ '*': { fuelPerHour: GIGA } });
    await spend(
      () => begin('key:a'),
      GIGA,
      () => outcome(300_000_000, code),
    );
    expect(await spend(() => begin('key:a'), GIGA, 0)).toBe(700_000_000);
  });

  test('a run that was lost counts as if it had computed all the time', async () => {
    const { begin, clock } = desk({ '*': { fuelPerHour: GIGA } });
    await spend(
      () => begin('key:a'),
      GIGA,
      () => {
        clock.now += 4;
        return outcome(0, 'ERR_EXECUTE_LOST');
      },
    );
    expect(await spend(() => begin('key:a'), GIGA, 0)).toBe(GIGA - 200_000_000 + 0);
    const thrown = begin('key:a');
    await expect(
      thrown.run(limits(GIGA), () => {
        clock.now += 2;
        return Promise.reject(new SandboxError('ERR_EXECUTE_ENGINE', 'a worker ended'));
      }),
    ).rejects.toThrow('a worker ended');
    thrown.leave();
    expect(await spend(() => begin('key:a'), GIGA, 0)).toBeLessThanOrEqual(700_000_000 + 2_000);
  });

  test('a run that never began is not charged', async () => {
    const { begin, clock } = desk({ '*': { fuelPerHour: GIGA } });
    const run = begin('key:a');
    const busy = (): Promise<never> => {
      clock.now += 5_000;
      return Promise.reject(new SandboxError('ERR_EXECUTE_BUSY', 'busy'));
    };
    await expect(run.run(limits(GIGA), busy)).rejects.toThrow('busy');
    run.leave();
    expect(await spend(() => begin('key:a'), GIGA, 0)).toBe(GIGA);
  });

  test('runs at the same time never get more than there is, and each gets something', async () => {
    const { begin, refusal } = desk({ '*': { fuelPerHour: GIGA, concurrentRuns: 100 } });
    const granted: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const runs: Promise<unknown>[] = [];
    while (refusal('key:a') === undefined && runs.length < 50) {
      const run = begin('key:a');
      const ended = run.run(limits(400_000_000), async ({ fuel }) => {
        granted.push(fuel);
        await promise;
        return outcome(fuel);
      });
      // One that is let in finds too little at times, when others came in between.
      runs.push(ended.catch(() => undefined).finally(() => run.leave()));
    }
    expect(granted.length).toBeGreaterThan(3);
    expect(granted[0]).toBe(400_000_000);
    expect(granted.reduce((sum, fuel) => sum + fuel, 0)).toBeLessThanOrEqual(GIGA);
    expect(Math.min(...granted)).toBeGreaterThanOrEqual(50_000_000);
    expect(refusal('key:a')).toMatchObject({
      code: 'ERR_QUOTA_FUEL',
      message: expect.stringContaining('held for runs that are under way'),
    });
    resolve();
    await Promise.all(runs);
  });

  test('the limits of an operator without one are not touched', async () => {
    const { begin } = desk({});
    expect(await spend(() => begin('local'), 400 * GIGA, 400 * GIGA)).toBe(400 * GIGA);
    expect(await spend(() => begin('local'), 400 * GIGA, 400 * GIGA)).toBe(400 * GIGA);
  });
});

describe('tool calls in a minute', () => {
  test('as many as the limit are made by all runs together, and the next hears why', () => {
    const { begin, clock } = desk({ '*': { toolCallsPerMinute: 4 } });
    const [one, two] = [begin('key:a'), begin('key:a')];
    for (let n = 0; n < 2; n++) {
      expect(one.takeCall()).toBeUndefined();
      expect(two.takeCall()).toBeUndefined();
    }
    expect(two.takeCall()).toEqual({
      ok: false,
      error: {
        code: 'ERR_QUOTA_CALLS',
        message:
          'The principal "key:a" may make 4 tool calls in a minute (principals["*"].toolCallsPerMinute). Nothing was sent. Try again in 15000 ms.',
        hint: 'Wait 15000 ms and call again, or make fewer calls: pass several items at once.',
      },
    });
    expect(begin('key:b').takeCall()).toBeUndefined();
    clock.now += 15_000;
    expect(one.takeCall()).toBeUndefined();
    expect(one.takeCall()).toBeDefined();
  });
});

describe('a run that is put away', () => {
  test('leaves its place to another, and takes one again when it goes on, whether there is one or not', () => {
    const { begin, refusal } = desk({ '*': { concurrentRuns: 1 } });
    const run = begin('key:a');
    expect(refusal('key:a')?.code).toBe('ERR_QUOTA_CONCURRENT');
    run.rest();
    run.rest();
    const other = begin('key:a');
    run.goOn();
    run.goOn();
    other.leave();
    expect(refusal('key:a')?.code).toBe('ERR_QUOTA_CONCURRENT');
    run.leave();
    expect(refusal('key:a')).toBeUndefined();
  });

  test('gives back its place once when it ends while it is put away', () => {
    const { begin, refusal } = desk({ '*': { concurrentRuns: 1 } });
    const run = begin('key:a');
    run.rest();
    run.leave();
    const other = begin('key:a');
    expect(refusal('key:a')?.code).toBe('ERR_QUOTA_CONCURRENT');
    other.leave();
  });

  test('leaves the fuel to others that it may still use, and is charged what it has used', async () => {
    const { begin, refusal } = desk({ '*': { fuelPerHour: 10 * GIGA } });
    const run = begin('key:a');
    const ended = Promise.withResolvers<void>();
    const running = run.run(limits(10 * GIGA), async () => {
      await ended.promise;
      return outcome(10 * GIGA);
    });
    expect(refusal('key:a')?.code).toBe('ERR_QUOTA_FUEL');
    run.rest();
    expect(refusal('key:a')).toBeUndefined();
    ended.resolve();
    await running;
    run.leave();
    expect(refusal('key:a')?.code).toBe('ERR_QUOTA_FUEL');
  });

  test('is let in again after a restart whatever was used, and charged with the limits that it began with', async () => {
    const { begin, of, refusal } = desk({ '*': { concurrentRuns: 1, runsPerMinute: 1, fuelPerHour: 10 * GIGA } });
    begin('key:a');
    const run = of('key:a');
    run.enterAgain();
    await run.runAgain(limits(20 * GIGA), async () => {
      await Promise.resolve();
      return outcome(20 * GIGA);
    });
    run.leave();
    expect(refusal('key:a')?.code).toBe('ERR_QUOTA_CONCURRENT');
  });
});
