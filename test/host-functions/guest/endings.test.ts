import { beforeAll, expect, inject, test } from 'vitest';
import { type Engine, type RunSetup, type Run, openEngine, runProgram } from '../harness.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
const run = (code: string, setup?: RunSetup): Run => runProgram(engine, code, setup);

test('a program completes with its result as JSON', () => {
  const { ending, result, state } = run('return { a: [1, "é", null, true], u: undefined, d: new Date(0), n: NaN }');
  expect(ending).toEqual({ status: 'completed' });
  expect(result).toEqual({ a: [1, 'é', null, true], d: '1970-01-01T00:00:00.000Z', n: null });
  expect(state).toBe('');
});

test('a program without a result completes with none', () => {
  expect(run('1 + 1').result).toBeUndefined();
});

test('the input arrives as a value', () => {
  expect(run('return input.a.b', { input: { a: { b: [1, 2] } } }).result).toEqual([1, 2]);
});

test('a thenable result is awaited', () => {
  expect(run('return { then(resolve) { setTimeout(() => resolve(7), 1000) } }').result).toBe(7);
});

test('a thrown error keeps its name, its message and the positions of the program', () => {
  const { ending } = run('const a = 1;\nfunction inner() {\n  throw new RangeError("too far");\n}\ninner();');
  expect(ending).toMatchObject({ status: 'failed', code: 'ERR_EXECUTE_THROWN', name: 'RangeError', message: 'too far' });
  expect(ending?.stack?.split('\n').slice(0, 2)).toEqual(['    at inner (program.js:4:9)', '    at program.js:6:1']);
});

test('a throw before the promise has its position on the first line', () => {
  const { ending } = run('throw new Error("x")', { raw: true });
  expect(ending).toMatchObject({ message: 'x', stack: '    at program.js:1:7' });
});

test('asynchronous frames are shown and frames of the runtime are not', () => {
  const { ending } = run('async function deep() {\n await ampoule.sleep(5);\n throw new Error("later");\n}\nawait deep();');
  expect(ending?.stack).toContain('at deep (program.js:4:8)');
  // QuickJS does not know who awaits a function.
  const awaiting = inject('engineKind') === 'quickjs' ? 'at deep' : 'at async program.js:6:';
  expect(ending?.stack).toContain(awaiting);
  expect(ending?.stack).not.toMatch(/source\.js|initializer|\/tmp|runProgram/);
});

test('error.stack, as the program reads it, holds no path and no frame of the runtime', () => {
  const texts = run('const o = {}; Error.captureStackTrace(o); return [new Error("m").stack, o.stack, eval("new Error(1).stack")]')
    .result as string[];
  for (const text of texts) expect(text).not.toMatch(/source\.js|initializer|\/tmp|@/);
  expect(texts[0]).toMatch(/^Error: m\n {4}at program\.js:2:/);
});

test('a script that does not parse is refused by load with its position', () => {
  const load = (): unknown => run('return Promise.resolve(1);\nlet x = ;', { raw: true });
  expect(load).toThrow(/"name":"SyntaxError".*program\.js:2:9/);
});

test.each([
  ['undefined', 'throw undefined', 'the program threw undefined'],
  ['a string', 'throw "oops"', 'the program threw "oops"'],
  ['null', 'throw null', 'the program threw null'],
  ['a symbol', 'throw Symbol("s")', 'the program threw Symbol(s)'],
  ['a BigInt', 'throw 10n', 'the program threw 10'],
  ['a function', 'throw () => 1', 'the program threw a function'],
  ['a revoked proxy', 'const r = Proxy.revocable({}, {}); r.revoke(); throw r.proxy', 'the program threw an object that is not an Error'],
  [
    'a proxy whose traps throw',
    'throw new Proxy(new Error("x"), { get() { throw 1 }, getPrototypeOf() { throw 2 } })',
    'the program threw an object that is not an Error',
  ],
  [
    'an error with throwing getters',
    'throw Object.defineProperties(new Error(), { message: { get() { throw 1 } }, name: { get() { throw 2 } }, code: { get() { throw 3 } } })',
    '',
  ],
  ['a frozen error', 'throw Object.freeze(new Error("cold"))', 'cold'],
  ['an object with a message', 'throw { message: "plain" }', 'plain'],
])('throwing %s is a coded ending', (_what, code, message) => {
  expect(run(code).ending).toMatchObject({ status: 'failed', code: 'ERR_EXECUTE_THROWN', message });
});

test('a huge message is cut to 16 KiB of UTF-8', () => {
  const { ending } = run('throw new Error("é".repeat(1e6))');
  expect(Buffer.byteLength(ending?.message ?? '')).toBeLessThanOrEqual(16_384);
  expect(ending?.message?.startsWith('ééé')).toBe(true);
});

test('memory that runs out and nobody catches is ERR_EXECUTE_MEMORY', () => {
  expect(run('const all = []; for (;;) all.push(new Array(5000).fill({}))').ending).toMatchObject({ code: 'ERR_EXECUTE_MEMORY' });
});

