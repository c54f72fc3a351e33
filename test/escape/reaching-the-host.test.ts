import { inject, expect, test } from 'vitest';
import { resultOf, runBody } from '../support/executor.ts';
import { attack, expectNothingLeaked } from './hostile.ts';

/** Programs that try to reach what is outside of them: the host, the runtime, another realm. */
const { executor, all } = attack();

const THROWN = 'ERR_EXECUTE_THROWN';

all([
  [
    'the constructor chain leads to the guest realm only',
    'const F = (() => {}).constructor.constructor; return [F("return typeof process")(), F("return this === globalThis")()]',
    { value: ['undefined', true] },
  ],
  [
    'constructors of async and generator functions compile guest code only',
    `const kinds = [async () => {}, function* () {}, async function* () {}];
    return kinds.map((f) => { const C = f.constructor; const made = new C("return typeof process + typeof require + typeof WebAssembly"); return typeof made; })`,
    { value: ['function', 'function', 'function'] },
  ],
  [
    'an async function from its constructor sees no host',
    'const C = (async () => {}).constructor; return new C("return typeof process + typeof require + typeof WebAssembly")()',
    { value: 'undefinedundefinedundefined' },
  ],
  [
    'no global of a host is there',
    'return ["process","require","module","fetch","WebAssembly","SharedArrayBuffer","Atomics","Worker","Deno","Bun","importScripts","self","global","window","InternalError","print","gc","quit","load","os"].filter((n) => typeof globalThis[n] !== "undefined")',
    { value: [] },
  ],
  ['eval is the guest eval', 'return (0, eval)("typeof process + (this === globalThis)")', { value: 'undefinedtrue' }],
  [
    'an import() in eval ends in a code',
    'return (await eval("import(\\"fs\\")")).toString()',
    [THROWN, 'ERR_EXECUTE_ENGINE', 'ERR_EXECUTE_NEVER_SETTLES'],
  ],
  [
    'an import() in new Function ends in a code',
    'return new Function("return import(\\"node:fs\\")")()',
    [THROWN, 'ERR_EXECUTE_ENGINE', 'ERR_EXECUTE_NEVER_SETTLES'],
  ],
  [
    'an import() of the host interface ends in a code',
    'return Object.keys(await eval("import(\\"ampoule:sandbox/host\\")"))',
    [THROWN, 'ERR_EXECUTE_ENGINE', 'ERR_EXECUTE_NEVER_SETTLES'],
  ],
  ['import.meta does not compile', 'return eval("import.meta")', THROWN],
  ['the script cannot be broken out of by closing it', 'return eval("}); globalThis.leak = 1; (() => {")', THROWN],
  [
    'the stack of a thrown error shows the program only',
    'function f() { throw new Error("x") } try { f() } catch (e) { return e.stack.split("\\n").slice(1).every((l) => l.includes("program.js")) }',
    { value: true },
  ],
  [
    'the stack of a stack overflow shows the program only',
    'const f = () => f() + 1; try { f() } catch (e) { return /program\\.js/.test(e.stack) && !/\\/|wasm/.test(e.stack.replaceAll("program.js", "")) }',
    { value: true },
    {},
  ],
  [
    'the stack of an error in a runtime callback shows the program only',
    'let s; setTimeout(() => { s = new Error().stack }, 0); await ampoule.sleep(5); return s.split("\\n").slice(1).every((l) => l.includes("program.js"))',
    { value: true },
  ],
  [
    'properties of an error name no file of the host',
    'const e = new Error("x"); return [e.fileName, e.sourceURL].filter((x) => x && /[/\\\\]|wasm/.test(x))',
    { value: [] },
  ],
  [
    'captureStackTrace and prepareStackTrace show the program only',
    'Error.prepareStackTrace = (_, frames) => frames; const o = {}; Error.captureStackTrace(o); return typeof o.stack',
    { value: 'string' },
  ],
  [
    'the caller of a function is not to be had',
    'function f() { return f.caller } try { return f() === null || f() === undefined } catch { return true }',
    { value: true },
  ],
  [
    'arguments.callee.caller is not to be had',
    'function f() { try { return arguments.callee.caller } catch { return null } } return f() ?? null',
    { value: null },
  ],
  ['a thenable as result is followed and no more', 'return { then(resolve) { resolve({ then(r) { r(7) } }) } }', { value: 7 }],
  ['a thenable whose then is a getter that throws ends in a code', 'return { get then() { throw new Error("t") } }', THROWN],
  ['a thenable that resolves twice and throws is its first value', 'return { then(a, b) { a(1); a(2); b(3); throw 4 } }', { value: 1 }],
  [
    'a proxy as result hears nothing but reads',
    'const seen = new Set(); return [await new Proxy({ a: 1 }, new Proxy({}, { get: (_, trap) => { seen.add(trap); return undefined } })), [...seen].includes("construct")]',
    { value: [{ a: 1 }, false] },
  ],
  [
    'a proxy with traps that throw ends in a code',
    'return new Proxy({}, { ownKeys() { throw new Error("trap") } })',
    'ERR_EXECUTE_RESULT_INVALID',
  ],
  [
    'a revoked proxy ends in a code',
    'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return { proxy }',
    'ERR_EXECUTE_RESULT_INVALID',
  ],
  [
    'a species that is not a constructor ends in a code',
    'class A extends Array { static get [Symbol.species]() { return 1 } } return new A(1, 2, 3).map((x) => x)',
    THROWN,
  ],
  [
    'a promise species that is no promise ends its own run only',
    'Object.defineProperty(Promise, Symbol.species, { get() { globalThis.leak = 1; return Object } }); return ampoule.callTool("s", "t", { a: 1 })',
    [THROWN, 'completed'],
  ],
  [
    'a redefined then does not see tool answers',
    'const seen = []; const then = Promise.prototype.then; Promise.prototype.then = function (...a) { seen.push(1); return then.apply(this, a) }; const r = await ampoule.callTool("s", "t", { a: 1 }); return [r, seen.length]',
    { value: [{ a: 1 }, 0] },
  ],
  [
    'redefined JSON, Object and Reflect do not change a result',
    'JSON.stringify = () => "9"; JSON.parse = () => 9; Object.keys = () => []; Reflect.ownKeys = () => []; Array.isArray = () => true; return { a: [1] }',
    { value: { a: [1] } },
  ],
  [
    'redefined Map, String and Number methods do not stop the runtime',
    `for (const C of [Map, Set, WeakMap, String, Number, RegExp, Function, Array, Promise]) for (const k of Object.getOwnPropertyNames(C.prototype)) { try { if (k !== "constructor" && typeof C.prototype[k] === "function") C.prototype[k] = () => { throw 1 } } catch {} }
    console.log("x", { a: 1 }); return { ok: await ampoule.callTool("s", "t", { a: 1 }) }`,
    { value: { ok: { a: 1 } } },
  ],
  [
    'setters on Object.prototype hear nothing of the runtime',
    `const heard = []; for (const k of ["server", "tool", "code", "message", "resolve", "ok", "status", "then", "0", "length", "callback"]) Object.defineProperty(Object.prototype, k, { configurable: true, set(v) { heard.push(k) }, get() { return undefined } });
    const r = await ampoule.callTool("s", "t", { a: 1 }); setTimeout(() => {}, 1); console.log("x"); for (const k of Object.getOwnPropertyNames(Object.prototype)) if (["server","tool","code","message","resolve","ok","status","then","0","length","callback"].includes(k)) delete Object.prototype[k]; return [r, heard]`,
    { value: [{ a: 1 }, []] },
  ],
  [
    'setters on Array.prototype hear nothing of the runtime; where the engine itself uses them, the run ends',
    'const heard = []; for (const k of [0, 1, 2]) Object.defineProperty(Array.prototype, k, { configurable: true, set(v) { heard.push(v) } }); setTimeout(() => {}, 0); console.log("x", { a: 1 }); await ampoule.callTool("s", "t", {}); for (const k of [0, 1, 2]) delete Array.prototype[k]; return heard.length',
    inject('engineKind') === 'quickjs' ? ['ERR_EXECUTE_THROWN', 'ERR_EXECUTE_ENGINE'] : { value: 0 },
  ],
  [
    'an error that was made to be a ToolError has no power',
    'try { await ampoule.callTool("", "") } catch (e) { try { e.constructor.prototype.toString = 1 } catch {} return [e.name, Object.isFrozen(e.constructor)] }',
    { value: ['ToolError', true] },
  ],
  [
    'the module object does not lead out',
    'return Object.values(ampoule).every((f) => typeof f !== "function" || f.constructor("return typeof process").constructor === f.constructor)',
    { value: true },
  ],
  [
    'bytes do not lead to another realm',
    'const b = new Uint8Array(4).buffer; return [b.constructor === ArrayBuffer, Object.getPrototypeOf(b) === ArrayBuffer.prototype]',
    { value: [true, true] },
  ],
  [
    'defining globals anew ends nothing',
    'for (const k of Object.getOwnPropertyNames(globalThis)) { try { globalThis[k] = undefined } catch {} } return 3',
    { value: 3 },
  ],
  [
    'deleting all globals ends nothing',
    'for (const k of Object.getOwnPropertyNames(globalThis)) { try { delete globalThis[k] } catch {} } return 3',
    { value: 3 },
  ],
  [
    'freezing what the runtime may write to ends nothing',
    'const O = Object; O.freeze(O.prototype); O.freeze(Array.prototype); O.freeze(globalThis); console.log("x"); return ampoule.callTool("s", "t", { a: 1 })',
    { value: { a: 1 } },
  ],
  [
    'a finalization registry hears nothing of others',
    'let n = 0; const r = new FinalizationRegistry(() => n++); for (let i = 0; i < 1e4; i++) r.register({}, i); await ampoule.sleep(1); return n >= 0',
    { value: true },
  ],
]);

