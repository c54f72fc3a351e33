import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { RunOutcome } from '../../src/execute/run.ts';
import { codeOf, resultOf, runBody } from '../support/executor.ts';
import { attack, expectNothingLeaked } from './hostile.ts';
import { sampled } from './sampled.ts';

/** Programs of every kind that takes what it can get, each beside each, and fifty of all kinds at once. */
const { executor } = attack({ workers: 2, mounts: {} });

const FUEL = 'ERR_EXECUTE_FUEL';
const SPENT = [FUEL, 'ERR_EXECUTE_MEMORY', 'ERR_EXECUTE_THROWN', 'ERR_EXECUTE_ENGINE'];
const LIMITS = { fuel: 30_000_000, timeoutMs: 10_000, waitMs: 100, memoryMb: 24, maxToolCalls: 20 };

interface Kind {
  readonly name: string;
  readonly body: string;
  readonly ends: readonly string[];
}

const KINDS: readonly Kind[] = sampled([
  { name: 'a loop', body: 'for (;;);', ends: [FUEL] },
  { name: 'microtasks', body: 'const f = () => queueMicrotask(f); f(); await new Promise(() => {})', ends: [FUEL] },
  {
    name: 'timers',
    body: 'const f = () => setTimeout(f, 0); f(); f(); await new Promise(() => {})',
    ends: ['ERR_EXECUTE_WAITING_TIME', FUEL],
  },
  { name: 'an expression', body: '/(a+)+$/.test("a".repeat(60) + "b")', ends: [FUEL] },
  { name: 'texts', body: 'let s = "x"; for (;;) s += s + "y"', ends: SPENT },
  { name: 'lists', body: 'let a = [1]; for (;;) a = a.concat(a)', ends: SPENT },
  { name: 'buffers', body: 'const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))', ends: SPENT },
  { name: 'BigInt', body: 'let n = 3n; for (;;) n *= n', ends: SPENT },
  { name: 'recursion', body: 'const f = () => f() + 1; return f()', ends: ['ERR_EXECUTE_STACK', FUEL] },
  { name: 'memory errors that are swallowed', body: 'for (;;) try { new Uint8Array(2 ** 28) } catch {}', ends: SPENT },
  { name: 'calls', body: 'for (;;) ampoule.callTool("s", "t", { x: "x".repeat(5e3) })', ends: ['ERR_EXECUTE_TOOL_CALLS', FUEL] },
  { name: 'logs', body: 'for (;;) console.log("\\u0001".repeat(100))', ends: [FUEL] },
  { name: 'state', body: 'for (let i = 0; ; i++) ampoule.setState("k" + i, i)', ends: SPENT },
  { name: 'promises', body: 'let p = Promise.resolve(); for (;;) p = p.then(() => 1)', ends: SPENT },
  { name: 'files', body: 'for (;;) await ampoule.readFile("a/b").catch(() => 0)', ends: [FUEL] },
]);

const start = ({ body }: Kind): Promise<RunOutcome> => runBody(executor(), body, { limits: LIMITS });
const innocent = (i: number): Promise<RunOutcome> => runBody(executor(), 'return ampoule.callTool("s", "t", input)', { input: { i } });

function expectEnd({ name, ends }: Kind, outcome: RunOutcome): void {
  expect(ends, `${name} ended with ${codeOf(outcome)}`).toContain(codeOf(outcome));
  expectNothingLeaked(outcome);
}

test.each(KINDS.map((kind, at) => [kind.name, kind, KINDS.slice(at)] as const))(
  '%s beside each of the others that it has not been beside yet, and an innocent run beside them',
  async (_name, kind, others) => {
    const { pid } = executor();
    const pairs = others.map(async (other, i) => {
      const [first, second] = await Promise.all([start(kind), start(other)]);
      expectEnd(kind, first);
      expectEnd(other, second);
      expect(resultOf(await innocent(i))).toEqual({ i });
    });
    await Promise.all(pairs);
    expect(executor().pid).toBe(pid);
  },
);

test('fifty of all kinds at once, three times, with innocent runs between them that are soon through', async () => {
  const { pid } = executor();
  for (const round of sampled([0, 1, 2])) {
    const bad = Array.from({ length: 50 }, (_, i) => KINDS[(i * 7 + round) % KINDS.length]).filter((kind) => kind !== undefined);
    const ends = bad.map(async (kind) => expectEnd(kind, await start(kind)));
    const from = performance.now();
    const good = await Promise.all(Array.from({ length: 5 }, (_, i) => innocent(i)));
    expect(performance.now() - from).toBeLessThan(30_000);
    expect(good.map(resultOf)).toEqual([0, 1, 2, 3, 4].map((i) => ({ i })));
    await Promise.all(ends);
  }
  expect(executor().pid).toBe(pid);
});

test('what many runs hold that wait is given back when they are through', async () => {
  const resident = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${executor().pid}/status`, 'utf8'))?.[1]) / 1024;
  const body = 'for (let i = 0; i < 3; i++) console.log("x".repeat(1e6)); await ampoule.sleep(1e6)';
  const limits = { waitMs: 300, memoryMb: 24, maxLogBytes: 4_000_000 };
  const outcomes = await Promise.all(sampled(Array.from({ length: 50 }, () => body)).map((each) => runBody(executor(), each, { limits })));
  expect(outcomes.map(codeOf)).toEqual(outcomes.map(() => 'ERR_EXECUTE_WAITING_TIME'));
  for (const { large } of outcomes) large?.done?.();
  expect(resident()).toBeLessThan(1_500);
});
