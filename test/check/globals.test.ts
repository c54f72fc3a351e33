import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { languageTypes } from '../../src/check/compiler-libs.ts';
import { typescriptFolder } from '../../src/check/type-server.ts';
import { readDeclarations } from './declared.ts';
import { CATALOG, openChecker, shown, SIGNAL, wrappersOf } from './fixture.ts';

const wrappers = await wrappersOf(CATALOG);
const checker = openChecker();
afterAll(() => checker.close());

test('every global of a guest is known with its type', async () => {
  const code = `
const url = new URL("https://a.b/c?d=e"); url.searchParams.append("x", url.hostname);
const bytes: Uint8Array = new TextEncoder().encode("a"); const text: string = new TextDecoder().decode(bytes);
const copy: { a: number } = structuredClone({ a: 1 }); const id: string = crypto.randomUUID(); crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>);
const timer: number = setTimeout(() => undefined, 1); clearTimeout(timer); queueMicrotask(() => undefined);
console.log(text, copy.a, id, atob(btoa("a")), performance.now().toFixed());
const controller = new AbortController(); controller.abort(); AbortSignal.timeout(1).throwIfAborted();
new EventTarget().addEventListener("a", () => undefined); new DOMException("a", "b").code.toFixed();
return controller.signal.aborted;`;
  expect(shown(await checker.check({ code, wrappers }, SIGNAL))).toEqual([]);
});

test('the language is what the engine has', async () => {
  const code = `
const groups = Object.groupBy([1, 2], (n) => (n > 1 ? "a" : "b"));
const union = new Set([1]).union(new Set([2])); const evens = [1, 2].values().filter((n) => n % 2 === 0).toArray();
const list = await Array.fromAsync([1]); const tried = await Promise.try(() => 1); const { resolve } = Promise.withResolvers<number>(); resolve(1);
return { groups, size: union.size, evens, list, tried, escaped: RegExp.escape("a"), sorted: [2, 1].toSorted(), last: [1].at(-1), day: new Date().toLocaleDateString("en") };`;
  expect(shown(await checker.check({ code, wrappers }, SIGNAL))).toEqual([]);
});

test.each([
  ['fetch("x")', 'call a tool of a server'],
  ['new XMLHttpRequest()', 'call a tool of a server'],
  ['process.env.HOME', 'pass values as `input`'],
  ['require("fs")', 'Write `import'],
  ['module.exports', 'Write `import'],
  ['Buffer.from("a")', 'Uint8Array'],
  ['window.alert(1)', 'There is no browser'],
  ['document.body', 'There is no browser'],
  ['globalThis.fetch("x")', 'call a tool of a server'],
  ['globalThis.process', 'pass values as `input`'],
  ['localStorage.getItem("a")', 'getState'],
  ['new Worker("a")', 'Promise.all'],
  ['__dirname', 'readFile'],
  ['new ReadableStream()', 'There are no streams'],
  ['new URLPattern("/:id")', 'Use `URL`'],
  ['new SharedArrayBuffer(1)', 'There is no shared memory'],
  ['Deno.readFile("a")', 'There is no process'],
  ['sleep(1)', 'import { sleep } from "ampoule"'],
])('%s does not exist, and the message says what does', async (code, advice) => {
  const found = shown(await checker.check({ code: `return ${code};`, wrappers }, SIGNAL));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(advice);
  expect(found[0]).not.toMatch(/npm i|tsconfig|target library/u);
});

test("a name of the agent itself is nobody else's", async () => {
  const code =
    'const process = { env: { A: 1 } };\nfunction fetch(n: number) { return n; }\nconst name = "x";\nreturn [process.env.A, fetch(1), name];';
  expect(shown(await checker.check({ code, wrappers }, SIGNAL))).toEqual([]);
});

test('what one program declares globally is unknown to the next', async () => {
  await checker.check({ code: 'declare global { var leaked: number; interface Array<T> { leak: T } }\nreturn leaked;', wrappers }, SIGNAL);
  const found = shown(await checker.check({ code: 'return [leaked, [1].leak];', wrappers }, SIGNAL));
  expect(found).toHaveLength(2);
});

/** As `test/pins/execute.test.ts` has them, and `Temporal`, which programs get that name it. */
const NAMES = `AbortController AbortSignal AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array
  Boolean CustomEvent DOMException DataView Date DisposableStack Error EvalError Event EventTarget FinalizationRegistry Float16Array
  Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy
  RangeError ReferenceError Reflect RegExp Set String SuppressedError Symbol SyntaxError Temporal TextDecoder TextEncoder TypeError URIError
  URL URLSearchParams Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet atob btoa clearImmediate
  clearInterval clearTimeout console crypto decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite
  isNaN parseFloat parseInt performance queueMicrotask setImmediate setInterval setTimeout structuredClone undefined unescape`.split(/\s+/);

test('every name of a guest is known, and TypeScript declares no other', async () => {
  expect(shown(await checker.check({ code: `return [${NAMES.join(', ')}];`, wrappers }, SIGNAL))).toEqual([]);
  const { script, modules } = languageTypes(typescriptFolder(), 'quickjs');
  const own = readFileSync(new URL('../../host-functions/guest/globals.d.ts', import.meta.url), 'utf8');
  const { values } = readDeclarations([script, ...modules, own]);
  expect([...values].filter((name) => !NAMES.includes(name))).toEqual([]);
});
