import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ToolAnswer, ToolCall } from '../../src/execute/run.ts';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { codeOf, openTestExecutor, resultOf, runBody } from '../support/executor.ts';

let executor: SupervisedExecutor;
beforeAll(async () => {
  executor = await openTestExecutor({ workers: 2 });
});
afterAll(() => executor.close());

const SEED = '0123456789abcdef'.repeat(4);

test('tool calls in Promise.all are under way at the same time', async () => {
  let running = 0;
  let most = 0;
  const onCall = async (): Promise<ToolAnswer> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => void setTimeout(resolve, 30));
    running--;
    return { ok: true, value: 'null' };
  };
  await runBody(executor, 'await Promise.all(Array.from({ length: 10 }, () => ampoule.callTool("s", "t")))', { onCall });
  expect(most).toBe(10);
});

test('no more tool calls are under way at once than the limit, and all are answered', async () => {
  let running = 0;
  let most = 0;
  const onCall = async (call: ToolCall): Promise<ToolAnswer> => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => void setTimeout(resolve, 5));
    running--;
    return { ok: true, value: call.arguments };
  };
  const body = 'return Promise.all(Array.from({ length: 20 }, (_, i) => ampoule.callTool("s", "t", { i })))';
  const outcome = await runBody(executor, body, { onCall, limits: { maxConcurrentToolCalls: 3 } });
  expect(resultOf(outcome)).toEqual(Array.from({ length: 20 }, (_, i) => ({ i })));
  expect(most).toBe(3);
});

test('answers may come in any order', async () => {
  const onCall = async ({ arguments: args }: ToolCall): Promise<ToolAnswer> => {
    const { ms } = JSON.parse(args) as { ms: number };
    await new Promise((resolve) => void setTimeout(resolve, ms));
    return { ok: true, value: String(ms) };
  };
  const body =
    'const order = []; await Promise.all([40, 1, 20].map(async (ms) => order.push(await ampoule.callTool("s", "t", { ms })))); return order';
  expect(resultOf(await runBody(executor, body, { onCall }))).toEqual([1, 20, 40]);
});

test('a call that the program does not await is cancelled at its end, and the log says so', async () => {
  const outcome = await runBody(executor, 'ampoule.callTool("s", "t"); return 1', { onCall: () => new Promise(() => undefined) });
  expect(resultOf(outcome)).toBe(1);
  expect(outcome.calls).toEqual([expect.objectContaining({ server: 's', tool: 't', ok: false })]);
  expect(outcome.logs).toEqual([{ level: 'warn', message: expect.stringContaining('A tool call was still running') }]);
});

test('a failed tool call is an error that the program can catch', async () => {
  const onCall = (): Promise<ToolAnswer> =>
    Promise.resolve({ ok: false, error: { code: 'ERR_CALL_TOOL', message: 'no such city', hint: 'try another' } });
  const body =
    'try { await ampoule.callTool("s", "t") } catch (e) { return [e instanceof ampoule.ToolError, e.code, e.message, e.server, e.tool] }';
  expect(resultOf(await runBody(executor, body, { onCall }))).toEqual([true, 'ERR_CALL_TOOL', 'no such city', 's', 't']);
});

test('waiting runs share a worker: many more of them than threads are under way at once', async () => {
  let waiting = 0;
  let release: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (release = resolve));
  const onCall = async (): Promise<ToolAnswer> => {
    if (++waiting === 40) release();
    await all;
    return { ok: true, value: '1' };
  };
  const outcomes = await Promise.all(Array.from({ length: 40 }, () => runBody(executor, 'return ampoule.callTool("s", "t")', { onCall })));
  expect(outcomes.map(resultOf)).toEqual(Array.from({ length: 40 }, () => 1));
});

test('nothing of a run is left for the next one', async () => {
  const spoil =
    'globalThis.leak = "secret"; Array.prototype.map = () => "poisoned"; Object.prototype.x = 1; JSON.stringify = () => "1"; return 1';
  const look = 'return [typeof globalThis.leak, [1].map((x) => x + 1), ({}).x ?? null]';
  for (let round = 0; round < 5; round++) {
    await runBody(executor, spoil);
    expect(resultOf(await runBody(executor, look))).toEqual(['undefined', [2], null]);
  }
});

