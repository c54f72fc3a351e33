import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isHibernated } from '../../src/execute/hibernated-run.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import type { HibernatedRun, RunFrom, ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import { residentBytes } from '../../src/process-status.ts';
import { carry, echo, listen, requestOf, type Carried } from '../support/carry.ts';
import { codeOf, openTestExecutor, resultOf, runBody } from '../support/executor.ts';

/** Runs that leave their executor process while they wait, and go on in another one. */

let executors: readonly SupervisedExecutor[] = [];
beforeAll(async () => {
  executors = await Promise.all([openTestExecutor(), openTestExecutor()]);
});
afterAll(() => Promise.all(executors.map((executor) => executor.close())));

function executor(at = 0): SupervisedExecutor {
  const found = executors[at % executors.length];
  if (!found) throw new RangeError('no executor');
  return found;
}

/** Another one each time. */
function inTurn(): () => SupervisedExecutor {
  let at = 0;
  return () => executor(at++);
}

const FIXED = { now: 1_700_000_000_000, seed: '11'.repeat(32) };
const after = (ms: number, answer: ToolAnswer): Promise<ToolAnswer> => new Promise((resolve) => void setTimeout(() => resolve(answer), ms));
const slow = ({ arguments: value }: ToolCall): Promise<ToolAnswer> => after(20, { ok: true, value });
const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'none',
    (error: { code?: string }) => error.code,
  );

/** A run in the state in which it was put away at its first wait. */
async function put(body: string, options: Parameters<typeof requestOf>[1] = {}): Promise<HibernatedRun> {
  const end = await executor().attempt(requestOf(body, options), listen({ call: () => new Promise(() => undefined) }), never());
  if (!isHibernated(end)) throw new Error(`it was not put away: ${JSON.stringify(end.end)}`);
  return end;
}

function imageOf({ image, now, pending, lastCall }: HibernatedRun): RunFrom {
  return { kind: 'image', image, now, pending, lastCall };
}

const never = (): AbortSignal => new AbortController().signal;

describe('a run that is put away at every wait', () => {
  test('goes on in another process, and nobody can tell by its outcome', async () => {
    const body = `const seen = [Math.random()];
      for (let i = 0; i < 3; i++) {
        seen.push(await ampoule.callTool("s", "t", { i }));
        console.log('step', i, Math.random());
      }
      seen.push(await Promise.all([1, 2, 3].map((n) => ampoule.callTool("s", "t", { n }))));
      ampoule.setState("a", seen.length);
      return seen;`;
    const plain = await runBody(executor(), body, { ...FIXED, onCall: slow });
    const carried = await carry(inTurn(), body, { ...FIXED, onCall: slow });
    expect(carried.sleeps.length).toBeGreaterThan(2);
    expect(carried.outcome).toMatchObject({ end: plain.end, logs: plain.logs, usage: { toolCalls: 6 } });
    // How answers come together is a matter of chance, and part of what a run depends on.
    expect(await replay(carried)).toEqual([plain.end, carried.outcome.usage.fuel]);
    expect(carried.made).toEqual([1, 2, 3, 4, 5, 6]);
    expect(carried.outcome.calls.map(({ ok }) => ok)).toEqual(Array(6).fill(true));
  });

  test('gets small, large and failing answers', async () => {
    const large = JSON.stringify('ä'.repeat(400_000));
    const answers: ToolAnswer[] = [
      { ok: true, value: '1' },
      { ok: true, value: large },
      { ok: false, error: { code: 'ERR_CALL_TOOL', message: 'no' } },
    ];
    const onCall = ({ arguments: text }: ToolCall): Promise<ToolAnswer> =>
      after(30, answers[(JSON.parse(text) as { n: number }).n] ?? { ok: true, value: 'null' });
    const body = `const ask = (n) => ampoule.callTool("s", "t", { n }).then((v) => v.length ?? v, (e) => e.code);
      return [await ask(0), await ask(1), await ask(2), await Promise.all([ask(2), ask(1), ask(0)])];`;
    const { outcome, sleeps } = await carry(inTurn(), body, { onCall });
    expect(resultOf(outcome)).toEqual([1, 400_000, 'ERR_CALL_TOOL', ['ERR_CALL_TOOL', 400_000, 1]]);
    expect(sleeps.length).toBeGreaterThan(2);
  });

  test('sleeps without a place, and wakes by its timer with the clock at that time', async () => {
    const body = 'const from = Date.now(); await ampoule.sleep(150); await ampoule.sleep(100); return Date.now() - from';
    const { outcome, sleeps } = await carry(inTurn(), body, { hibernation: { afterMs: 50 } });
    expect(sleeps).toHaveLength(2);
    expect(sleeps[0]).toMatchObject({ pending: [], lastCall: 0, nextTimer: expect.any(Number) as number });
    expect(resultOf(outcome)).toBeGreaterThanOrEqual(250);
    expect(resultOf(outcome)).toBeLessThan(2_000);
  });

  test('begun again from the start with what it was given, it ends the same, and calls nothing anew', async () => {
    const body = `const a = await ampoule.callTool("s", "t", { n: Math.random() });
      await ampoule.sleep(5);
      return [a, Date.now(), await ampoule.callTool("s", "t", { n: 2 })]`;
    const first = await carry(inTurn(), body, { ...FIXED, onCall: slow });
    const steps = first.histories.flatMap((history) => history.steps);
    const seen: ToolCall[] = [];
    const events = listen({ call: (call) => (seen.push(call), echo(call)) });
    const again = await executor().attempt({ ...requestOf(body, FIXED), from: { kind: 'history', steps } }, events, never());
    if (isHibernated(again)) throw new Error('it was put away');
    expect(again).toMatchObject({ end: first.outcome.end, usage: { fuel: first.outcome.usage.fuel } });
    expect(seen.map(({ number }) => number)).toEqual([1, 2]);
    expect(events.histories).toEqual([]);
  });
});

