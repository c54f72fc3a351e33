import { expect, inject, test } from 'vitest';
import type { RunOutcome } from '../../src/execute/run.ts';
import { codeOf, resultOf, runBody } from '../support/executor.ts';
import { attack, expectNothingLeaked, type Hostile } from './hostile.ts';
import { sampled } from './sampled.ts';

/** Every kind of value as result, as thrown error and in a log line, and what of it might hurt whoever reads it. */
const { executor, all } = attack();

const INVALID = 'ERR_EXECUTE_RESULT_INVALID';
const TOO_LARGE = 'ERR_EXECUTE_RESULT_TOO_LARGE';
const FUEL = 'ERR_EXECUTE_FUEL';
const THROWN = 'ERR_EXECUTE_THROWN';
const MANY = { limits: { fuel: 30_000_000_000, timeoutMs: 20_000 } };
const KEPT = { limits: { ...MANY.limits, maxResultBytes: 64 * 1024 * 1024 } };
const nested = (depth: number): string => `let a = 1; for (let i = 0; i < ${depth}; i++) a = [a]; return a`;
const listOf = (depth: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
};

const VALUES: Hostile[] = [
  ['nothing', 'return undefined', { value: undefined }],
  ['null', 'return null', { value: null }],
  ['an empty text', 'return ""', { value: '' }],
  ['minus zero', 'return -0', { value: 0 }],
  ['not a number', 'return NaN', { value: null }],
  ['a BigInt', 'return 1n', INVALID],
  ['a BigInt in a box', 'return [Object(1n)]', INVALID],
  ['a function', 'return () => 1', INVALID],
  ['a class', 'return class {}', INVALID],
  ['a set', 'return new Set([1])', INVALID],
  ['a weak map', 'return [new WeakMap()]', { value: [{}] }],
  ['a generator', 'return (function* () { yield 1 })()', { value: {} }],
  ['a regular expression', 'return [/x/g]', { value: [{}] }],
  ['an invalid date', 'return [new Date(NaN)]', { value: [null] }],
  ['a date far away', 'return new Date(8.64e15)', { value: '+275760-09-13T00:00:00.000Z' }],
  ['a buffer', 'return new ArrayBuffer(8)', INVALID],
  ['a view', 'return new DataView(new ArrayBuffer(8))', INVALID],
  ['an error', 'return new RangeError("r")', { value: { name: 'RangeError', message: 'r' } }],
  ['an instance with private fields', 'class A { #secret = 1; shown = 2 } return new A()', { value: { shown: 2 } }],
  ['symbol keys', 'return { [Symbol("s")]: 1, a: 2 }', { value: { a: 2 } }],
  ['a thenable that resolves with itself for ever', 'const t = { then(r) { r(t) } }; return t', [FUEL]],
  ['a thenable that never answers', 'return { then() {} }', 'ERR_EXECUTE_NEVER_SETTLES'],
  ['a thenable that throws', 'return { then() { throw new Error("t") } }', THROWN],
  ['a thenable that answers twice', 'return { then(a, b) { a(1); a(2); b(3) } }', { value: 1 }],
  ['a promise of a promise', 'return Promise.resolve(Promise.resolve(7))', { value: 7 }],
  ['a cycle', 'const a = []; a.push(a); return a', INVALID],
  ['a long cycle', 'const a = {}; let b = a; for (let i = 0; i < 50; i++) b = b.n = {}; b.n = a; return a', INVALID],
  ['one object twice', 'const a = { x: 1 }; return [a, a]', { value: [{ x: 1 }, { x: 1 }] }],
  ['nesting of 199', nested(199), { value: listOf(199) }],
  ['nesting of 200', nested(200), { value: listOf(200) }],
  ['nesting of 201', nested(201), INVALID, MANY],
  ['nesting of 200,000', nested(200_000), INVALID, MANY],
  ['200,000 keys that are too much', 'const o = {}; for (let i = 0; i < 2e5; i++) o["k" + i] = i; return o', TOO_LARGE, MANY],
  ['a list with one element far out', 'const a = []; a[1e9] = 1; return a', TOO_LARGE, MANY],
  ['an object whose keys are no end', 'return new Proxy({}, { ownKeys: () => { for (;;) {} } })', FUEL],
  [
    'a proxy whose every trap throws',
    'const t = new Proxy({}, { get() { return () => { throw new Error("trap") } } }); return new Proxy({}, t)',
    [INVALID, THROWN],
  ],
  ['a proxy that was revoked', 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return [proxy]', INVALID],
  [
    'a proxy that lies about its length',
    'return new Proxy([1], { get: (t, k) => k === "length" ? 2 ** 32 : t[k] })',
    [TOO_LARGE, INVALID, FUEL],
  ],
  [
    'a getter that changes what is written',
    'const o = { get a() { o.b = "x".repeat(1e6); return 1 }, b: 1 }; return o',
    [TOO_LARGE, 'completed'],
    MANY,
  ],
  ['a toJSON that answers with a symbol', 'return { toJSON: () => Symbol("x") }', INVALID],
  ['a toJSON that is a proxy', 'return { toJSON: new Proxy(() => 1, { apply() { throw new Error("no") } }) }', INVALID],
  ['a key "__proto__" that is its own', 'return { ["__proto__"]: { polluted: 1 } }', { value: JSON.parse('{"__proto__":{"polluted":1}}') }],
  ['a key of a megabyte', 'return { ["k".repeat(1e6)]: 1 }', TOO_LARGE, MANY],
  ['lone surrogates as keys', 'return { "\\ud800": 1 }', { value: { '\ud800': 1 } }],
  [
    'a result that looks like an MCP result',
    'return { content: [{ type: "image", data: "%%%", mimeType: "image/png" }], isError: true }',
    {
      value: { content: [{ type: 'image', data: '%%%', mimeType: 'image/png' }], isError: true },
    },
  ],
  ['a text that looks like the end of the message', 'return "\\"}},\\"type\\":\\"outcome\\""', { value: '"}},"type":"outcome"' }],
  ['a JSON of another length than it says', 'JSON.stringify = () => "1".repeat(1e6); return { a: 1 }', { value: { a: 1 } }],
  ['ten megabytes that may be kept', 'return "é".repeat(4e6).length', { value: 4e6 }, KEPT],
  [
    'an error made of control characters',
    'const e = new Error("\\u0001".repeat(2e4)); e.hint = "\\u0002".repeat(2e4); e.name = "\\u0003".repeat(2e4); throw e',
    THROWN,
    MANY,
  ],
  [
    'an error in an error in an error',
    'let e = new Error("0"); for (let i = 0; i < 1e4; i++) e = new Error("x", { cause: e }); throw e',
    THROWN,
    MANY,
  ],
  ['nothing thrown', 'throw undefined', THROWN],
  ['a thrown symbol', 'throw Symbol("s")', THROWN],
  ['a thrown function', 'throw () => { for (;;) {} }', THROWN],
  ['a state of two megabytes', 'ampoule.setState("a", "x".repeat(2e6)); return 1', TOO_LARGE, MANY],
  ['a state that nests too deep', 'let a = 1; for (let i = 0; i < 300; i++) a = [a]; ampoule.setState("a", a); return 1', INVALID, MANY],
  ['a state with a BigInt', 'ampoule.getState().n = 1n; return 1', INVALID],
  [
    'a state behind a proxy',
    'Object.setPrototypeOf(ampoule.getState(), new Proxy({}, { get() { throw new Error("p") } })); return 1',
    INVALID,
  ],
];

all(sampled(VALUES));

const run = (body: string, limits: object = {}): Promise<RunOutcome> =>
  runBody(executor(), body, { limits: { ...MANY.limits, ...limits } });
const large = (outcome: RunOutcome): string => Buffer.from(outcome.large?.result ?? []).toString();

test.each([
  ['of one byte each', '"x".repeat(100000)', 'x'.repeat(100_000)],
  ['of four bytes each', '"🍀".repeat(40000)', '🍀'.repeat(40_000)],
  ['that are half of a pair', '"\\ud800".repeat(40000)', '\ud800'.repeat(40_000)],
  ['that have to be escaped', '"\\u0000\\"".repeat(40000)', '\0"'.repeat(40_000)],
])('a large result of characters %s comes whole, as bytes', async (_what, expression, value) => {
  const outcome = await run(`return ${expression}`, { maxResultBytes: 4_000_000 });
  expect(codeOf(outcome)).toBe('completed');
  expect(JSON.parse(large(outcome)) === value).toBe(true);
  outcome.large?.done?.();
});

test('a large result with a large log and a state are three things', async () => {
  const body = 'for (let i = 0; i < 2000; i++) console.log("line " + i + "x".repeat(50)); ampoule.setState("a", 1); return "y".repeat(1e5)';
  const outcome = await run(body, { maxResultBytes: 1e6, maxLogBytes: 1e6 });
  expect(outcome.end).toMatchObject({ status: 'completed', state: '{"a":1}' });
  expect(large(outcome)).toBe(JSON.stringify('y'.repeat(1e5)));
  const lines = Buffer.from(outcome.large?.logs ?? [])
    .toString()
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(2_000);
  expect(JSON.parse(lines[1_999] ?? '')).toEqual({ level: 'info', message: `line 1999${'x'.repeat(50)}` });
  outcome.large?.done?.();
});

const LINES: readonly (readonly [string, string])[] = [
  ['controls', 'console.log("\\u0000\\u001b[2J\\u009b")'],
  ['directions', 'console.log("\\u202e\\u2066\\u200b\\ufeff")'],
  ['half of a pair', 'console.log("\\ud800")'],
  ['an object that throws', 'console.log({ get a() { throw new Error("g") }, [Symbol.toStringTag]: 1 })'],
  ['a proxy that throws', 'console.log(new Proxy({}, { get() { throw 1 }, ownKeys() { throw 2 }, getPrototypeOf() { throw 3 } }))'],
  ['a cycle', 'const a = {}; a.a = a; console.log(a, [a])'],
  ['a nest of ten thousand', 'let a = 1; for (let i = 0; i < 1e4; i++) a = { a }; console.log(a)'],
  ['a text of ten megabytes', 'console.log("x".repeat(1e7))'],
  ['200,000 keys', 'const o = {}; for (let i = 0; i < 2e5; i++) o["k" + i] = i; console.log(o)'],
  ['a huge sparse list', 'console.log(new Array(2 ** 32 - 1))'],
  ['a table of what has no rows', 'console.table(new Proxy([], { get(t, k) { return k === "length" ? 1e9 : t[k] } }))'],
  ['formats without values', 'console.log("%s%d%i%f%j%o%O%c%%".repeat(1e4))'],
  [
    'every kind',
    'console.log(1n, Symbol("s"), () => 1, new Map([[1, 2]]), new Set([1]), new Date(NaN), /x/, new Error("e"), null, undefined, -0)',
  ],
  ['a level that there is not', 'ampoule.log("__proto__", "x"); ampoule.log({ toString() { throw 1 } }, "y"); ampoule.log()'],
  ['our own error', 'console.error(\'{"status":"failed","error":{"code":"ERR_INTERNAL"}}\')'],
];

test.each(sampled(LINES))('a log line of %s is bounded, harmless text, and the run goes on', async (_what, body) => {
  const outcome = await run(`${body}; return 1`, { maxLogBytes: 10_000 });
  expect(resultOf(outcome)).toBe(1);
  expectNothingLeaked(outcome);
  expect(outcome.logs.length).toBeGreaterThan(0);
  expect(outcome.logs.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0)).toBeLessThanOrEqual(10_000);
  for (const { level, message } of outcome.logs) {
    expect(['debug', 'info', 'warn', 'error']).toContain(level);
    expect(message.isWellFormed()).toBe(true);
    // oxlint-disable-next-line no-control-regex -- that there are none is the point
    expect(message).not.toMatch(/[\u0000-\u0008\u001b\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff]/);
  }
});

// StarlingMonkey takes seconds to hand over a megabyte of log.
test.runIf(inject('engineKind') === 'quickjs')('a full log goes on counting, whatever is still written to it', async () => {
  const outcome = await run('for (let i = 0; i < 60; i++) console.log("\\u0001\\u202e".repeat(2e5)); return 1', { maxLogBytes: 20_000 });
  expect(resultOf(outcome)).toBe(1);
  expect(outcome.droppedLogBytes).toBeGreaterThan(59 * 20_000);
});
