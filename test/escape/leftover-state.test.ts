import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { SupervisedExecutor } from '../../src/execute/supervised-executor.ts';
import { fixture, startAmpoule, type Ampoule } from '../e2e/harness.ts';
import { openTestExecutor, resultOf, runBody, type RunOptions } from '../support/executor.ts';

/**
 * What a run leaves behind is looked for with one program that tells all that it can see: every object that programs share, the state that the
 * language makes when it is first needed, and the state of the runtime. It must tell the same after any other program as before.
 */
const PROBE = `const own = (o) => Reflect.ownKeys(o).map(String).join(), flags = (o) => [Object.isFrozen(o), Object.isExtensible(o)].join(); const seen = {};
  seen.globals = own(globalThis);
  const classes = [Object, Function, Array, String, Number, Boolean, Symbol, BigInt, RegExp, Date, Map, Set, WeakMap, WeakSet, WeakRef, Promise, Error, TypeError, ArrayBuffer, DataView, Uint8Array, Iterator, FinalizationRegistry, URL, URLSearchParams, TextEncoder, TextDecoder, DOMException, Event, EventTarget, AbortController, AbortSignal];
  seen.classes = classes.map((C) => own(C) + own(C.prototype) + flags(C) + flags(C.prototype) + (Object.getPrototypeOf(C.prototype) === Object.prototype)).join();
  seen.others = [JSON, Math, Reflect, Intl, crypto, performance, console, ampoule, ampoule.ToolError, ampoule.callTool, globalThis, Object.getPrototypeOf(globalThis)].map((o) => own(o) + flags(o)).join();
  seen.hidden = [function* () {}, async function* () {}, async () => 1, [][Symbol.iterator](), new Map().entries(), ""[Symbol.iterator](), "a".matchAll(/a/g)].map((o) => own(Object.getPrototypeOf(o)) + own(Object.getPrototypeOf(Object.getPrototypeOf(o)) ?? {})).join();
  seen.regexp = [RegExp.$1, RegExp.lastMatch, RegExp.input, RegExp.leftContext, RegExp["$'"]].map((t) => t ?? null);
  seen.symbols = [Symbol.keyFor(Symbol.for("left")), globalThis.left ?? null];
  seen.random = [Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(4))]];
  seen.time = [Date.now(), performance.now(), performance.timeOrigin, new Date().toString(), String(new Date(2020, 5, 1)), Date.parse("2020-01-01")];
  seen.timer = (() => { const t = setTimeout(() => 0, 1); clearTimeout(t); return t })();
  seen.errors = [new Error("q").stack, Error.stackTraceLimit ?? null, typeof Error.prepareStackTrace];
  console.count(); console.time("t"); console.group("g"); console.log("x"); console.groupEnd(); console.log("y");
  seen.state = ampoule.getState(); seen.text = new TextDecoder().decode(new Uint8Array([0x80, 65]));
  seen.evaluated = [typeof evaluated, typeof evaluatedLet, eval("1 + 1"), new Function("return typeof evaluated")()];
  seen.species = [Array, Promise, RegExp, Map].map((C) => C[Symbol.species] === C);
  seen.works = [await ampoule.callTool("s", "t", { a: [1, { b: 2 }] }), [3, 1, 2].sort(), new URL("http://a/b?c=d").searchParams.get("c"), await Promise.resolve(5), "é".normalize("NFD").length]; return seen`;
const INTL = `return [new Intl.NumberFormat().resolvedOptions(), new Intl.DateTimeFormat().resolvedOptions(), (1234.5).toLocaleString(), new Date(0).toLocaleString(), ["b", "a", "ä"].sort(new Intl.Collator().compare), Reflect.ownKeys(Intl.NumberFormat.prototype).map(String), Reflect.ownKeys(Intl.DateTimeFormat.prototype).map(String)]`;
const SAME = { now: 1_700_000_000_000, seed: 'ab'.repeat(32), state: { s: 1 } };
const SMALL = { fuel: 200_000_000, timeoutMs: 5_000, waitMs: 20, memoryMb: 48 };

