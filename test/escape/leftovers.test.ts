import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { openTestExecutor, resultOf, runBody } from '../support/executor.ts';

/** What one run leaves must not be there for the next: neither of the same program nor of another, in the same worker. */
let executor: SupervisedExecutor;
beforeAll(async () => {
  executor = await openTestExecutor({ workers: 1 });
});
afterAll(() => executor.close());

/** Writes the canary into as many places as it can, in a form that the program's own text does not have. */
const PLANT = (more: string): string => `const canary = () => ["SEC", "RET", "CAN", "ARY"].join("-"); globalThis.keep = [];
  for (let i = 0; i < 300; i++) keep.push(canary() + i, new TextEncoder().encode(canary()), { [canary()]: i });
  globalThis[canary()] = canary(); Object.prototype.p = canary(); await ampoule.callTool("s", "t", { c: canary() }); console.log(canary()); ${more}`;

/** Looks for the canary in all memory that a program can get hold of without writing to it first. */
const SEARCH = `const needle = "SEC-RET-" + "CAN-ARY"; let found = 0;
  for (let n = 0; n < 40; n++) { const b = new Uint8Array(500_000); if ([67, 69, 83, 84].some((x) => b.includes(x))) found++; globalThis["b" + n] = b; }
  for (const k of Reflect.ownKeys(globalThis)) if (String(k).includes(needle)) found++;
  return [found, ({}).p ?? null, typeof globalThis.keep]`;

test.each([
  ['completed', 'return 1'],
  ['threw', 'throw new Error(canary())'],
  ['ran out of fuel', 'for (;;) keep.push(canary())'],
  ['ran out of memory', 'for (;;) keep.push(new TextEncoder().encode(canary().repeat(1000)))'],
  ['never settled', 'await new Promise(() => {})'],
  ['was stopped while it waited', 'await ampoule.sleep(1e6)'],
])('nothing of a run that %s is found by another program', async (_how, more) => {
  const limits = { fuel: 1_000_000_000, waitMs: 30, memoryMb: 48 };
  await runBody(executor, PLANT(more), { limits });
  expect(resultOf(await runBody(executor, SEARCH))).toEqual([0, null, 'undefined']);
});

test('the second run of a program is the first one again, whatever the first one did to itself', async () => {
  const body = `const before = [typeof globalThis.n, Object.keys(Object.prototype).length, Math.random(), crypto.randomUUID(), [1].map((x) => x)];
    globalThis.n = 1; Object.prototype.q = 1; Array.prototype.map = () => 0; Math.random = () => 4; Promise.prototype.then = null; return before`;
  const options = { seed: '5a'.repeat(32), now: 1_000 };
  const runs = [];
  for (let i = 0; i < 5; i++) runs.push(await runBody(executor, body, options));
  expect(new Set(runs.map(({ end }) => JSON.stringify(end))).size).toBe(1);
  expect(new Set(runs.slice(1).map(({ usage }) => usage.fuel)).size).toBe(1);
});

test('runs that overlap in one worker do not see each other', async () => {
  const body = (n: number): string => `globalThis.mine = ${n}; ampoule.getState().n = ${n};
    for (let i = 0; i < 5; i++) { await ampoule.callTool("s", "t", { n: ${n} }); if (globalThis.mine !== ${n}) return "other" } return [globalThis.mine, input, ampoule.getState().n]`;
  const outcomes = await Promise.all(Array.from({ length: 20 }, (_, n) => runBody(executor, body(n), { input: n, state: { n: -1 } })));
  expect(outcomes.map(resultOf)).toEqual(Array.from({ length: 20 }, (_, n) => [n, n, n]));
});

test('answers go to the run that asked, although all runs count their calls from one', async () => {
  const body = (n: number): string => `return Promise.all([0, 1, 2].map((i) => ampoule.callTool("s", "t", { n: ${n}, i })))`;
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      runBody(executor, body(n), {
        onCall: async (call) => {
          await new Promise((resolve) => void setTimeout(resolve, (n * 7 + call.number * 13) % 20));
          return { ok: true, value: call.arguments };
        },
      }),
    ),
  );
  expect(outcomes.map(resultOf)).toEqual(Array.from({ length: 20 }, (_, n) => [0, 1, 2].map((i) => ({ n, i }))));
});

test('randomness and identity are fresh in every run that is given none', async () => {
  const values = await Promise.all(Array.from({ length: 10 }, () => runBody(executor, 'return crypto.randomUUID()').then(resultOf)));
  expect(new Set(values).size).toBe(10);
});

test('the clock does not move while a program computes, so it cannot time its neighbours', async () => {
  const body =
    'const seen = new Set(); for (let i = 0; i < 2e5; i++) { if (i % 1000 === 0) seen.add(Date.now() + performance.now()) } return seen.size';
  expect(resultOf(await runBody(executor, body))).toBe(1);
});

test('equal runs cost equal fuel in two processes', async () => {
  const other = await openTestExecutor({ workers: 1 });
  try {
    const body =
      'const m = new Map(); for (let i = 0; i < 500; i++) m.set("k" + (i % 31), JSON.stringify({ i, r: Math.random() })); await ampoule.callTool("s", "t", { n: m.size }); return [...m.values()].sort().length';
    const options = { seed: '17'.repeat(32), now: 1_700_000_000_000 };
    const [here, there] = await Promise.all([runBody(executor, body, options), runBody(other, body, options)]);
    expect(here.usage.fuel).toBeGreaterThan(100_000);
    expect(there.usage.fuel).toBe(here.usage.fuel);
    expect(there.end).toEqual(here.end);
  } finally {
    await other.close();
  }
});
