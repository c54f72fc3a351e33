import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { type Engine, type RunSetup, openEngine, runProgram } from '../harness.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
const result = (code: string, setup?: RunSetup): unknown => {
  const { ending, result: value } = runProgram(engine, code, setup);
  expect(ending).toEqual({ status: 'completed' });
  return value;
};

const LANGUAGE = [
  'undefined Infinity NaN globalThis Object Function Array Boolean Number BigInt String Symbol Math JSON Reflect Proxy Date RegExp Promise Map',
  'Set WeakMap WeakSet WeakRef FinalizationRegistry Iterator Error AggregateError EvalError RangeError ReferenceError SuppressedError SyntaxError',
  'TypeError URIError ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array BigInt64Array',
  'BigUint64Array Float16Array Float32Array Float64Array DisposableStack AsyncDisposableStack eval isNaN isFinite parseInt parseFloat escape',
  'unescape decodeURI decodeURIComponent encodeURI encodeURIComponent',
];
const PLATFORM = [
  'structuredClone atob btoa DOMException URL URLSearchParams TextEncoder TextDecoder crypto performance console Event CustomEvent EventTarget',
  'AbortController AbortSignal setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask',
];
/** Declared by TypeScript's own library. */
const LOCALES = ['Intl'];

test('the global object has the language, the platform that is promised, and nothing else', () => {
  const names = result('return Reflect.ownKeys(globalThis)') as string[];
  expect(names.sort()).toEqual([...LANGUAGE, ...PLATFORM, ...LOCALES].join(' ').split(' ').sort());
});

test('globals.d.ts declares exactly the platform that there is', async () => {
  const text = await readFile(new URL('../../../host-functions/guest/globals.d.ts', import.meta.url), 'utf8');
  const declared = [...text.matchAll(/^declare (?:const|function|class) (\w+)/gm)].map((match) => match[1] ?? '');
  expect(declared.sort()).toEqual(PLATFORM.join(' ').split(' ').sort());
});

test('feature detection of what is absent works', () => {
  const code =
    'return [typeof fetch, typeof process, typeof require, typeof Buffer, typeof WebAssembly, globalThis.process?.env, "Deno" in globalThis]';
  expect(result(code)).toEqual(['undefined', 'undefined', 'undefined', 'undefined', 'undefined', null, false]);
});

test('Date stands still while code computes and moves with the run', () => {
  const code = `const a = Date.now(); for (let i = 0; i < 1e5; i++); const b = Date.now(); await ampoule.sleep(1234);
    return [a, b, Date.now(), performance.now(), performance.timeOrigin, +new Date()]`;
  expect(result(code, { now: 1_000_000 })).toEqual([1_000_000, 1_000_000, 1_001_234, 1234, 1_000_000, 1_001_234]);
});

test('every form of Date works', () => {
  const code = `class Own extends Date { twice() { return this.getTime() * 2 } }
    const own = new Own(5);
    return [Date(), new Date(2020, 1, 3, 4).toISOString(), new Date("2021-05-06").getTime(), new Date(new Date(7)).getTime(), String(new Date("x")),
      new Date() instanceof Date, Date.prototype.constructor === Date, new Date(1).constructor === Date, own instanceof Own, own.twice(), new Own().getTime(),
      Date.length, Date.name, Date.UTC(1970, 0, 2), Date.parse("1970-01-01T00:00:01Z"), Object.keys(Date), typeof Date.prototype.getYear]`;
  expect(result(code, { now: 86_400_000 })).toEqual([
    'Fri Jan 02 1970 00:00:00 GMT+0000 (Coordinated Universal Time)',
    '2020-02-03T04:00:00.000Z',
    1_620_259_200_000,
    7,
    'Invalid Date',
    true,
    true,
    true,
    true,
    10,
    86_400_000,
    7,
    'Date',
    86_400_000,
    1000,
    [],
    'function',
  ]);
});

test('randomness is the same for the same seed and different for another', () => {
  const code = 'return [Math.random(), Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(100))]]';
  const first = result(code, { seed: 'ab'.repeat(32) });
  expect(result(code, { seed: 'ab'.repeat(32) })).toEqual(first);
  expect(result(code, { seed: 'ab'.repeat(31) + 'ac' })).not.toEqual(first);
});