test('memory that a run filled is zero for the next one', async () => {
  const fill = 'const a = []; for (let i = 0; i < 20; i++) a.push(new Uint8Array(1e6).fill(7)); return a.length';
  const scan =
    'let found = 0; for (let i = 0; i < 20; i++) { const b = new Uint8Array(1e6); if (b.indexOf(7) >= 0) found++; } return found';
  expect(resultOf(await runBody(executor, fill))).toBe(20);
  expect(resultOf(await runBody(executor, scan))).toBe(0);
});

test('the same inputs give the same run, fuel included', async () => {
  const body =
    'const r = []; for (const i of [1, 2, 3]) r.push(await ampoule.callTool("s", "t", { i, x: Math.random(), id: crypto.randomUUID() })); return r';
  const options = {
    seed: SEED,
    now: 1_700_000_000_000,
    onCall: (call: ToolCall): Promise<ToolAnswer> => Promise.resolve({ ok: true, value: call.arguments }),
  };
  const outcomes = [];
  for (let i = 0; i < 20; i++) outcomes.push(await runBody(executor, body, options));
  expect(new Set(outcomes.map(({ usage }) => usage.fuel)).size).toBe(1);
  expect(new Set(outcomes.map(({ end }) => JSON.stringify(end))).size).toBe(1);
});

test('fuel is the same in 100 of 100 runs', async () => {
  const body =
    'const m = new Map(); for (let i = 0; i < 2000; i++) m.set("k" + (i % 97), JSON.stringify({ i })); return [...m.keys()].sort().join("").length';
  const fuel = new Set<number>();
  for (let i = 0; i < 100; i++) fuel.add((await runBody(executor, body, { seed: SEED, now: 0 })).usage.fuel);
  expect(fuel.size).toBe(1);
});

test('timers run in the order of their due times, and the clock moves only while the program waits', async () => {
  const body = `const order = []; const t0 = Date.now();
    for (let i = 0; i < 1e5; i++); const same = Date.now() === t0;
    setTimeout(() => order.push(30), 30); setTimeout(() => order.push(10), 10); setTimeout(() => order.push(20), 20);
    await new Promise((resolve) => setTimeout(resolve, 45)); return [order, same, Date.now() - t0 >= 45]`;
  expect(resultOf(await runBody(executor, body))).toEqual([[10, 20, 30], true, true]);
});

test('the state of a run comes back only when it changed', async () => {
  const read = await runBody(executor, 'return ampoule.getState().n', { state: { n: 1 } });
  expect(read.end).toMatchObject({ status: 'completed', result: '1', state: '' });
  const changed = await runBody(executor, 'ampoule.getState().n++; ampoule.setState("m", [1])', { state: { n: 1 } });
  expect(changed.end).toMatchObject({ state: '{"n":2,"m":[1]}' });
});

test('the outcome says what the run did', async () => {
  const body = 'console.log("hello", { a: 1 }); await ampoule.callTool("s", "t", { q: 1 }); return 1';
  const { calls, logs, usage, phases } = await runBody(executor, body);
  expect(calls).toEqual([{ server: 's', tool: 't', ok: true, ms: expect.any(Number) }]);
  expect(logs).toEqual([{ level: 'info', message: 'hello { a: 1 }' }]);
  expect(usage.toolCalls).toBe(1);
  expect(usage.fuel).toBeGreaterThan(1_000);
  expect(usage.peakMemoryBytes).toBeGreaterThan(1_000_000);
  expect(phases.run).toBeGreaterThan(0);
});

test('a run that asks for less has less', async () => {
  const body = 'const a = []; for (let i = 0; i < 100; i++) a.push(new Uint8Array(1e6).fill(1)); return a.length';
  expect(codeOf(await runBody(executor, body))).toBe('completed');
  expect(codeOf(await runBody(executor, body, { limits: { memoryMb: 32 } }))).toBe('ERR_EXECUTE_MEMORY');
});
