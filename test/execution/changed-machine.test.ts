import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExecutionStore } from '../../src/execution/execution-store.ts';
import type { Clocks } from '../../src/execution/run-clock.ts';
import { begin, changed, goOn, HeldTool, memoryStore, openRuns, resultOf, until, type Begun } from './carried.ts';
import { PlayedExecutor, type Play } from './played-executor.ts';

const TWO: Play = [{ call: ['one'] }, { call: ['two'] }];

let store: ExecutionStore;
beforeAll(() => {
  store = memoryStore();
});
afterAll(() => store.close());

describe('the clock of a run', () => {
  class SetClocks implements Clocks {
    offset = 0;
    ahead = 0;
    wall = (): number => Date.now() + this.offset;
    monotonic = (): number => performance.now() + this.ahead;
  }

  test.each([
    ['set forward goes on with it, so that its timer is due', 3_600_000, 3_600_000],
    ['set back stands still, and then goes on', -3_600_000, 0],
  ])('of a machine that was %s', async (_, offset, least) => {
    const clocks = new SetClocks();
    const play: Play = [{ sleep: 400 }, { callWithClock: 'clock' }];
    const run = await (async () => {
      await using first = openRuns({ store, clocks });
      const asleep = await begin(first, play);
      await until(() => first.runs.waiting === 1);
      // One process has one clock, whatever becomes of the machine's.
      clocks.offset = offset;
      return asleep;
    })();
    const before = (await store.read(run.id))?.wait?.now ?? 0;
    await using second = openRuns({ store, clocks });
    const began = performance.now();
    expect((await (await goOn(second, run, play)).outcome).end.status).toBe('completed');
    const from = second.executor.requests[0]?.from;
    const now = from?.kind === 'image' ? from.now : 0;
    expect(now - before).toBeGreaterThanOrEqual(Math.max(least, offset < 0 ? 400 : 0));
    expect(now - before).toBeLessThan(least + 60_000);
    expect(performance.now() - began).toBeGreaterThanOrEqual(offset < 0 ? 399 : 0);
  });

  test('is not moved by the machine clock in one process', async () => {
    const clocks = new SetClocks();
    await using all = openRuns({ store, clocks });
    const run = await begin(all, [{ sleep: 50 }]);
    await until(() => all.runs.waiting === 1);
    const before = (await store.read(run.id))?.wait?.now ?? 0;
    clocks.offset = -1e9;
    await run.outcome;
    const from = all.executor.requests[1]?.from;
    expect(from?.kind === 'image' && from.now - before).toBeGreaterThanOrEqual(49);
  });

  test('goes on while the image is read that the run is woken from', async () => {
    const clocks = new SetClocks();
    const image: ExecutionStore['image'] = async (id) => {
      const bytes = await store.image(id);
      clocks.ahead += 500;
      return bytes;
    };
    await using all = openRuns({ store: changed(store, { image }), clocks });
    const run = await begin(all, [{ sleep: 50 }]);
    await until(() => all.runs.waiting === 1);
    const before = (await store.read(run.id))?.wait?.now ?? 0;
    await run.outcome;
    const from = all.executor.requests[1]?.from;
    expect(from?.kind === 'image' && from.now - before).toBeGreaterThanOrEqual(549);
  });
});

describe('an engine that changed while a run slept', () => {
  const OLD = '11'.repeat(32);

  async function asleepOnOld(tool: HeldTool): Promise<Begun> {
    await using first = openRuns({ store, engineHash: OLD });
    const run = await begin(first, TWO, { onCall: tool.onCall, run: { engineHash: OLD } });
    await tool.answer(1);
    await tool.untilCalled(2);
    await until(() => first.runs.waiting === 1);
    return run;
  }

  test('is kept for it', async () => {
    const tool = new HeldTool(true);
    const run = await asleepOnOld(tool);
    const old = new PlayedExecutor();
    await using all = openRuns({ store, executorFor: (hash) => Promise.resolve(hash === OLD ? old : undefined) });
    const again = await goOn(all, run, TWO, { onCall: tool.onCall });
    await tool.untilCalled(3);
    await tool.answer(2);
    expect(await resultOf(again)).toEqual(['one 1', 'two 2']);
    expect([old.requests.length, all.executor.requests.length]).toEqual([1, 0]);
  });

  test('and is gone: the run begins again on the present one, with its answers and a line in the log', async () => {
    const tool = new HeldTool(true);
    const run = await asleepOnOld(tool);
    await using all = openRuns({ store, programFor: (script) => ({ script, key: 'cc'.repeat(32) }) });
    const again = await goOn(all, run, TWO, { onCall: tool.onCall });
    await tool.untilCalled(3);
    await tool.answer(2);
    expect(await resultOf(again)).toEqual(['one 1', 'two 2']);
    expect(all.executor.requests[0]).toMatchObject({ program: { key: 'cc'.repeat(32) }, from: { kind: 'history' } });
    expect(all.warnings).toEqual([expect.stringContaining('The engine of a run is gone')]);
    expect((await store.read(run.id))?.start).toMatchObject({ engineHash: 'ee'.repeat(32), programKey: 'cc'.repeat(32) });
  });

  test('and makes another call ends the run before anything is sent', async () => {
    const tool = new HeldTool(true);
    const run = await asleepOnOld(tool);
    await using all = openRuns({ store, programFor: (script) => ({ script, key: 'cc'.repeat(32) }) });
    all.executor.differ = () => 'other';
    const again = await goOn(all, run, TWO, { onCall: tool.onCall });
    expect((await again.outcome).end).toMatchObject({ code: 'ERR_EXECUTION_DIVERGED' });
    expect(tool.calls.length).toBe(2);
  });

  test.each([
    [
      'by policy',
      { executions: { interruptedCalls: 'fail', engineChanged: 'fail' } as const, programFor: (script: string) => ({ script, key: '' }) },
    ],
    ['when there is no program for it', {}],
  ])('ends the run %s', async (_, options) => {
    const tool = new HeldTool();
    const run = await asleepOnOld(tool);
    await using all = openRuns({ store, ...options });
    const { end, calls } = await (await goOn(all, run, TWO, { onCall: tool.onCall })).outcome;
    expect(end).toMatchObject({ code: 'ERR_EXECUTION_ENGINE' });
    expect(calls.length).toBe(2);
  });
});
