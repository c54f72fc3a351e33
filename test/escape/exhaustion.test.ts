import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { codeOf, resultOf, runBody } from '../support/executor.ts';
import { attack, SHORT, type Hostile } from './hostile.ts';

/** Programs that take all that they can get: alone, in pairs and fifty at once. */
const { executor, all } = attack({ workers: 1 });

const FUEL = 'ERR_EXECUTE_FUEL';
const MEMORY = 'ERR_EXECUTE_MEMORY';
const THROWN = 'ERR_EXECUTE_THROWN';
const STACK = 'ERR_EXECUTE_STACK';
const OUT: readonly string[] = [FUEL, MEMORY, 'ERR_EXECUTE_ENGINE', THROWN];
const SMALL = { limits: { fuel: 1_000_000_000, timeoutMs: 5_000, waitMs: 500, memoryMb: 32 } };

const PROGRAMS: Hostile[] = [
  ['a loop', 'for (;;) {}', FUEL],
  ['a loop that catches everything', 'for (;;) { try { for (;;) {} } catch {} finally { continue } }', FUEL],
  [
    'a microtask flood',
    'const f = () => { Promise.resolve().then(f); Promise.resolve().then(f) }; f(); await new Promise(() => {})',
    OUT,
    SMALL,
  ],
  ['a queueMicrotask loop', 'const f = () => queueMicrotask(f); f(); await new Promise(() => {})', FUEL],
  ['a promise chain without end', 'let p = Promise.resolve(); for (;;) p = p.then(() => 1)', OUT, SMALL],
  [
    'promises that resolve to each other',
    'let a, b; const p = new Promise((r) => a = r), q = new Promise((r) => b = r); a(q); b(p); await p',
    'ERR_EXECUTE_NEVER_SETTLES',
  ],
  [
    'an interval of 0 for ever',
    'setInterval(() => {}, 0); await new Promise(() => {})',
    'ERR_EXECUTE_WAITING_TIME',
    { limits: { waitMs: 100 } },
  ],
  [
    'a timer that sets itself again for ever',
    'const f = () => setTimeout(f, 0); f(); await new Promise(() => {})',
    ['ERR_EXECUTE_WAITING_TIME', FUEL],
    { limits: { waitMs: 100, fuel: 1e9 } },
  ],
  [
    'a hundred thousand timers',
    'for (let i = 0; i < 1e5; i++) setTimeout(() => {}, 1e6 + (i * 7919) % 1000); await new Promise(() => {})',
    ['ERR_EXECUTE_WAITING_TIME', FUEL],
    { limits: { waitMs: 50, fuel: 3e9 } },
  ],
  ['timers set and cleared without end', 'for (;;) clearTimeout(setTimeout(() => {}, 1e6))', FUEL],
  ['a BigInt that doubles its digits', 'let n = 3n; for (;;) n *= n', OUT, SMALL],
  ['a BigInt shifted by 2^30', 'return String((1n << 1073741823n) > 0n)', [...OUT, 'completed']],
  ['a BigInt power', 'return String((7n ** 5000000n) % 10n)', [FUEL, MEMORY, THROWN, 'completed'], SHORT],
  ['a sort whose comparator loops', 'return [3, 1, 2].sort(() => { for (;;) {} })', FUEL],
  [
    'a sort whose comparator lies',
    'return Array.from({ length: 20000 }, (_, i) => i).sort(() => Math.random() - 0.5).length',
    [FUEL, 'completed'],
  ],
  [
    'a sort whose comparator changes the array',
    'const a = Array.from({ length: 500 }, (_, i) => i); a.sort(() => { a.length = 0; a.push(1); return 1 }); return a.length > 0',
    { value: true },
  ],
  ['JSON.parse of deep nesting', 'return typeof JSON.parse("[".repeat(1e6))', [STACK, THROWN, FUEL]],
  ['JSON.parse of a huge list', 'return JSON.parse("[" + "[],".repeat(3e6) + "1]").length', OUT, SMALL],
  [
    'JSON.stringify of deep nesting',
    'let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return JSON.stringify(a).length',
    [STACK, THROWN, MEMORY, FUEL],
    SMALL,
  ],
  [
    'flattening of deep nesting',
    'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a.flat(Infinity).length',
    [STACK, THROWN, FUEL, 'completed'],
    SMALL,
  ],
  [
    'a regular expression of deep nesting',
    'return new RegExp("(".repeat(1e5) + ")".repeat(1e5)).test("")',
    [STACK, THROWN, FUEL, 'completed'],
    SMALL,
  ],
  ['a regular expression that backtracks', 'return /(.*)*(.*)*[^x]$/.test("x".repeat(5000))', [FUEL, STACK, THROWN]],
  ['a recursion of toString', 'const a = []; a.toString = () => String(a); return String(a)', STACK, {}],
  ['a recursion through a proxy', 'const p = new Proxy({}, { get: (t, k, r) => r[k] }); return p.x', STACK, {}],
  ['a recursion caught at every level', 'const f = () => { try { f() } catch { f() } }; f()', [FUEL, STACK]],
  ['a recursion through eval', 'globalThis.f = () => eval("f()"); f()', [STACK, FUEL], SMALL],
  ['a string that doubles in a catch', 'let s = "x"; for (;;) try { s += s } catch {}', OUT, SMALL],
  ['one string repeat over all memory', 'return "x".repeat(2 ** 29).length + "y".repeat(2 ** 30 - 25).split("").length', OUT, SMALL],
  ['one array of 2^32 - 1 elements, filled', 'return new Array(2 ** 32 - 1).fill(0).length', OUT, SMALL],
  ['one buffer over the cap', 'return new ArrayBuffer(2 ** 31).byteLength', [MEMORY, THROWN], SMALL],
  [
    'buffers that grow by resizing',
    'const b = new ArrayBuffer(1, { maxByteLength: 2 ** 28 }); for (let n = 1; ; n *= 2) b.resize(n)',
    OUT,
    SMALL,
  ],
  ['structuredClone without end', 'let a = [1]; for (;;) a = structuredClone([a, a])', OUT, SMALL],
  ['concatenation of arrays that double', 'let a = [1]; for (;;) a = a.concat(a)', OUT, SMALL],
  ['a map without end', 'const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })', OUT, SMALL],
  ['replaceAll with a bomb', 'return "x".repeat(1e5).replaceAll("x", "$&".repeat(1e4)).length', OUT, SMALL],
  ['escape sequences that swell', 'return encodeURIComponent("é".repeat(5e6)).length', [...OUT, 'completed'], SMALL],
  ['generators without end', 'function* g() { for (;;) yield* g() } for (const x of g());', [STACK, FUEL], SMALL],
  ['a log flood', 'for (;;) console.log("x".repeat(1000))', FUEL],
  ['a log flood of empty lines', 'for (;;) console.log("")', FUEL],
  [
    'a log of one endless object',
    'console.log(new Proxy({}, { ownKeys: () => Array.from({ length: 1e5 }, (_, i) => "k" + i), getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }) })); return 1',
    ['completed', FUEL],
    SMALL,
  ],
  ['a flood of tool calls', 'for (;;) ampoule.callTool("s", "t")', 'ERR_EXECUTE_TOOL_CALLS', { limits: { maxToolCalls: 100 } }],
  [
    'a flood of tool calls, one after the other',
    'for (;;) await ampoule.callTool("s", "t")',
    'ERR_EXECUTE_TOOL_CALLS',
    { limits: { maxToolCalls: 100 } },
  ],
  ['a flood of refused files', 'for (;;) await ampoule.readFile("a/b").catch(() => 0)', FUEL, { limits: { fuel: 30_000_000 } }],
  ['a flood of state', 'for (let i = 0; ; i++) ampoule.setState("k" + i, "x".repeat(1000))', OUT, SMALL],
];