test.each([
  [
    '__proto__ and constructor as members of arguments stay data',
    '{ ["__proto__"]: { x: 1 }, constructor: 2, toString: 3 }',
    '{"__proto__":{"x":1},"constructor":2,"toString":3}',
  ],
  ['lone surrogates in arguments are escaped', '{ s: "\\ud800" }', '{"s":"\\ud800"}'],
  ['toJSON in arguments is asked once and its value is data', '{ toJSON() { return { a: 1 } } }', '{"a":1}'],
  ['members that JSON leaves out are left out', '{ a: undefined, b: null }', '{"b":null}'],
])('%s', async (_what, args, expected) => {
  const seen: string[] = [];
  const outcome = await runBody(executor(), `await ampoule.callTool("s", "t", ${args}); return ({}).x ?? null`, {
    onCall: (call) => {
      seen.push(call.arguments);
      return Promise.resolve({ ok: true, value: '1' });
    },
  });
  expect([resultOf(outcome), seen]).toEqual([null, [expected]]);
});

test.each([
  ['a cycle', 'const a = {}; a.a = a; return a'],
  ['a BigInt', 'return { n: 1n }'],
  ['a function', 'return { f() {} }'],
  ['a list', 'return [1]'],
  ['a text', 'return "{}"'],
  ['null', 'return null'],
  ['what a toJSON makes no object', 'return { toJSON: () => 1 }'],
  ['a getter that throws', 'return { get x() { throw new Error("g") } }'],
  ['a proxy that throws', 'return new Proxy({}, { ownKeys() { throw 1 } })'],
  ['nesting of a thousand levels', 'let o = {}; for (let i = 0; i < 1000; i++) o = { o }; return o'],
  ['two megabytes', 'return { s: "x".repeat(2e6) }'],
  ['an endless array-like', 'return { a: new Proxy([], { get: (t, k) => k === "length" ? 1e15 : "x".repeat(10000) }) }'],
])('%s as arguments is a rejected promise, and no call goes out', async (_what, make) => {
  let calls = 0;
  const body = `try { await ampoule.callTool("s", "t", (() => { ${make} })()); return "sent" } catch (e) { return e.code }`;
  const outcome = await runBody(executor(), body, {
    limits: { fuel: 3_000_000_000 },
    onCall: () => (calls++, Promise.resolve({ ok: true, value: '1' })),
  });
  expectNothingLeaked(outcome);
  expect([resultOf(outcome), calls]).toEqual(['ERR_CALL_ARGUMENTS', 0]);
});

test.each(['undefined', 'null', '1', '""', '{}', '[]', 'Symbol("s")', '1n', '"x".repeat(257)', '() => 1'])(
  '%s as the name of a server or tool is a rejected promise',
  async (name) => {
    const body = `const codes = []; for (const names of [[${name}, "t"], ["s", ${name}]]) try { await ampoule.callTool(...names) } catch (e) { codes.push(e.code) } return codes`;
    expect(resultOf(await runBody(executor(), body))).toEqual(['ERR_CALL_ARGUMENTS', 'ERR_CALL_ARGUMENTS']);
  },
);

test('names with control characters or such as every object has reach the gateway as they are', async () => {
  const names = ['constructor', '__proto__', 'toString', 'a\nb', '\u0000', '../x', '\u202e', '😀'];
  const seen: string[][] = [];
  await runBody(executor(), `for (const n of ${JSON.stringify(names)}) await ampoule.callTool(n, n)`, {
    onCall: ({ server, tool }) => {
      seen.push([server, tool]);
      return Promise.resolve({ ok: true, value: 'null' });
    },
  });
  expect(seen).toEqual(names.map((name) => [name, name]));
});