test('a longer image than may be is no image: the run says so, waits where it is, and ends as any other', async () => {
  const body =
    'const x = new Uint8Array(3_000_000); crypto.getRandomValues(x.subarray(0, 60_000)); await ampoule.callTool("s", "t"); return x.length';
  const waits: (number | null)[] = [];
  const events = listen({ call: () => after(50, { ok: true, value: '1' }), waiting: (nextTimer) => void waits.push(nextTimer) });
  const end = await executor().attempt(requestOf(body, { hibernation: { maxImageBytes: 1_000 } }), events, never());
  expect(waits).toEqual([null]);
  expect(isHibernated(end) ? 'put away' : resultOf(end)).toBe(3_000_000);
});

test('a run that may not be put away is not, even when it is asked', async () => {
  const { hibernation: _rules, ...request } = requestOf('return ampoule.callTool("s", "t")');
  const events = listen({ call: () => (setTimeout(() => executor().hibernate(), 10), after(80, { ok: true, value: '7' })) });
  const end = await executor().attempt(request, events, never());
  expect(isHibernated(end) ? 'put away' : resultOf(end)).toBe(7);
});

test('all that wait are put away when they are asked, and those that compute are not', async () => {
  const rules = { hibernation: { afterMs: 3_600_000 } };
  const calls = Promise.withResolvers<void>();
  let left = 3;
  const call = (): Promise<ToolAnswer> => (--left === 0 && setTimeout(calls.resolve, 20), new Promise(() => undefined));
  const waiting = Array.from({ length: 3 }, () =>
    executor().attempt(requestOf('return ampoule.callTool("s", "t")', rules), listen({ call }), never()),
  );
  await calls.promise;
  executor().hibernate();
  expect((await Promise.all(waiting)).map(isHibernated)).toEqual([true, true, true]);
});

describe('an image', () => {
  const body = 'return (await ampoule.callTool("s", "t")) + (await ampoule.callTool("s", "u"))';
  let asleep: HibernatedRun;
  beforeAll(async () => {
    asleep = await put(body, FIXED);
  });

  const wake = (from: RunFrom, of = body): Promise<unknown> =>
    code(executor(1).attempt({ ...requestOf(of, FIXED), from }, listen({}), never()));

  test('of one flipped byte, cut short or of another program is refused with a code, and the process lives', async () => {
    const { pid } = executor(1);
    const bent = Uint8Array.from(asleep.image);
    bent[bent.length >> 1] = (bent[bent.length >> 1] ?? 0) ^ 1;
    const codes = [
      await wake({ ...imageOf(asleep), image: bent } as RunFrom),
      await wake({ ...imageOf(asleep), image: asleep.image.subarray(0, -1) } as RunFrom),
      await wake({ ...imageOf(asleep), image: new Uint8Array(5) } as RunFrom),
      await wake(imageOf(asleep), `${body};`),
      await wake({ ...imageOf(asleep), pending: [] } as RunFrom),
      await wake({ ...imageOf(asleep), lastCall: 7 } as RunFrom),
    ];
    expect(codes).toEqual(Array(6).fill('ERR_COMPONENT_DAMAGED'));
    expect(await wake(imageOf(asleep))).toBe('none');
    expect(executor(1).pid).toBe(pid);
  });

  test('can be gone on from as often as one likes, with the same end', async () => {
    const ends = await Promise.all(
      [0, 1, 2, 3].map((at) =>
        executor(at).attempt(
          { ...requestOf(body, { ...FIXED, hibernation: { afterMs: 60_000 } }), from: imageOf(asleep) },
          listen({}),
          never(),
        ),
      ),
    );
    expect(ends.map((end) => (isHibernated(end) ? end : [end.end, end.usage.fuel]))).toEqual(
      ends.map(({ usage }) => [{ status: 'completed', result: '2', state: '' }, usage.fuel]),
    );
    expect(new Set(ends.map((end) => end.usage.fuel)).size).toBe(1);
  });

  test('with steps that are none is the end of that run only', async () => {
    const { pid } = executor(1);
    for (const steps of [[[Number.NaN]], [[1, 0]], [[1, 1.5]], [[]]]) {
      expect(await wake({ kind: 'history', steps: steps as unknown as [number][] })).toBe('ERR_INTERNAL');
    }
    expect(await wake({ kind: 'history', steps: [[FIXED.now + 1, 9]] })).toBe('none');
    expect(executor(1).pid).toBe(pid);
  });
});