const PLANTS: readonly (readonly [what: string, body: string])[] = [
  ['globals', 'for (let i = 0; i < 99; i++) globalThis["left" + i] = globalThis.left = "left"; return 1'],
  [
    'members of Object.prototype',
    'Object.prototype.left = 1; Object.prototype.toJSON = () => 1; Object.prototype.then = () => 0; return 1',
  ],
  [
    'members of Array.prototype and species',
    'Array.prototype.map = 1; Array.prototype[0] = 9; Array.prototype[Symbol.iterator] = null; for (const C of [Array, Promise, RegExp, Map]) Object.defineProperty(C, Symbol.species, { value: Object }); return 1',
  ],
  [
    'everything frozen',
    'for (const k of Object.getOwnPropertyNames(globalThis)) { const C = globalThis[k]; if (typeof C === "function" && C.prototype) { Object.freeze(C.prototype); Object.freeze(C) } } Object.freeze(globalThis); return 1',
  ],
  ['everything deleted', 'for (const k of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[k] } catch {} return 1'],
  [
    'other prototypes',
    'Object.setPrototypeOf(Array.prototype, null); Object.setPrototypeOf(globalThis, { left: 1 }); Object.setPrototypeOf(Function.prototype, null); return 1',
  ],
  ['the last match', '/(left)(b)/.exec("xleftby"); "left".replace(/(l)/, "$1"); return 1'],
  ['symbols of the registry', 'globalThis.left = Symbol.for("left"); Symbol.for("other"); return 1'],
  [
    'random numbers that were drawn',
    'for (let i = 0; i < 99; i++) { Math.random(); crypto.randomUUID() } Math.random = () => 4; crypto.randomUUID = 1; return 1',
  ],
  ['timers and waits', 'for (let i = 0; i < 50; i++) setTimeout(() => 0, 1e6); setInterval(() => 0, 5); await ampoule.sleep(10); return 1'],
  [
    'groups, counts and clocks of the console',
    'console.group("a"); console.group("b"); console.count(); console.count("q"); console.time("t"); console.log = 1; return 1',
  ],
  [
    'clocks',
    'Date.now = () => 0; Date.prototype.toString = () => "left"; performance.now = 1; Date.parse("1999-01-01"); await ampoule.sleep(15); return 1',
  ],
  ['state', 'const s = ampoule.getState(); s.left = 1; ampoule.setState("left", 2); return 1'],
  [
    'settings of errors',
    'Error.stackTraceLimit = 0; Error.prepareStackTrace = () => "left"; Error.captureStackTrace = 1; Object.defineProperty(Error.prototype, "stack", { value: 1 }); return 1',
  ],
  [
    'promises',
    'Promise.prototype.then = () => 0; Promise.resolve = 1; for (let i = 0; i < 50; i++) Promise.reject(new Error("left")); return 1',
  ],
  [
    'calls that nobody waited for',
    'for (let i = 0; i < 9; i++) ampoule.callTool("s", "t", { left: i }); queueMicrotask(() => { globalThis.left = 1 }); return 1',
  ],
  [
    'registries of what is collected',
    'const r = new FinalizationRegistry(() => { globalThis.left = 1 }); for (let i = 0; i < 999; i++) r.register({}, i); return 1',
  ],
  [
    'prototypes that have no name',
    'Object.getPrototypeOf(function* () {}).left = 1; Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())).left = 1; Object.getPrototypeOf(async () => 1).left = 1; return 1',
  ],
  [
    'half a character in a decoder',
    'const d = new TextDecoder(); d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }); TextDecoder.prototype.left = 1; return 1',
  ],
  [
    'declarations of evaluated text',
    '(0, eval)("var evaluated = 1; let evaluatedLet = 2; const evaluatedConst = 3; class EvaluatedClass {}"); (0, eval)("let left = 1"); return 1',
  ],
  [
    'members of the module and of tool errors',
    'try { await ampoule.callTool("", "") } catch (e) { e.left = 1; try { e.constructor.left = 1 } catch {} } try { ampoule.left = 1 } catch {} return 1',
  ],
  [
    'listeners and signals',
    'AbortSignal.left = 1; const c = new AbortController(); c.signal.addEventListener("abort", () => { globalThis.left = 1 }); AbortSignal.timeout(5); return 1',
  ],
  ['names and shapes by the thousand', 'for (let i = 0; i < 3000; i++) { globalThis["n" + i] = { ["m" + i]: i } } return 1'],
  ['an end in the middle: no fuel', 'globalThis.left = "left"; for (;;) globalThis.more = left + Math.random()'],
  ['an end in the middle: no memory', 'globalThis.left = []; for (;;) left.push(new Uint8Array(1e6).fill(7))'],
  ['an end in the middle: a full stack', 'globalThis.left = 1; const f = () => f() + 1; try { f() } catch {} f()'],
  ['an end in the middle: waiting', 'globalThis.left = 1; Object.prototype.left = 1; await new Promise((r) => setTimeout(r, 1e7))'],
  ['an end in the middle: a promise that nobody settles', 'globalThis.left = 1; await new Promise(() => 0)'],
  [
    'memory that was resized and transferred',
    'const b = new ArrayBuffer(8, { maxByteLength: 1e7 }); b.resize(1e7); new Uint8Array(b).fill(76); structuredClone(b, { transfer: [b] }); return 1',
  ],
];

