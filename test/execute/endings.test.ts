import { beforeAll, expect, test } from 'vitest';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { codeOf, resultOf, runBody, sharedExecutor, type RunOptions } from '../support/executor.ts';

/** Every end of a run is told apart, on one worker that must survive all of them. */

let executor: SupervisedExecutor;
let pid: number | undefined;
beforeAll(async () => {
  executor = await sharedExecutor();
  pid = executor.pid;
});

const ENDINGS: [string, string, string, RunOptions][] = [
  ['a value', 'return 2 + 2', 'completed', {}],
  ['no value', 'input;', 'completed', {}],
  ['a thrown error', 'throw new TypeError("no")', 'ERR_EXECUTE_THROWN', {}],
  ['a thrown string', 'throw "no"', 'ERR_EXECUTE_THROWN', {}],
  ['a thrown undefined', 'throw undefined', 'ERR_EXECUTE_THROWN', {}],
  ['a rejected promise', 'return Promise.reject(new Error("no"))', 'ERR_EXECUTE_THROWN', {}],
  ['an endless loop against fuel', 'for (;;) {}', 'ERR_EXECUTE_FUEL', { limits: { fuel: 50_000_000 } }],
  ['an endless microtask loop against fuel', 'for (;;) await null', 'ERR_EXECUTE_FUEL', { limits: { fuel: 50_000_000 } }],
  ['a regular expression bomb', 'return /^(a+)+$/.test("a".repeat(40) + "b")', 'ERR_EXECUTE_FUEL', { limits: { fuel: 500_000_000 } }],
  [
    'one builtin call after another on large buffers',
    'const b = new Uint8Array(2e7); for (;;) b.fill(1)',
    'ERR_EXECUTE_FUEL',
    { limits: { fuel: 200_000_000 } },
  ],
  ['an endless loop against the clock', 'for (;;) {}', 'ERR_EXECUTE_ACTIVE_TIME', { limits: { timeoutMs: 100 } }],
  ['a long wait for a timer', 'await ampoule.sleep(60_000)', 'ERR_EXECUTE_WAITING_TIME', { limits: { waitMs: 50 } }],
  [
    'a tool that does not answer',
    'await ampoule.callTool("s", "t")',
    'ERR_EXECUTE_WAITING_TIME',
    { limits: { waitMs: 50 }, onCall: () => new Promise(() => undefined) },
  ],
  ['growing buffers', 'const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))', 'ERR_EXECUTE_MEMORY', {}],
  ['growing objects', 'const a = []; for (;;) a.push({ a })', 'ERR_EXECUTE_MEMORY', { limits: { memoryMb: 64 } }],
  ['a string that doubles', 'let s = "xy"; for (;;) { s += s + s.length; s.charCodeAt(s.length - 1); }', 'ERR_EXECUTE_MEMORY', {}],
  ['endless recursion', 'const f = (n) => f(n + 1) + 1; return f(0)', 'ERR_EXECUTE_STACK', {}],
  ['recursion through a getter', 'const o = { get x() { return this.x } }; return o.x', 'ERR_EXECUTE_STACK', {}],
  ['as many timers as there may be', 'for (let i = 0; i < 100_000; i++) setTimeout(() => {}, 1e6); return 1', 'completed', {}],
  ['one timer more', 'for (let i = 0; i < 100_001; i++) setTimeout(() => {}, 1e6); return 1', 'ERR_EXECUTE_THROWN', {}],
  ['a promise that never settles', 'await new Promise(() => {})', 'ERR_EXECUTE_NEVER_SETTLES', {}],
  [
    'too many tool calls',
    'for (let i = 0; i < 11; i++) ampoule.callTool("s", "t")',
    'ERR_EXECUTE_TOOL_CALLS',
    { limits: { maxToolCalls: 10 } },
  ],
  [
    'exactly as many tool calls as allowed',
    'for (let i = 0; i < 10; i++) await ampoule.callTool("s", "t")',
    'completed',
    { limits: { maxToolCalls: 10 } },
  ],
  ['a result over its limit', 'return "x".repeat(2000)', 'ERR_EXECUTE_RESULT_TOO_LARGE', { limits: { maxResultBytes: 2_001 } }],
  ['a result at its limit', 'return "x".repeat(2000)', 'completed', { limits: { maxResultBytes: 2_002 } }],
  [
    'a state over its limit',
    'ampoule.setState("k", "x".repeat(2000))',
    'ERR_EXECUTE_RESULT_TOO_LARGE',
    { limits: { maxStateBytes: 2_007 } },
  ],
  ['a state at its limit', 'ampoule.setState("k", "x".repeat(2000))', 'completed', { limits: { maxStateBytes: 2_008 } }],
  ['a cycle', 'const a = {}; a.a = a; return a', 'ERR_EXECUTE_RESULT_INVALID', {}],
  ['a BigInt', 'return { n: 1n }', 'ERR_EXECUTE_RESULT_INVALID', {}],
  ['a function', 'return { f() {} }', 'ERR_EXECUTE_RESULT_INVALID', {}],
];

test.each(ENDINGS)('%s ends as it must, and the next run works', async (_what, body, code, options) => {
  const outcome = await runBody(executor, body, options);
  expect(codeOf(outcome)).toBe(code);
  expect(resultOf(await runBody(executor, 'return 2 + 2'))).toBe(4);
  expect(executor.pid).toBe(pid);
});

test('a script that does not compile is refused with its position', async () => {
  const outcome = await runBody(executor, 'return /(/.test("x")');
  expect(codeOf(outcome)).toBe('ERR_COMPONENT_LOAD');
  expect(outcome.end).toMatchObject({ name: 'SyntaxError' });
});

test('a cancelled run stops while it computes', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  expect(codeOf(await runBody(executor, 'for (;;) {}', { signal: controller.signal }))).toBe('ERR_EXECUTE_CANCELLED');
  expect(resultOf(await runBody(executor, 'return 1'))).toBe(1);
});

test('a cancelled run stops while it waits, and its tool call is cancelled', async () => {
  const controller = new AbortController();
  let callCancelled = false;
  const outcome = runBody(executor, 'await ampoule.callTool("s", "t")', {
    signal: controller.signal,
    onCall: (_call, signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => (callCancelled = true));
        controller.abort();
      }),
  });
  expect(codeOf(await outcome)).toBe('ERR_EXECUTE_CANCELLED');
  expect(callCancelled).toBe(true);
});

test('out of memory that the program swallows in a loop does not take the worker', async () => {
  const body = 'for (;;) { try { const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1)) } catch {} }';
  const outcome = await runBody(executor, body, { limits: { fuel: 2_000_000_000 } });
  expect(['ERR_EXECUTE_FUEL', 'ERR_EXECUTE_MEMORY', 'ERR_EXECUTE_ENGINE']).toContain(codeOf(outcome));
  expect(resultOf(await runBody(executor, 'return 1'))).toBe(1);
});

test('memory just under the cap is given and just over it is not', async () => {
  const take = (mebibytes: number): string => `return new Uint8Array(${mebibytes} * 1024 * 1024).fill(1).length`;
  expect(codeOf(await runBody(executor, take(40), { limits: { memoryMb: 64 } }))).toBe('completed');
  expect(codeOf(await runBody(executor, take(62), { limits: { memoryMb: 64 } }))).toBe('ERR_EXECUTE_MEMORY');
});
