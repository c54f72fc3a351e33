import { getEventListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ToolAnswer } from '../../src/execute/run.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { codeOf, openTestExecutor, resultOf, runBody } from '../support/executor.ts';

const PLACES = 8;
let executor: SupervisedExecutor;
beforeAll(async () => {
  executor = await openTestExecutor({ workers: 2, maxRunsPerWorker: PLACES / 2, maxQueuedRuns: 80 });
});
afterAll(() => executor.close());

const BODIES = [
  'return 1',
  'for (;;);',
  'await new Promise((done) => setTimeout(done, 10_000))',
  'await ampoule.callTool("s", "never")',
  'await Promise.all([1, 2, 3].map(() => ampoule.callTool("s", "soon")))',
  'for (let n = 0; n < 200; n++) await ampoule.callTool("s", "soon")',
];

test('after a thousand runs that were cancelled at any point nothing is held: no place, no listener, no call', async () => {
  const before = executor.load('');
  const [{ pid }, signals] = [executor, [] as AbortSignal[]];
  let open = 0;
  const onCall = async ({ tool }: { tool: string }, signal: AbortSignal): Promise<ToolAnswer> => {
    signals.push(signal);
    open++;
    if (tool === 'never') await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    else await Promise.resolve();
    open--;
    return { ok: true, value: '1' };
  };
  const one = async (n: number): Promise<string> => {
    const controller = new AbortController();
    signals.push(controller.signal);
    // Some are programs that nobody has made yet.
    const body = `${BODIES[n % BODIES.length]}${n % 25 === 0 ? `\n// ${n}` : ''}`;
    const ended = runBody(executor, body, { onCall, signal: controller.signal, limits: { timeoutMs: 10_000 } }).then(codeOf, ({ code }) =>
      String(code),
    );
    if (n % 7 === 0) controller.abort();
    else if (n % 7 < 3) setImmediate(() => controller.abort());
    else await delay((n * 31) % 13).then(() => controller.abort());
    return ended;
  };
  const codes: string[] = [];
  for (let batch = 0; batch < 10; batch++) codes.push(...(await Promise.all(Array.from({ length: 100 }, (_, n) => one(batch * 100 + n)))));
  expect(codes).toHaveLength(1_000);
  const known = new Set(['completed', 'ERR_EXECUTE_CANCELLED', 'ERR_EXECUTE_BUSY']);
  expect(codes.filter((code) => !known.has(code))).toEqual([]);
  await expect.poll(() => [open, executor.load('')]).toEqual([0, before]);
  expect(signals.filter((signal) => getEventListeners(signal, 'abort').length > 0)).toEqual([]);
  expect(executor.pid).toBe(pid);
  // As many as there are places are in at the same time: none was lost.
  let inside = 0;
  const { promise, resolve } = Promise.withResolvers<ToolAnswer>();
  const all = Array.from({ length: PLACES }, () =>
    runBody(executor, 'return ampoule.callTool("s", "t")', { onCall: () => (inside++, promise) }),
  );
  await expect.poll(() => inside, { timeout: 5_000 }).toBe(PLACES);
  resolve({ ok: true, value: '5' });
  expect((await Promise.all(all)).map(resultOf)).toEqual(Array.from({ length: PLACES }, () => 5));
}, 30_000);
