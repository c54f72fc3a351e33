import { inject } from 'vitest';
import { attack, SHORT } from './hostile.ts';

/** What is thrown, how deep a program can fall, and what its stack traces tell. Nothing of the host is in any of them. */
const { all } = attack();

const THROWN = 'ERR_EXECUTE_THROWN';
const STACK = 'ERR_EXECUTE_STACK';
const FUEL = 'ERR_EXECUTE_FUEL';
const DEEP = { limits: { fuel: 2_000_000_000, timeoutMs: 10_000 } };
/** All that can be read of an error, and whether any of it says more than places in the program. */
const TELLS = `const tells = (e) => [e.stack, ...Reflect.ownKeys(e).filter((k) => !/^(fileName|lineNumber|columnNumber|message|name)$/.test(String(k))).map((k) => String(e[k])), e.constructor?.name].filter((t) => typeof t === "string" && /wasm|node:|file:|input>|user\\.js|componentize|guest|\\.ts\\b|\\/[a-z]+\\//.test(t));`;

all([
  [
    'errors of every native and of the runtime show the program’s frames only',
    `${TELLS} const told = [];
    for (const f of [() => null.x, () => JSON.parse("{"), () => new RegExp("("), () => eval("("), () => decodeURIComponent("%"), () => "x".repeat(-1), () => new Array(-1), () => Symbol() + "", () => 1n + 1, () => new Date(NaN).toISOString(), () => new Proxy(1, 1),
      () => atob("*"), () => btoa("\\u0100"), () => structuredClone(() => 1), () => structuredClone(Symbol()), () => new URL("nope"), () => new TextDecoder("nope"), () => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])),
      () => AbortSignal.abort().throwIfAborted(), () => new AbortSignal(), () => new EventTarget().dispatchEvent({}), () => crypto.getRandomValues(1), () => crypto.getRandomValues(new Uint8Array(70000)), () => setTimeout(1), () => queueMicrotask(1), () => new Event(),
      () => ampoule.callTool(), () => ampoule.readFile(1), () => ampoule.readFile("no/x"), () => ampoule.setState(1), () => new ampoule.ToolError("x"), () => new DOMException("m", "AbortError").x.y, () => { throw new DOMException("m") }, () => new FinalizationRegistry(1)])
      try { await f(); told.push(String(f)) } catch (e) { if (!(e instanceof Error) || e.constructor.constructor !== Function) told.push("foreign " + f); told.push(...tells(e)) } return told`,
    { value: [] },
    DEEP,
  ],
  [
    'errors of the language’s Intl show the program’s frames only',
    `${TELLS} const told = []; for (const f of [() => new Intl.NumberFormat("x-x-x-"), () => new Intl.DateTimeFormat("en", { timeZone: "nowhere" }), () => "a".localeCompare("b", "-"), () => "x".normalize("q"), () => new Intl.Collator("en", { usage: "x" })])
      try { f(); told.push(String(f)) } catch (e) { told.push(...tells(e)) } return told`,
    { value: [] },
    { limits: { fuel: 30_000_000_000 } },
  ],
  ['an uncaught exception of the platform is told with its name', 'structuredClone(() => 1)', THROWN],
  [
    'prepareStackTrace is not asked, wherever it is put, and a limit changes nothing',
    `const asked = []; const spy = (...a) => { asked.push(a.length); return "mine" }; Error.prepareStackTrace = Object.prototype.prepareStackTrace = Function.prototype.prepareStackTrace = spy; Error.stackTraceLimit = 1000;
    let stack; try { null.x } catch (e) { stack = e.stack } try { structuredClone(() => 1) } catch (e) { stack += e.stack } delete Object.prototype.prepareStackTrace; return [asked, stack.includes("mine")]`,
    { value: [[], false] },
  ],
  [
    'a stack that the program wrote itself is not shown as one',
    'const e = new Error("x"); e.stack = "Error: x\\n    at f (/etc/passwd:1:1)"; throw e',
    THROWN,
  ],
  [
    'names of functions that look like places are left out',
    `const f = { ["x (file:///a.ts:1:1)\\n    at node:internal/x"]() { return new Error("q").stack } }; function g() { throw new Error("z") } Object.defineProperty(g, "name", { value: "a\\n    at b (<input>:5:5" });
    let s = Object.values(f)[0](); try { g() } catch (e) { s += e.stack; console.log(e) } return /file:|node:|input/.test(s)`,
    { value: false },
  ],
  [
    'names of functions that look like places are left out of what is uncaught',
    '({ ["x (/etc/passwd:1:1)"]() { throw new Error("q") } })["x (/etc/passwd:1:1)"]()',
    THROWN,
  ],
  [
    'captureStackTrace writes on what it is given and on nothing else',
    'const seen = []; for (const x of [{}, ampoule, Object.freeze({}), globalThis, 1, null]) try { Error.captureStackTrace(x); seen.push(typeof x.stack) } catch (e) { seen.push(e.name) } delete globalThis.stack; return seen.length',
    { value: 6 },
  ],
  [
    'evaluated text that claims to be another file',
    'const seen = []; for (const url of ["/etc/passwd", "file:///x.ts", "program.js", "node:fs"]) try { eval("throw new Error(1)\\n//# sourceURL=" + url) } catch (e) { seen.push(/passwd|file:|node:/.test(e.stack)) } return seen',
    { value: [false, false, false, false] },
  ],
  [
    'evaluated text whose place is past the end',
    'new Function("\\n".repeat(100000) + "throw new Error(1)\\n//# sourceURL=program.js")()',
    THROWN,
  ],
  // What is thrown.
  ['a revoked proxy thrown', 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy', THROWN],
  ['a revoked proxy of a function thrown', 'const { proxy, revoke } = Proxy.revocable(() => 1, {}); revoke(); throw proxy', THROWN],
  ['the global object thrown', 'throw globalThis', THROWN],
  ['the module thrown', 'throw ampoule', THROWN],
  [
    'an error with one of our codes thrown',
    'throw Object.assign(new Error("x"), { code: "ERR_INTERNAL", name: "SandboxError", status: "completed" })',
    THROWN,
  ],
  ['the words of an engine that ran out of memory, thrown by the program', 'throw new Error("out of memory")', THROWN],
  [
    'an error whose every member is a getter that recurses',
    'const deep = () => deep() + 1; throw Object.defineProperties(new Error(), Object.fromEntries(["name", "message", "code", "hint", "stack"].map((k) => [k, { get: deep }])))',
    [THROWN, FUEL],
    DEEP,
  ],
  ['an error with a cycle of causes', 'const e = new Error("a"); e.cause = e; console.log(e, [e]); throw e', THROWN],
  [
    'errors nested five thousand deep',
    'let e = new Error("x"); for (let i = 0; i < 5000; i++) e = new AggregateError([e], "n" + i, { cause: e }); console.log(e); throw e',
    THROWN,
    DEEP,
  ],
  ['a suppressed error', 'throw new SuppressedError(new Error("a"), new Error("b"), "c")', THROWN],
  [
    'an Error.prototype whose parent throws',
    'Object.setPrototypeOf(Error.prototype, new Proxy({}, { get() { throw 1 } })); delete Error.prototype.message; delete Error.prototype.name; throw new Error()',
    THROWN,
  ],
  [
    'two throws at once are one ending, the first',
    'queueMicrotask(() => { throw new Error("first") }); setTimeout(() => { throw new Error("third") }, 0); throw new TypeError("second")',
    THROWN,
  ],
  [
    'a throw in a timer while the program waits',
    'setTimeout(() => { throw { message: "m", code: "ERR_INTERNAL" } }, 1); await new Promise(() => 0)',
    THROWN,
  ],
  // How deep.
  [
    'the error of a full stack is one of the program’s own realm, and tells no more than others',
    `${TELLS} const f = () => f() + 1; try { f() } catch (e) { return [e instanceof Error, e.constructor.constructor === Function, tells(e)] }`,
    { value: [true, true, []] },
    DEEP,
  ],
  [
    'a listener that dispatches its own event again',
    'const t = new EventTarget(); t.addEventListener("x", () => t.dispatchEvent(new Event("x"))); t.dispatchEvent(new Event("x"))',
    STACK,
    DEEP,
  ],
  [
    'a getter of arguments that recurses through the runtime',
    'const o = { get x() { ampoule.callTool("s", "t", o); return 1 } }; o.x; return 1',
    [STACK, THROWN, FUEL, 'completed'],
    DEEP,
  ],
  [
    'a full stack under the host’s functions shows no other realm, and leaves the runtime at work',
    `const uses = [() => ampoule.getState(), () => console.log({ a: [1] }), () => ampoule.log("info", "x"), () => ampoule.callTool("s", "t").catch(bad), () => ampoule.readFile("no/x").catch(bad)];
    const foreign = []; const bad = (x) => { if (typeof x === "object" && (!(x instanceof Error) || x.constructor.constructor !== Function)) foreign.push(String(x)) };
    for (const use of uses) { let left = ${inject('engineKind') === 'quickjs' ? 1 : 300}; const fall = () => { try { fall() } catch (e) { bad(e); if (left-- > 0) try { use() } catch (x) { bad(x) } throw e } }; try { fall() } catch {} }
    await ampoule.sleep(1); return [foreign, await ampoule.callTool("s", "t", { a: 1 })]`,
    { value: [[], { a: 1 }] },
    { limits: { fuel: 60_000_000_000, timeoutMs: 15_000, maxToolCalls: 1_000 } },
  ],
  [
    'microtasks made at the end of the stack run',
    'let n = 0, made = 0; const f = () => { try { f() } catch (e) { if (made++ < 20) queueMicrotask(() => n++); throw e } }; try { f() } catch {} await ampoule.sleep(1); return n > 0',
    { value: true },
    { limits: { fuel: 30_000_000_000 } },
  ],
  [
    'proxies all the way down',
    'let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x ?? null',
    [STACK, THROWN, FUEL, inject('engineKind') === 'quickjs' ? 'ERR_EXECUTE_ENGINE' : STACK, 'completed'],
    SHORT,
  ],
]);