test('the random stream is ChaCha20 with the seed as its key', () => {
  // The keystream of RFC 8439's first test vector: key 0, nonce 0, block 0.
  const bytes = result('return [...crypto.getRandomValues(new Uint8Array(16))]') as number[];
  expect(Buffer.from(bytes).toString('hex')).toBe('76b8e0ada0f13d90405d6ae55386bd28');
});

test('random numbers are in range and evenly spread', () => {
  const code =
    'let sum = 0, out = 0; for (let i = 0; i < 5000; i++) { const r = Math.random(); sum += r; if (r < 0 || r >= 1) out++ } return [sum / 5000, out]';
  const [mean, out] = result(code) as [number, number];
  expect(out).toBe(0);
  expect(mean).toBeGreaterThan(0.47);
  expect(mean).toBeLessThan(0.53);
});

test('crypto refuses what it cannot fill and has no subtle', () => {
  const code = `const t = (f) => { try { f(); return 'ok' } catch (e) { return e.name } };
    return [t(() => crypto.getRandomValues([])), t(() => crypto.getRandomValues(new Float32Array(1))), t(() => crypto.getRandomValues(new Uint8Array(65537))),
      t(() => crypto.getRandomValues(new Uint16Array(2))), typeof crypto.subtle, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())]`;
  expect(result(code)).toEqual(['TypeError', 'TypeError', 'RangeError', 'ok', 'undefined', true]);
});

test('timers run by due time, then by creation', () => {
  const code = `const order = []; const add = (x) => order.push(x);
    setTimeout(add, 10, 'c'); setTimeout(add, 5, 'a'); setTimeout(add, 5, 'b'); setImmediate(add, 'now'); setTimeout(() => setTimeout(add, 0, 'nested'), 0);
    const off = setTimeout(add, 1, 'never'); clearTimeout(off); clearTimeout(off); clearTimeout({}); clearTimeout();
    Promise.resolve().then(() => add('micro')); queueMicrotask(() => add('micro2'));
    await ampoule.sleep(20); return order`;
  expect(result(code)).toEqual(['micro', 'micro2', 'now', 'nested', 'a', 'b', 'c']);
});

test('an interval repeats until it is cleared, also by itself', () => {
  const code =
    'const at = []; const id = setInterval(() => { at.push(performance.now()); if (at.length === 3) clearInterval(id) }, 10); await ampoule.sleep(100); return at';
  expect(result(code)).toEqual([10, 20, 30]);
});

test('microtasks run between two timers that are due at the same time', () => {
  const code = `const order = []; setTimeout(() => { order.push(1); Promise.resolve().then(() => order.push(2)) }, 5); setTimeout(() => order.push(3), 5);
    await ampoule.sleep(6); return order`;
  expect(result(code)).toEqual([1, 2, 3]);
});

test('sleep takes as long as it says, also where a timer would not; what is no time is over at once', () => {
  const code = `const slept = async (ms) => { const from = Date.now(); await ampoule.sleep(ms); return Date.now() - from };
    return [await slept(2592000000), await slept(-5), await slept(NaN), await slept(), await slept('7')]`;
  expect(result(code)).toEqual([2_592_000_000, 1, 1, 1, 7]);
});

test('a thousand timers come in order', () => {
  const code = `const seen = []; for (let i = 0; i < 1000; i++) { const due = (i * 7919) % 1000; setTimeout(() => seen.push(due), due + 1) }
    await ampoule.sleep(2000); return seen.every((x, i) => i === 0 || seen[i - 1] <= x) && seen.length`;
  expect(result(code)).toBe(1000);
});