test.each([
  ['{ items: [1, 2, 3, { cb() {} }] }', 'result.items[3].cb is a function'],
  ['{ "a b": { x: 1n } }', 'result["a b"].x is a BigInt'],
  ['new Map([[1, 2]])', 'result is a Map'],
  ['[new Set()]', 'result[0] is a Set'],
  ['{ s: Symbol("x") }', 'result.s is a symbol'],
  ['new Uint8Array(3)', 'result is a Uint8Array'],
  ['new ArrayBuffer(3)', 'result is a ArrayBuffer'.replace('a A', 'an A')],
  ['[Promise.resolve(1)]', 'result[0] is a promise'],
  ['(() => { const a = { b: {} }; a.b.c = a; return a })()', 'result.b.c is a cycle: it contains itself'],
  ['{ get x() { throw new Error("no") } }', 'reading result.x failed: no'],
  ['{ toJSON() { throw new Error("not me") } }', 'reading result failed: not me'],
  ['() => 1', 'result is a function'],
  ['new Proxy([], { get(t, k) { if (k === "then") return undefined; throw new Error("trap") } })', 'reading result failed: trap'],
])('the result %s is refused by name', (value, message) => {
  expect(run(`return ${value}`).ending).toMatchObject({ code: 'ERR_EXECUTE_RESULT_INVALID', message, hint: expect.any(String) });
});

test('shared references, toJSON, boxed primitives and errors are fine', () => {
  const { result } = run(
    'const s = { v: 1 }; return { a: s, b: [s, s], t: { toJSON: () => 5 }, n: new Number(3), e: new TypeError("bad") }',
  );
  expect(result).toEqual({ a: { v: 1 }, b: [{ v: 1 }, { v: 1 }], t: 5, n: 3, e: { name: 'TypeError', message: 'bad' } });
});

test('the key __proto__ and lone surrogates survive as data', () => {
  const { result } = run('return JSON.parse(\'{"__proto__":{"x":1}}\')');
  expect(Object.keys(result as object)).toEqual(['__proto__']);
  expect(run('return "\\ud800"').result).toBe('\ud800');
});

test('nesting is allowed to 200 levels and no deeper', () => {
  const nest = (depth: number): Run => run(`let v = 1; for (let i = 0; i < ${depth}; i++) v = [v]; return v`);
  expect(nest(200).ending?.status).toBe('completed');
  expect(nest(201).ending).toMatchObject({ code: 'ERR_EXECUTE_RESULT_INVALID', message: expect.stringContaining('deeper than 200') });
});

test('the result may be as large as its limit in UTF-8 and no larger', () => {
  const limits = { maxResultBytes: 100 };
  expect(run('return "é".repeat(49)', { limits }).ending?.status).toBe('completed');
  expect(run('return "é".repeat(49) + "x"', { limits }).ending).toMatchObject({ code: 'ERR_EXECUTE_RESULT_TOO_LARGE' });
  expect(run('let v = [1]; for (let i = 0; i < 60; i++) v = [v, v]; return v', { limits }).ending).toMatchObject({
    code: 'ERR_EXECUTE_RESULT_TOO_LARGE',
  });
});

test('a program that waits for nothing has no ending, no call and no timer', () => {
  expect(run('await new Promise(() => {})').status).toEqual({ running: 0, nextTimer: null, ending: null });
});

test('an open tool call is counted as running', () => {
  expect(run('await ampoule.callTool("s", "t")').status).toEqual({ running: 1, nextTimer: null, ending: null });
});

test('a rejection that nobody handles does not stop a program that completes', () => {
  expect(run('Promise.reject(new Error("alone")); (async () => { throw 1 })(); return 1').result).toBe(1);
});

test('what a timer or a microtask throws ends the run', () => {
  expect(run('setTimeout(() => { throw new Error("in timer") }, 5); await ampoule.sleep(50)').ending).toMatchObject({
    message: 'in timer',
  });
  expect(run('queueMicrotask(() => { throw new Error("in microtask") }); await ampoule.sleep(50)').ending).toMatchObject({
    message: 'in microtask',
  });
});

test.each([
  ['fetch("http://x")', 'fetch is not defined', /network/],
  ['globalThis.process.env.HOME', 'undefined', /process/],
  ['require("fs")', 'require is not defined', /import/],
  ['Buffer.from("x")', 'Buffer is not defined', /Uint8Array/],
  ['globalThis.fetch("x")', 'globalThis.fetch is not a function', /network/],
  ['new Worker("x")', 'Worker is not defined', /threads/],
])('%s says what to use instead', (code, message, hint) => {
  const { ending } = run(code);
  expect(ending?.message).toContain(message);
  expect(ending?.hint).toMatch(hint);
});

test('the state is given out only when it changed', () => {
  const state = '{ "n": 1, "list": [1] }';
  expect(run('return ampoule.getState().n', { state })).toMatchObject({ result: 1, state: '' });
  expect(run('ampoule.getState().list.push(2)', { state }).state).toBe('{"n":1,"list":[1,2]}');
  expect(run('const s = ampoule.getState(); s.n = 2; s.n = 1', { state }).state).toBe('');
  expect(run('ampoule.setState("__proto__", 1); ampoule.setState("n")', { state }).state).toBe('{"list":[1],"__proto__":1}');
  expect(run('return ampoule.getState() === ampoule.getState()', { state }).result).toBe(true);
});

test('a state that JSON cannot say or that is too large is refused', () => {
  expect(run('ampoule.getState().f = () => 1').ending).toMatchObject({
    code: 'ERR_EXECUTE_RESULT_INVALID',
    message: 'state.f is a function',
  });
  expect(run('ampoule.getState().toJSON = () => 5').ending).toMatchObject({ code: 'ERR_EXECUTE_RESULT_INVALID' });
  const limits = { maxStateBytes: 50 };
  expect(run('ampoule.setState("x", "y".repeat(50))', { limits }).ending).toMatchObject({ code: 'ERR_EXECUTE_RESULT_TOO_LARGE' });
});