describe('in one worker', () => {
  let executor: SupervisedExecutor;
  let fresh: { end: unknown; logs: unknown; fuel: number };
  const probe = async (options: RunOptions = {}): Promise<typeof fresh> => {
    const { end, logs, usage } = await runBody(executor, PROBE, { ...SAME, ...options });
    return { end, logs, fuel: usage.fuel };
  };
  beforeAll(async () => {
    executor = await openTestExecutor({ workers: 1 });
    fresh = await probe();
  });
  afterAll(() => executor.close());

  test('the program that looks sees all that it looks for', () => {
    expect(fresh.end).toMatchObject({ status: 'completed' });
  });

  test.each(PLANTS)('%s are not there for the next program, which takes the same fuel', async (_what, body) => {
    const { pid } = executor;
    await runBody(executor, body, { limits: SMALL });
    expect(await probe()).toEqual(fresh);
    expect(executor.pid).toBe(pid);
  });

  test('nothing of any of them is there while all run side by side', async () => {
    const runs = PLANTS.flatMap(([, body]) => [runBody(executor, body, { limits: SMALL }).then(() => fresh), probe()]);
    for (const seen of await Promise.all(runs)) expect(seen).toEqual(fresh);
  });

  test('what a program poisons is whole when the same program runs again', async () => {
    const body =
      'const was = [typeof globalThis.left, ({}).left ?? null, Math.random === globalThis.r]; globalThis.left = Object.prototype.left = 1; Math.random = globalThis.r = () => 4; return was';
    for (let i = 0; i < 3; i++) expect(resultOf(await runBody(executor, body))).toEqual(['undefined', null, false]);
  });

  test('Intl, which the language makes at its first use, is made anew for each run', async () => {
    const limits = { limits: { fuel: 30_000_000_000 } };
    const before = resultOf(await runBody(executor, INTL, { ...SAME, ...limits }));
    const poison =
      'new Intl.NumberFormat("de").format(1); new Intl.DateTimeFormat("en", { timeZone: "Asia/Tokyo" }).format(0); Intl.NumberFormat.prototype.format = Intl.DateTimeFormat.prototype.left = 1; Intl.Collator = Intl.DateTimeFormat = class {}; Number.prototype.toLocaleString = () => "left"; return 1';
    resultOf(await runBody(executor, poison, limits));
    expect(resultOf(await runBody(executor, INTL, { ...SAME, ...limits }))).toEqual(before);
  });

  test('an Intl that a program poisoned before its first use ends that program’s run only', async () => {
    const poison =
      'for (const C of [Array, String, Map, Set, RegExp, Number]) for (const k of Object.getOwnPropertyNames(C.prototype)) try { if (k !== "constructor") C.prototype[k] = () => { throw new Error("mine") } } catch {} return new Intl.DateTimeFormat("en", { dateStyle: "full" }).format(0)';
    const { end } = await runBody(executor, poison, { limits: { fuel: 30_000_000_000 } });
    expect(end.status === 'failed' ? end.code : end.status).toMatch(/^(?:completed|ERR_EXECUTE_THROWN)$/u);
    expect(await probe()).toEqual(fresh);
  });

  test('time tells nothing: clocks stand still however much is computed, and fuel is not to be read', async () => {
    const body =
      'const t = [Date.now(), performance.now(), new Event("x").timeStamp]; for (let i = 0; i < 1e5; i++) Math.sqrt(i); const e = new Event("x"); return [Date.now() - t[0], performance.now() - t[1], Object.keys(performance), e.timeStamp - t[2]]';
    const [date, performance, , event] = resultOf(await runBody(executor, body)) as [number, number, unknown, number];
    expect([date, performance, event]).toEqual([0, 0, 0]);
  });

  test('an answer that comes after the end of its run reaches no other', async () => {
    let answer = (_value: { ok: true; value: string }): void => undefined;
    const late = new Promise<{ ok: true; value: string }>((resolve) => (answer = resolve));
    const first = await runBody(executor, 'ampoule.callTool("s", "slow", {}).then((v) => { globalThis.left = v }); return 1', {
      onCall: () => late,
    });
    expect(resultOf(first)).toBe(1);
    const second = runBody(
      executor,
      'const got = []; for (let i = 0; i < 20; i++) { got.push(await ampoule.callTool("s", "t", { i })); await ampoule.sleep(1) } return [got.length, typeof globalThis.left]',
    );
    answer({ ok: true, value: '{"secret":1}' });
    expect(resultOf(await second)).toEqual([20, 'undefined']);
  });

  test('memory that a run gets is zero, after one that wrote to all of it', async () => {
    const fill = 'const all = []; try { for (;;) all.push(new Uint8Array(500000).fill(76)) } catch { return 1 }';
    const look =
      'let dirty = 0; for (let i = 0; i < 30; i++) { const b = new Uint8Array(300000); globalThis["b" + i] = b; if ([76, 255, 1].some((x) => b.includes(x))) dirty++; } return dirty';
    for (let i = 0; i < 2; i++) {
      await runBody(executor, fill, { limits: { memoryMb: 48, fuel: 5_000_000_000 } });
      expect(resultOf(await runBody(executor, look, { limits: { memoryMb: 48, fuel: 20_000_000_000 } }))).toBe(0);
    }
  });
});