test('AbortSignal works on the virtual clock', () => {
  const code = `const s = AbortSignal.timeout(100); const c = new AbortController(); const any = AbortSignal.any([s, c.signal]); const seen = [];
    any.addEventListener('abort', (e) => seen.push(e.type, e.target === any)); c.signal.onabort = () => seen.push('never');
    await ampoule.sleep(99); seen.push(s.aborted); await ampoule.sleep(2);
    let thrown; try { s.throwIfAborted() } catch (e) { thrown = e.name }
    let made; try { new AbortSignal() } catch (e) { made = e.name }
    return [seen, s.aborted, s.reason.name, thrown, any.reason === s.reason, made, AbortSignal.abort(5).reason, AbortSignal.abort().reason.name]`;
  expect(result(code)).toEqual([[false, 'abort', true], true, 'TimeoutError', 'TimeoutError', true, 'TypeError', 5, 'AbortError']);
});

test('EventTarget calls each listener once, in order, and honours once, signal and handleEvent', () => {
  const code = `const t = new EventTarget(); const seen = []; const f = () => seen.push('f'); const c = new AbortController();
    t.addEventListener('x', f); t.addEventListener('x', f); t.addEventListener('x', () => seen.push('once'), { once: true });
    t.addEventListener('x', { handleEvent: (e) => seen.push(e.detail) }); t.addEventListener('x', () => seen.push('sig'), { signal: c.signal });
    t.dispatchEvent(new CustomEvent('x', { detail: 9 })); c.abort(); t.removeEventListener('x', f); t.dispatchEvent(new CustomEvent('x', { detail: 8 }));
    const e = new Event('y', { cancelable: true }); t.addEventListener('y', (y) => y.preventDefault()); return [seen, t.dispatchEvent(e), e.defaultPrevented]`;
  expect(result(code)).toEqual([['f', 'once', 9, 'sig', 8], false, true]);
});

test('a listener that throws ends the run and not the engine', () => {
  const { ending } = runProgram(
    engine,
    'const t = new EventTarget(); t.addEventListener("x", () => { throw new Error("heard") }); t.dispatchEvent(new Event("x")); await 0',
  );
  expect(ending).toMatchObject({ code: 'ERR_EXECUTE_THROWN', message: 'heard' });
});

test('structuredClone, URL, text encoding and base64 work', () => {
  const code = `const u = new URL('../b?q=1#h', 'https://user@example.com:8080/x/y/'); u.searchParams.append('z', 'ä');
    const c = structuredClone({ m: new Map([[1, new Set([2])]]), d: new Date(3), a: new Uint8Array([4]) });
    let clone; try { structuredClone(() => 1) } catch (e) { clone = [e.name, e instanceof DOMException] }
    return [u.href, [...new URLSearchParams('a=1&a=2').getAll('a')], c.m.get(1).has(2), c.d.getTime(), c.a[0], clone, new TextDecoder().decode(new TextEncoder().encode('é€😀')),
      atob(btoa('hello')), (() => { try { btoa('€') } catch (e) { return e.name } })()]`;
  expect(result(code)).toEqual([
    'https://user@example.com:8080/x/b?q=1&z=%C3%A4#h',
    ['1', '2'],
    true,
    3,
    4,
    ['DataCloneError', true],
    'é€😀',
    'hello',
    'InvalidCharacterError',
  ]);
});

test('text can be evaluated, and import in it is refused before the engine sees it', () => {
  const code = `const t = (f) => { try { return f() } catch (e) { return e.name } };
    const Async = (async () => {}).constructor; const Gen = (function* () {}).constructor;
    return [eval('1 + 2'), eval(5), new Function('a', 'b', 'return a + b')(1, 2), Function('return 4')(), [...new Gen('yield 6')()], await new Async('return 7')(),
      t(() => eval('import("x")')), t(() => Function('return import("x")')), t(() => new Async('import/**/("x")')), t(() => new Gen('a = import("x")', '')),
      (() => {}) instanceof Function, Function.prototype.constructor === Function, new Function() instanceof Function, Async.name, Function.length,
      t(() => new Function({ n: 0, toString() { return this.n++ ? 'import("x")' : 'return 1' } })())]`;
  const refused = ['SyntaxError', 'SyntaxError', 'SyntaxError', 'SyntaxError'];
  expect(result(code)).toEqual([3, 5, 3, 4, [6], 7, ...refused, true, true, true, 'AsyncFunction', 1, 1]);
});
