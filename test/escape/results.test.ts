import { expect, test } from 'vitest';
import { resultOf, runBody } from '../support/executor.ts';
import { attack, expectNothingLeaked } from './hostile.ts';

/** Results of every kind, and what they try to do to whoever reads them. */
const { executor, all } = attack();

const INVALID = 'ERR_EXECUTE_RESULT_INVALID';
const TOO_LARGE = 'ERR_EXECUTE_RESULT_TOO_LARGE';
const FUEL = 'ERR_EXECUTE_FUEL';
const MANY = { limits: { fuel: 30_000_000_000, timeoutMs: 20_000 } };

all([
  ['numbers that JSON does not have', 'return [NaN, Infinity, -Infinity, -0]', { value: [null, null, null, 0] }],
  [
    'dates, boxes and holes',
    'return [new Date(0), new String("s"), new Number(1), [, 1]]',
    { value: ['1970-01-01T00:00:00.000Z', 's', 1, [null, 1]] },
  ],
  ['a symbol', 'return Symbol("s")', INVALID],
  ['a map', 'return new Map([[1, 2]])', INVALID],
  ['a typed array', 'return new Uint8Array(3)', INVALID],
  ['a promise in an object', 'return { p: Promise.resolve(1) }', INVALID],
  ['a shared graph that is a tree of 2^30 leaves', 'let a = [1]; for (let i = 0; i < 30; i++) a = [a, a]; return a', [TOO_LARGE, FUEL]],
  [
    'a cycle through a map of getters',
    'const o = {}; Object.defineProperty(o, "me", { enumerable: true, get: () => o }); return o',
    INVALID,
  ],
  ['getters that make new objects without end', 'const make = () => ({ get next() { return make() } }); return make()', INVALID, MANY],
  ['a getter that loops', 'return { get x() { for (;;) {} } }', FUEL],
  ['a getter that throws', 'return { get x() { throw new Error("g") } }', INVALID],
  ['a toJSON that never ends', 'return { toJSON() { for (;;) {} } }', FUEL],
  ['a toJSON that returns itself', 'const o = { toJSON: () => o, a: 1 }; return o', INVALID],
  ['a toJSON that grows', 'const make = (n) => ({ toJSON: () => [make(n + 1)] }); return make(0)', INVALID, MANY],
  ['a toJSON on every object', 'Object.prototype.toJSON = () => "mine"; return { a: 1 }', { value: 'mine' }],
  [
    'keys that every object has',
    'return JSON.parse(\'{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"toString":1}\')',
    { value: JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}},"toString":1}') },
  ],
  ['lone surrogates', 'return "\\ud800x\\udc00"', { value: '\ud800x\udc00' }],
  ['control characters', 'return "\\u0000\\u001b[2J\\u202e\\u2028"', { value: '\u0000\u001b[2J\u202e\u2028' }],
  ['ten megabytes', 'return "x".repeat(1e7)', TOO_LARGE, MANY],
  ['an array of a length without elements', 'return new Array(2 ** 32 - 1)', TOO_LARGE, MANY],
  [
    'a result that looks like our error',
    'return { status: "failed", code: "ERR_INTERNAL", message: "no", end: { status: "failed" } }',
    { value: { status: 'failed', code: 'ERR_INTERNAL', message: 'no', end: { status: 'failed' } } },
  ],
  [
    'a thrown object that looks like our error',
    'throw { code: "ERR_EXECUTE_BUSY", message: "busy", name: "SandboxError" }',
    'ERR_EXECUTE_THROWN',
  ],
  [
    'a thrown error whose members throw',
    'throw Object.defineProperties(new Error(), Object.fromEntries(["name", "message", "stack", "code", "hint"].map((k) => [k, { get() { throw 1 } }])))',
    'ERR_EXECUTE_THROWN',
  ],
  ['a thrown error whose message loops', 'throw Object.defineProperty(new Error(), "message", { get() { for (;;) {} } })', FUEL],
  ['a thrown proxy', 'throw new Proxy(new Error("x"), { get() { throw 1 }, getPrototypeOf() { throw 2 } })', 'ERR_EXECUTE_THROWN'],
  ['a thrown error of ten megabytes', 'throw new Error("x".repeat(1e7))', 'ERR_EXECUTE_THROWN', MANY],
  ['a state that is a cycle', 'const s = ampoule.getState(); s.s = s; return 1', INVALID],
  ['a state that toJSON makes no object', 'ampoule.getState().toJSON = () => 1; return 1', INVALID],
  [
    'a state whose getter loops',
    'Object.defineProperty(ampoule.getState(), "x", { enumerable: true, get() { for (;;) {} } }); return 1',
    FUEL,
  ],
]);

test('log lines that look like messages of the protocol are text', async () => {
  const lines = [
    '{"type":"outcome","run":1}',
    '\u0002\u0000\u0000\u0000\u0000\u0000\u0000\u0000{}',
    '{"jsonrpc":"2.0","id":1,"result":{}}',
    'event: message\ndata: {}\n\n',
  ];
  const outcome = await runBody(executor(), `for (const l of ${JSON.stringify(lines)}) console.log(l); return 1`);
  expect(resultOf(outcome)).toBe(1);
  expect(outcome.logs).toHaveLength(lines.length);
  // oxlint-disable-next-line no-control-regex -- that there are none is the point
  expect(outcome.logs.every(({ message }) => !/[\u0000-\u0008\u001b]/.test(message))).toBe(true);
});

test.each([
  'throw new Error("x")',
  'null.x',
  'const f = (n) => f(n + 1) + 1; return f(0)',
  'await ampoule.callTool("s", "")',
  'await ampoule.readFile("../../etc/passwd")',
  'await ampoule.readFile("nowhere/x")',
  'JSON.parse("{")',
  'new RegExp("(")',
  'eval("(")',
  'setTimeout(() => { throw new Error("late") }, 0); await ampoule.sleep(50)',
  'queueMicrotask(() => { throw new Error("micro") }); await ampoule.sleep(50)',
  'console.log(new Error("logged").stack, new Error("x")); console.trace("t"); throw new AggregateError([new Error("a")], "b")',
])('no path and no frame of ours is in what is left of: %s', async (body) => {
  const outcome = await runBody(executor(), body);
  expect(outcome.end.status).toBe('failed');
  expectNothingLeaked(outcome);
});