all(PROGRAMS);

test('a log flood is bounded in what it leaves', async () => {
  const outcome = await runBody(executor(), 'for (let i = 0; i < 3000; i++) console.log("y".repeat(100)); return 1', {
    limits: { maxLogBytes: 10_000 },
  });
  expect(resultOf(outcome)).toBe(1);
  expect(outcome.logs.reduce((sum, { message }) => sum + message.length, 0)).toBeLessThanOrEqual(10_000);
  expect(outcome.droppedLogBytes).toBeGreaterThan(280_000);
});

const PAIRS: [string, string][] = [
  ['for (;;) {}', 'const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))'],
  ['const f = () => f() + 1; return f()', 'let s = "x"; for (;;) s += s'],
  ['for (;;) console.log("x".repeat(1000))', 'for (;;) ampoule.callTool("s", "t")'],
  ['setInterval(() => {}, 0); await new Promise(() => {})', 'for (;;) await null'],
];

test.each(PAIRS)('in pairs neither disturbs the other, nor a third: %s | %s', async (one, other) => {
  const { pid } = executor();
  const options = { limits: { ...SMALL.limits, fuel: 200_000_000, waitMs: 100, maxToolCalls: 50 } };
  const [first, second, third] = await Promise.all([
    runBody(executor(), one, options),
    runBody(executor(), other, options),
    runBody(executor(), 'return ampoule.callTool("s", "t", { a: 1 })'),
  ]);
  expect([codeOf(first), codeOf(second)].every((code) => code.startsWith('ERR_EXECUTE_'))).toBe(true);
  expect(resultOf(third)).toEqual({ a: 1 });
  expect(executor().pid).toBe(pid);
});

test('fifty at once all end, and so do the good ones between them', async () => {
  const { pid } = executor();
  const options = { limits: { fuel: 50_000_000, timeoutMs: 20_000, waitMs: 200, memoryMb: 24, maxToolCalls: 10 } };
  const bodies = PROGRAMS.filter((_, i) => i % 3 === 0).map(([, body]) => body);
  const bad = Array.from({ length: 50 }, (_, i) => runBody(executor(), bodies[i % bodies.length] ?? '', options));
  const good = Array.from({ length: 10 }, (_, i) => runBody(executor(), `return ampoule.callTool("s", "t", { i: ${i} })`));
  const codes = (await Promise.all(bad)).map(codeOf);
  expect(codes.every((code) => code === 'completed' || /^ERR_(EXECUTE|COMPONENT)_/.test(code))).toBe(true);
  expect((await Promise.all(good)).map(resultOf)).toEqual(Array.from({ length: 10 }, (_, i) => ({ i })));
  expect(executor().pid).toBe(pid);
});

test('the memory of stopped programs is given back', async () => {
  const resident = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${executor().pid}/status`, 'utf8'))?.[1]) / 1024;
  for (let i = 0; i < 8; i++) {
    const outcome = await runBody(executor(), 'const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1))');
    expect(codeOf(outcome)).toBe(MEMORY);
  }
  // Eight times 256 MiB were touched; a few dropped instances may still wait for the collector.
  await expect.poll(resident, { timeout: 5_000 }).toBeLessThan(1_200);
});