test('large images that are woken one after the other are no burden when they are awake, whatever became of them', async () => {
  const body = `const x = new Uint32Array(1_000_000);
    for (let i = 0, s = 1; i < x.length; i++) { s ^= s << 13; s ^= s >>> 17; s ^= s << 5; x[i] = s }
    await ampoule.callTool("s", "t");
    return x.length`;
  const from = imageOf(await put(body));
  const bent = { ...from, image: Uint8Array.from(from.kind === 'image' ? from.image : []).fill(0, 5_000, 5_100) } as RunFrom;
  expect(from.kind === 'image' && from.image.length).toBeGreaterThan(3_900_000);
  const ends: unknown[] = [];
  // More than may be on their way at one time.
  for (const image of Array.from({ length: 20 }, (_, i) => (i % 4 === 0 ? bent : from))) {
    const end = executor(1).attempt({ ...requestOf(body), from: image }, listen({}), never());
    ends.push(
      await end.then(
        (how) => !isHibernated(how) && codeOf(how),
        (error: { code?: string }) => error.code,
      ),
    );
  }
  expect(new Set(ends)).toEqual(new Set(['completed', 'ERR_COMPONENT_DAMAGED']));
});

test('answers that race with being put away are none lost and none given twice: all ends are those of runs that never slept', async () => {
  const body = `const seen = [];
    const one = async (n) => { for (let i = 0; i < 3; i++) seen.push(await ampoule.callTool("s", "t", { n, i })); };
    await Promise.all(input.map(one));
    return seen.map(({ n, i }) => n * 10 + i).sort((a, b) => a - b)`;
  const delays = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 9, maxLength: 9 });
  const input = [0, 1, 2];
  const expected = input.flatMap((n) => [0, 1, 2].map((i) => n * 10 + i));
  let sleeps = 0;
  const property = fc.asyncProperty(delays, fc.integer({ min: 0, max: 6 }), async (ms, afterMs) => {
    const onCall = ({ arguments: value, number }: ToolCall): Promise<ToolAnswer> => after(ms[number - 1] ?? 0, { ok: true, value });
    const carried = await carry(inTurn(), body, { input, onCall, hibernation: { afterMs } });
    sleeps += carried.sleeps.length;
    expect(resultOf(carried.outcome)).toEqual(expected);
    expect(carried.made.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(settledOf(carried)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const replayed = await replay(carried);
    expect(replayed).toEqual([carried.outcome.end, carried.outcome.usage.fuel]);
  });
  await fc.assert(property, { numRuns: 25 });
  expect(sleeps).toBeGreaterThan(10);
});

/** Calls that steps have settled, each time they were. */
function settledOf({ histories }: Carried): number[] {
  return histories.flatMap(({ steps }) => steps.flatMap(([, ...calls]) => calls)).toSorted((a, b) => a - b);
}

/** The same run from its recorded steps, without ever sleeping. */
async function replay({ histories, request }: Carried): Promise<unknown> {
  const steps = histories.flatMap((history) => history.steps);
  const { hibernation: _rules, ...whole } = request;
  const end = await executor().attempt({ ...whole, from: { kind: 'history', steps } }, listen({ call: echo }), never());
  return isHibernated(end) ? 'put away' : [end.end, end.usage.fuel];
}

test('two thousand sleeps and wakes leave no run, no place and no memory behind', async () => {
  const small = await openTestExecutor({ maxRunsPerWorker: 16, maxQueuedRuns: 4 });
  const body = 'let sum = 0; for (let i = 0; i < 10; i++) sum += (await ampoule.callTool("s", "t", { i })).i; return sum';
  const onCall = ({ arguments: value }: ToolCall): Promise<ToolAnswer> => after(1, { ok: true, value });
  let sleeps = 0;
  const before = await residentBytes(small.pid);
  const some = async (): Promise<void> => {
    for (let i = 0; i < 13; i++) {
      const { outcome, sleeps: all } = await carry(() => small, body, { onCall });
      sleeps += all.length;
      expect(resultOf(outcome)).toBe(45);
    }
  };
  // Never more at once than have places: only those that have slept wait beside them.
  await Promise.all(Array.from({ length: 16 }, some));
  expect(sleeps).toBeGreaterThan(1_500);
  const free = await Promise.all(Array.from({ length: 20 }, () => runBody(small, 'return 1').then(codeOf)));
  expect(free).toEqual(Array(20).fill('completed'));
  expect(small.load('none')).toBe(0);
  // Sixteen instances, and what a heap of two threads has not given back: each of the images that came is some 20 KB.
  expect(((await residentBytes(small.pid)) ?? 0) - (before ?? 0)).toBeLessThan(300 * 1024 * 1024);
  await small.close();
});
