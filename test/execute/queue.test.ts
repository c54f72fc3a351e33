import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ToolAnswer } from '../../src/execute/run.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { codeOf, openTestExecutor, resultOf, runBody, type RunOptions } from '../support/executor.ts';

/** One worker that holds two runs, and a queue of two. */
let executor: SupervisedExecutor;
beforeAll(async () => {
  executor = await openTestExecutor({ workers: 1, maxRunsPerWorker: 2, maxQueuedRuns: 2 });
});
afterAll(() => executor.close());

const WAIT = 'return ampoule.callTool("s", "t")';
const ending = (body: string, options?: RunOptions): Promise<string> =>
  runBody(executor, body, options).then(codeOf, (error: { code?: string }) => error.code ?? 'no code');

/** A tool that answers when it is told to. */
function heldTool(): { onCall: NonNullable<RunOptions['onCall']>; calls: () => number; release: () => void } {
  let calls = 0;
  const { promise, resolve } = Promise.withResolvers<ToolAnswer>();
  return { onCall: () => (calls++, promise), calls: () => calls, release: () => resolve({ ok: true, value: '1' }) };
}

test('past places and queue a run hears that it is busy, and the others are not disturbed', async () => {
  const tool = heldTool();
  const runs = Array.from({ length: 4 }, () => ending(WAIT, { onCall: tool.onCall }));
  await expect.poll(tool.calls).toBe(2);
  expect(await Promise.all([ending('return 1'), ending('return 1')])).toEqual(['ERR_EXECUTE_BUSY', 'ERR_EXECUTE_BUSY']);
  tool.release();
  expect(await Promise.all(runs)).toEqual(['completed', 'completed', 'completed', 'completed']);
  expect(tool.calls()).toBe(4);
  expect(await ending('return 1')).toBe('completed');
});

test('a run holds a place while it waits, so no more than the places are in the worker', async () => {
  const tool = heldTool();
  const runs = Array.from({ length: 4 }, () => ending(WAIT, { onCall: tool.onCall }));
  await expect.poll(tool.calls).toBe(2);
  await new Promise((resolve) => void setTimeout(resolve, 50));
  expect(tool.calls()).toBe(2);
  tool.release();
  await Promise.all(runs);
});

test('a run that is cancelled while it is queued ends at once and never begins', async () => {
  const tool = heldTool();
  const held = [ending(WAIT, { onCall: tool.onCall }), ending(WAIT, { onCall: tool.onCall })];
  await expect.poll(tool.calls).toBe(2);
  const controller = new AbortController();
  let began = false;
  const queued = ending(WAIT, { signal: controller.signal, onCall: () => ((began = true), Promise.resolve({ ok: true, value: '1' })) });
  await new Promise((resolve) => void setTimeout(resolve, 20));
  const from = performance.now();
  controller.abort();
  expect(await queued).toBe('ERR_EXECUTE_CANCELLED');
  expect(performance.now() - from).toBeLessThan(900);
  tool.release();
  await Promise.all(held);
  expect(began).toBe(false);
});

test('a run that is cancelled at any moment ends, and gives its place back', async () => {
  for (let ms = 0; ms < 24; ms++) {
    const controller = new AbortController();
    const run = ending(`/* ${ms} */ for (;;) await ampoule.sleep(0)`, { signal: controller.signal });
    await new Promise((resolve) => void setTimeout(resolve, ms / 2));
    controller.abort();
    expect(await run).toBe('ERR_EXECUTE_CANCELLED');
  }
  const all = await Promise.all(Array.from({ length: 4 }, () => ending('return 1')));
  expect(all).toEqual(Array.from({ length: 4 }, () => 'completed'));
});

test('a long-lived signal keeps nothing of the runs that it could have cancelled', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const counted = (by: number, method: (type: 'abort', listener: () => void) => void) => (type: string, listener: unknown) => {
    listeners += by;
    method(type as 'abort', listener as () => void);
  };
  signal.addEventListener = counted(1, signal.addEventListener.bind(signal));
  signal.removeEventListener = counted(-1, signal.removeEventListener.bind(signal));
  for (let i = 0; i < 20; i++) expect(resultOf(await runBody(executor, 'return 1', { signal }))).toBe(1);
  expect(listeners).toBe(0);
});

test('an image that is larger than the run may have is a clear error', async () => {
  const outcome = await runBody(executor, 'return 1', { limits: { memoryMb: 1 } });
  expect(codeOf(outcome)).toBe('ERR_EXECUTE_MEMORY');
  expect(outcome.end).toMatchObject({ message: expect.stringMatching(/takes \d+ MiB of memory before it starts; at most 1 MiB/) });
  expect(await ending('return 1')).toBe('completed');
});

test.each([0, 1, 8.64e15, 1e300])('a clock that starts at %d is a clock', async (now) => {
  const body = 'const a = Date.now(); await ampoule.sleep(5); return Date.now() - a >= 0';
  expect(await ending(body, { now, limits: { waitMs: 1_000 } })).toMatch(/completed|WAITING/);
});

test('a timer of more than 2^31 ms waits until the run may not wait any longer', async () => {
  const body = 'await ampoule.sleep(2 ** 31 - 1)';
  expect(await ending(body, { limits: { waitMs: 60 } })).toBe('ERR_EXECUTE_WAITING_TIME');
});