describe('across sessions, through the whole product', () => {
  let ampoule: Ampoule;
  beforeAll(async () => {
    ampoule = await startAmpoule({ mcpServers: { office: fixture('office') }, engine: inject('engineKind') });
  });
  afterAll(() => ampoule.stop());
  const write =
    'import { getState, setState } from "ampoule"; const s = getState<any>(); s.left = (s.left ?? 0) + 1; (globalThis as any).left = 1; return s.left';
  const read = 'import { getState } from "ampoule"; return [getState(), typeof (globalThis as any).left]';

  test('a state is in its own session only, and nothing but the state', async () => {
    const first = (await ampoule.execute(write, { session: 'new' })).output.session;
    const second = (await ampoule.execute(write, { session: 'new' })).output.session;
    expect(first).not.toBe(second);
    expect(await ampoule.result(write, { session: first })).toBe(2);
    expect(await ampoule.result(read, { session: second })).toEqual([{ left: 1 }, 'undefined']);
    expect(await ampoule.result(read)).toEqual([{}, 'undefined']);
  });

  test('a state with the names that every object has pollutes no other run', async () => {
    const code =
      'import { getState, setState } from "ampoule"; setState("__proto__", { left: 1 }); setState("constructor", { prototype: { left: 1 } }); return Object.keys(getState()).sort()';
    const { output } = await ampoule.execute(code, { session: 'new' });
    expect(output.result).toEqual(['__proto__', 'constructor']);
    expect(
      await ampoule.result('import { getState } from "ampoule"; return [Object.keys(getState()).sort(), ({} as any).left ?? null]', {
        session: output.session,
      }),
    ).toEqual([['__proto__', 'constructor'], null]);
    expect(await ampoule.result('return ({} as any).left ?? null')).toBeNull();
  });

  test('a failed run leaves its session as it was, whatever it put there', async () => {
    const { session } = (await ampoule.execute(write, { session: 'new' })).output;
    for (const end of [
      'throw new Error("x")',
      's.self = s',
      's.toJSON = () => 1',
      'Object.defineProperty(s, "x", { enumerable: true, get() { throw 1 } })',
      's.big = "x".repeat(3e6)',
    ]) {
      const { output } = await ampoule.execute(
        `import { getState } from "ampoule"; const s = getState<any>(); s.left = 99; ${end}; return 1`,
        { session },
      );
      expect(output.status).toBe('failed');
    }
    expect(await ampoule.result(read, { session })).toEqual([{ left: 1 }, 'undefined']);
  });

  test('the same program with other types in front is checked again, and bundles and types of one are not those of another', async () => {
    const codes = [
      'const x: string = "a"; return x',
      'const x: number = "a" as any; return x',
      'type string = number; const x: string = 1; return x',
      'return "a"',
      'return "a" ',
      'return "b"',
    ];
    const ask = async (): Promise<unknown[]> =>
      Promise.all(
        codes.map(async (code) => (await ampoule.execute(code)).output.result ?? (await ampoule.execute(code)).output.error?.code),
      );
    const first = await ask();
    expect(first).toEqual(['a', 'a', expect.anything(), 'a', 'a', 'b']);
    expect(await ask()).toEqual(first);
  });

  test('a name declared for all programs is declared for none but its own', async () => {
    await ampoule.execute('declare global { interface Array<T> { left: T } var leftGlobal: number } export {}; return 1');
    for (const code of ['return [1].left', 'return leftGlobal']) {
      expect((await ampoule.execute(code)).output.error?.code).toBe('ERR_CHECK_TYPES');
    }
  });
});
