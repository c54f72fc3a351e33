import { inject } from 'vitest';
import { attack, SHORT } from './hostile.ts';

/**
 * Ways to whatever is behind the program: through constructors, prototypes, evaluated text, species, proxies, thenables, and intrinsics
 * that the runtime could be using.
 */
const { all } = attack();

const THROWN = 'ERR_EXECUTE_THROWN';
const EVALUATED = 'evaluated text cannot contain "import"; import at the top of the program instead';
/** Calls a tool, reads a file that is not there and logs, and tells what came of it. */
const USE = `const used = [await ampoule.callTool("s", "t", { a: [1] })]; console.log("x", { a: 1 }, [1]);
  try { await ampoule.callTool("", "") } catch (e) { used[1] = e.code } try { await ampoule.readFile("no/x") } catch (e) { used[2] = e.code }
  await ampoule.sleep(1); used[3] = new Date().getTime() > 0;`;
const USED = [{ a: [1] }, 'ERR_CALL_ARGUMENTS', 'ERR_FILE_NOT_FOUND', true];
const OWN = 'Object.getOwnPropertyNames';

all([
  // Constructors and evaluated text.
  [
    'every constructor of functions is the guarded one, also by way of prototypes',
    `const kinds = [async () => 1, function* () {}, async function* () {}, () => 1, class {}, eval, console.log, ampoule.callTool];
    return kinds.map((f) => { for (let o = f; o; o = Object.getPrototypeOf(o)) if (Object.hasOwn(o, "constructor") && o.constructor !== Object) try { o.constructor("im" + "port('x')") ; return f.name } catch (e) { if (e.name !== "SyntaxError" && e.name !== "TypeError") return e.name } return 0 }).filter(Boolean)`,
    { value: [] },
  ],
  [
    'import in a comment of evaluated text',
    'try { new Function("/* im" + "port */") } catch (e) { return e.message }',
    { value: EVALUATED },
  ],
  ['import in a parameter', 'try { new Function("a = im" + "port(1)", "") } catch (e) { return e.message }', { value: EVALUATED }],
  [
    'import with an escape, in every form of evaluated text',
    `const made = []; const A = (async () => 1).constructor, G = (function* () {}).constructor, R = Reflect.construct;
    for (const make of [() => eval("im\\\\u0070ort('x')"), () => eval("im\\\\u{70}ort('x')"), () => new Function("return im\\\\u0070ort('x')")(), () => new A("im\\\\u{0070}ort('x')")(), () => new G("yield im\\\\u0070ort('x')"), () => R(Function, ["im\\\\u0070ort('x')"], A)])
      try { make(); made.push("made") } catch (e) { made.push(e.name) } return made`,
    { value: ['SyntaxError', 'SyntaxError', 'SyntaxError', 'SyntaxError', 'SyntaxError', 'SyntaxError'] },
  ],
  [
    'a text that reads differently the second time',
    'let n = 0; const two = { toString: () => (n++ ? "im" + "port(1)" : "return 5") }; return [new Function(two)(), n]',
    { value: [5, 1] },
  ],
  ['import put together from two parameters', 'return new Function("im", "port", "return 1")()', { value: 1 }],
  ['import.meta in evaluated text', 'try { eval("im" + "port.meta") } catch (e) { return e.message }', { value: EVALUATED }],
  ['a text for a timer', 'try { setTimeout("globalThis.leak = 1", 0) } catch (e) { return e.name }', { value: 'TypeError' }],
  [
    'what must not be there is not there under any name',
    'return ["WebAssembly", "SharedArrayBuffer", "Atomics", "Worker", "process", "require", "fetch", "ShadowRealm", "Deno", "Bun", "std", "os", "print", "load", "gc", "InternalError", "navigator", "self", "global", "importScripts", "__loadScript"].filter((n) => { try { return eval("typeof " + n) !== "undefined" || Function("return typeof " + n)() !== "undefined" } catch { return false } })',
    { value: [] },
  ],
  [
    'memory that grows is no way to shared memory or WebAssembly',
    'const b = new ArrayBuffer(8, { maxByteLength: 64 }); return [String(b), b.growable ?? null, typeof b.constructor.prototype.grow, Object.prototype.toString.call(structuredClone(b))]',
    { value: ['[object ArrayBuffer]', null, 'undefined', '[object ArrayBuffer]'] },
  ],
  [
    'a buffer of memory that may grow is sealed from all other memory',
    'const b = new ArrayBuffer(4096, { maxByteLength: 8192 }); const u = new Uint32Array(b); let n = 0; u.sort(() => { if (n++ === 3) b.resize(8); return -1 }); const v = new Uint8Array(b, 4); b.resize(2); return [u.length, v.length, v[0] ?? null]',
    { value: [0, 0, null] },
  ],
  // What functions know of their callers.
  [
    'callers and arguments of the runtime are not to be had, not even by sloppy code',
    `const spy = new Function("try { const a = arguments.callee.caller; globalThis.got = typeof a + (a ? a.name : '') } catch (e) { globalThis.got = e.name } return 1");
    const got = []; const see = () => { got.push(["undefined", "objectnull", "object", "TypeError"].includes(globalThis.got) ? 0 : globalThis.got) };
    const o = {}; Object.defineProperty(o, "x", { enumerable: true, get: spy }); await ampoule.callTool("s", "t", o); see();
    queueMicrotask(spy); await ampoule.sleep(1); see(); setTimeout(spy, 0); await ampoule.sleep(2); see(); structuredClone(o); see();
    for (const f of [console.log, ampoule.callTool, setTimeout]) for (const k of ["caller", "arguments"]) try { if (f[k]) got.push(k) } catch {} return got.filter(Boolean)`,
    { value: [] },
  ],
  ['the program has no arguments of the function around it', 'return typeof eval("typeof arguments")', { value: 'string' }],
  // Redefined intrinsics.
  [
    'a getter called "get" on every object',
    `Object.defineProperty(Object.prototype, "get", { configurable: true, get() { return () => 666 }, set() {} }); ${USE} delete Object.prototype.get; return used`,
    { value: USED },
  ],
  [
    'members of descriptors and iteration on every object',
    `const keys = ["value", "writable", "enumerable", "configurable", "done", "next", "return", "throw", "error", "ok", "problem", "status"]; for (const k of keys) Object.prototype[k] = 1; ${USE} for (const k of keys) delete Object.prototype[k]; return used`,
    { value: USED },
  ],
  [
    'every method of functions replaced',
    `Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw new Error("mine") }; ${USE} return used`,
    { value: USED },
  ],
  [
    'every method of regular expressions replaced',
    `RegExp.prototype.exec = () => ({ 0: "x", 1: "y", index: 0 }); for (const k of ["match", "replace", "split", "search", "matchAll"]) RegExp.prototype[Symbol[k]] = () => { throw 1 };
    for (const k of ["flags", "global", "sticky", "source"]) Object.defineProperty(RegExp.prototype, k, { get() { throw 2 } }); ${USE} return used`,
    { value: USED },
  ],
  [
    'every method of maps, sets and texts replaced',
    `for (const C of [Map, Set, WeakMap, WeakSet, String, Number, Array, Symbol, Boolean]) for (const k of ${OWN}(C.prototype)) try { if (k !== "constructor" && typeof C.prototype[k] === "function") C.prototype[k] = () => { throw new Error("mine") } } catch {} ${USE} return used`,
    { value: USED },
  ],
  [
    'every static of Object, Reflect, JSON, Math, Promise and Symbol gone',
    `for (const O of [Reflect, JSON, Math, Object, Promise, Array, Number, String, Symbol]) for (const k of ["ownKeys", "defineProperty", "keys", "getPrototypeOf", "apply", "construct", "parse", "stringify", "floor", "resolve", "reject", "all", "withResolvers", "isArray", "iterator", "isInteger", "freeze", "hasOwn"]) try { delete O[k] } catch {} ${USE} return used`,
    { value: USED },
  ],
  [
    'iterators that end at once or never',
    `Array.prototype[Symbol.iterator] = function* () { yield "evil" }; Object.getPrototypeOf(new Map().entries()).next = () => ({ done: false }); ${USE} return used`,
    { value: USED },
  ],
  [
    'generators that throw',
    `const G = Object.getPrototypeOf(Object.getPrototypeOf(function* () {}())); G.next = G.return = G.throw = () => { throw new Error("g") }; ${USE} return used`,
    { value: USED },
  ],
  [
    'prototypes cut off',
    `for (const C of [Array, Promise, Error, Map]) Object.setPrototypeOf(C.prototype, null); ${USE} return used`,
    { value: USED },
  ],
  [
    'prototypes that are proxies whose every trap throws',
    `const evil = new Proxy({}, { get() { throw new Error("p") }, has() { throw new Error("h") }, set() { throw new Error("s") } }); for (const C of [Array, Function, Promise]) Object.setPrototypeOf(C.prototype, evil); console.log("x"); return await ampoule.callTool("s", "t", { a: 1 })`,
    { value: { a: 1 } },
  ],
  [
    'a hasInstance that says yes to everything makes no refusal of a value',
    'Object.defineProperty(Error, Symbol.hasInstance, { value: () => true }); try { Object.defineProperty(Object, Symbol.hasInstance, { value: () => true }) } catch {} return { a: 1n }',
    'ERR_EXECUTE_RESULT_INVALID',
  ],
  [
    'a toPrimitive on every object',
    'Object.prototype[Symbol.toPrimitive] = () => { throw new Error("mine") }; console.log("%d %s", {}, {}); return await ampoule.callTool("s", "t", { a: 1 })',
    { value: { a: 1 } },
  ],
  // Promises, thenables, species.
  [
    'a constructor of promises that throws or forges',
    `Promise.prototype.constructor = function () { throw new Error("mine") }; const one = await ampoule.callTool("s", "t", { a: 1 }); Object.defineProperty(Promise.prototype, "constructor", { configurable: true, get: () => undefined }); return [one, await ampoule.callTool("s", "t", { a: 2 })]`,
    { value: [{ a: 1 }, { a: 2 }] },
  ],
  [
    'a "then" on every object ends only what the program itself awaits',
    'Object.prototype.then = (r) => r("forged"); const got = await ampoule.callTool("s", "t", { a: 1 }); delete Object.prototype.then; return [got, await ampoule.callTool("s", "t", { a: 2 })]',
    { value: ['forged', { a: 2 }] },
  ],
  [
    'a "then" on every object that never calls back is told from waiting',
    'Object.prototype.then = () => 0; return { a: 1 }',
    'ERR_EXECUTE_NEVER_SETTLES',
    SHORT,
  ],
  ['a thenable that resolves with itself', 'const t = { then(r) { r(t) } }; return t', 'ERR_EXECUTE_FUEL'],
  [
    'a getter "then" that changes its mind',
    'let n = 0; return { get then() { return n++ ? undefined : (r) => r({ n }) } }',
    { value: { n: 1 } },
  ],
  [
    'species of typed arrays that are shorter, or lose their memory',
    `class Short extends Uint8Array { static get [Symbol.species]() { return function () { return new Uint8Array(1) } } }
    class Gone extends Uint8Array { static get [Symbol.species]() { return function (n) { const x = new Uint8Array(n); structuredClone(x.buffer, { transfer: [x.buffer] }); return x } } }
    const seen = []; for (const f of [() => new Short(100).slice(0, 50), () => new Gone(100).map((x) => x), () => new Gone(9).subarray(1, 3)]) try { seen.push(f().length) } catch (e) { seen.push(e.name) } return seen.every((s) => s === "TypeError" || s <= 100)`,
    { value: true },
  ],
  [
    'a species of arrays that is a proxy',
    'class A extends Array { static get [Symbol.species]() { return function () { return new Proxy([], { defineProperty: () => true }) } } } return new A(1, 2, 3).map((x) => x).length',
    { value: 0 },
  ],
  // Proxies.
  [
    'a proxy as arguments that shows other keys each time is one consistent text',
    'let n = 0; const p = new Proxy({ a: 1, b: 2 }, { ownKeys: () => (n++ ? ["a", "b"] : ["a"]) }); const r = await ampoule.callTool("s", "t", p); return r.a === 1 && Object.keys(r).length <= 2',
    { value: true },
  ],
  [
    'a proxy of an array that claims another length',
    'const a = Object.defineProperty([1, 2, 3], "length", { writable: false }); return await ampoule.callTool("s", "t", { a: new Proxy(a, { get: (t, k) => (k === "length" ? 1e9 : t[k]) }) }).catch((e) => e.code)',
    { value: 'ERR_CALL_ARGUMENTS' },
  ],
  [
    'a proxy of the module, of the global object and of an error',
    'const p = new Proxy(ampoule, { get: () => () => "forged" }); let name; try { p.callTool } catch (e) { name = e.name } console.log(new Proxy(globalThis, {}), new Proxy(new Error("x"), { get() { throw 1 } })); return [name, await ampoule.callTool("s", "t", { a: 1 })]',
    { value: ['TypeError', { a: 1 }] },
  ],
  // Forged tool calls and errors.
  [
    'setters for the members of an error of a tool hear nothing',
    'for (const k of ["code", "server", "tool", "hint", "content", "name", "message"]) Object.defineProperty(Error.prototype, k, { configurable: true, set() { globalThis.heard = k }, get: () => "forged" }); try { await ampoule.callTool("", "") } catch (e) { return [e.code, e.server, typeof heard] }',
    { value: ['ERR_CALL_ARGUMENTS', '', 'undefined'] },
  ],
  [
    'a ToolError of the program is the program’s own error',
    'throw new ampoule.ToolError("m", { code: "ERR_INTERNAL", server: "s", tool: "t", hint: "h", content: [] })',
    THROWN,
  ],
  [
    'the class of tool errors cannot be given another parent',
    'try { Object.setPrototypeOf(ampoule.ToolError, class { constructor() { return { evil: 1 } } }) } catch (e) { return e.name }',
    { value: 'TypeError' },
  ],
  [
    'names that are objects with a toString name no tool',
    'return await Promise.all([{ toString: () => "s" }, new String("s"), ["s"]].map((n) => ampoule.callTool(n, "t").catch((e) => e.code)))',
    { value: ['ERR_CALL_ARGUMENTS', 'ERR_CALL_ARGUMENTS', 'ERR_CALL_ARGUMENTS'] },
  ],
  [
    'arguments are read once, and that is what is sent',
    'let n = 0; return await ampoule.callTool("s", "t", { get a() { return n++ } }).then((r) => r.a === n - 1)',
    { value: true },
  ],
  [
    'the way back into the runtime of one engine ends the run of who takes it',
    'if (!globalThis.__cqjs) return "none"; globalThis.__cqjs.asyncExports.resume(5, [1], [\'{"ok":"forged"}\']); return "went on"',
    inject('engineKind') === 'quickjs' ? 'ERR_EXECUTE_ENGINE' : { value: 'none' },
  ],
  // Exotic values for natives.
  [
    'natives of the platform refuse views that lie',
    `class Liar extends Uint8Array { get length() { return 1e9 } get byteLength() { return 1e9 } get buffer() { return new ArrayBuffer(1) } } const seen = [];
    for (const f of [() => crypto.getRandomValues(new Liar(4)).at(0) >= 0, () => new TextDecoder().decode({ __proto__: Uint8Array.prototype, byteLength: 1e9, byteOffset: 0, buffer: new ArrayBuffer(1) }), () => new TextEncoder().encodeInto("\\u{1F600}".repeat(9), new Uint8Array(7)).written]) try { seen.push(f()) } catch (e) { seen.push(e.name) } return seen`,
    { value: [true, 'TypeError', 4] },
  ],
  [
    'natives of the platform take views whose memory is gone, or grew',
    'const gone = new Uint8Array(8); structuredClone(gone.buffer, { transfer: [gone.buffer] }); const b = new ArrayBuffer(8, { maxByteLength: 99 }); const grown = new Uint8Array(b); b.resize(50); crypto.getRandomValues(grown); return [new TextDecoder().decode(gone), grown.length, (() => { try { crypto.getRandomValues(gone); return "TypeError" } catch (e) { return e.name } })()]',
    { value: ['', 50, 'TypeError'] },
  ],
]);
