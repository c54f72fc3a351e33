import { attack, type Hostile } from './hostile.ts';
import { sampled } from './sampled.ts';

/** One huge call of a builtin: none is out of the meter's reach, and what it cannot have it does not get. */
const { all } = attack();

const FUEL = 'ERR_EXECUTE_FUEL';
const MEMORY = 'ERR_EXECUTE_MEMORY';
const THROWN = 'ERR_EXECUTE_THROWN';
const ENGINE = 'ERR_EXECUTE_ENGINE';
const TIME = 'ERR_EXECUTE_ACTIVE_TIME';
/** Out of fuel, or out of memory: which of them comes first differs between the engines. */
const SPENT = [FUEL, MEMORY, THROWN, ENGINE];
const LOW = { limits: { fuel: 150_000_000, timeoutMs: 5_000, waitMs: 200, memoryMb: 48 } };
const QUICK = { limits: { fuel: 1e15, timeoutMs: 60, waitMs: 200 } };
const array = 'const a = Array.from({ length: 20000 }, (_, i) => (i * 7919) % 20011);';
const endless = (what: string, body: string): Hostile => [what, body, SPENT, LOW];

const PROGRAMS: Hostile[] = [
  ['repeat past the longest string', 'return "x".repeat(2 ** 31)', [THROWN, MEMORY], LOW],
  ['padEnd past memory', 'return "x".padEnd(2 ** 29, "ab").length', [THROWN, MEMORY, 'completed'], LOW],
  endless('a join of holes', 'const a = new Array(2 ** 24); for (;;) a.join("long separator")'),
  endless('replaceAll that grows', 'let s = "ab"; for (;;) s = s.replaceAll("a", "aab")'),
  endless('localeCompare of long texts', 'const s = "é".repeat(200000); for (;;) s.localeCompare(s + "x")'),
  endless('normalize of marks without order', 'for (;;) ("a" + "\\u0301\\u0316".repeat(50000)).normalize("NFC")'),
  endless('a JSON that is written again and again', `${array} for (;;) JSON.stringify(a)`),
  endless('structuredClone of a buffer', 'const b = new Uint8Array(4e6); for (;;) structuredClone(b)'),
  endless('a BigInt power that the engine allows', 'let n = 3n ** 100000n; for (;;) n = (n * n) % (2n ** 300000n)'),
  ['a BigInt power that it does not', 'return String(3n ** (2n ** 40n))', [THROWN, MEMORY, ENGINE], LOW],
  endless('a BigInt to its digits', 'const n = (1n << 900000n) - 1n; for (;;) n.toString()'),
  endless('digits to a BigInt', 'const s = "9".repeat(250000); for (;;) BigInt(s)'),
  endless('Array.from of a length', 'for (;;) Array.from({ length: 2 ** 32 - 1 })'),
  endless('flat of what repeats', 'let a = [1]; for (;;) a = [a, a].flat(Infinity).concat(1)'),
  endless('TypedArray.set over and over', 'const a = new Uint8Array(2e6), b = new Uint8Array(2e6); for (;;) a.set(b)'),
  endless('copyWithin over and over', 'const a = new Uint8Array(2e6); for (;;) a.copyWithin(1, 0)'),
  endless('a date that never parses', 'for (;;) Date.parse("(".repeat(1e5) + "1 ".repeat(1e5))'),
  endless('dates in a zone', 'for (let i = 0; ; i++) new Date(i * 1e9).toLocaleString("en", { timeZone: "America/New_York" })'),
  endless(
    'a sticky expression',
    'const r = /(?:a|ab)*c/y, s = "ab".repeat(1e4); for (let i = 0; ; i++) { r.lastIndex = i % 1000; r.test(s) }',
  ),
  endless('a backreference', 'for (;;) /(.+)\\1\\1\\1$/.test("a".repeat(20000) + "b")'),
  endless('lookbehind', 'for (;;) /(?<=a.*)b/.test("a".repeat(10000) + "c")'),
  endless('graphemes', 'for (;;) [...new Intl.Segmenter("en").segment("a" + "\\u0301".repeat(20000))]'),
  endless('words', 'for (;;) [...new Intl.Segmenter("en", { granularity: "word" }).segment("a b ".repeat(20000))]'),
  endless('formats of numbers', 'for (;;) new Intl.NumberFormat("en", { minimumFractionDigits: 20 }).format(1 / 3)'),
  endless('a number of many digits, formatted', 'for (;;) new Intl.NumberFormat("en").format(10n ** 20000n)'),
  endless('lists of names', 'for (;;) Intl.supportedValuesOf("timeZone")'),
  endless('a search for what is nearly there', 'const s = "a".repeat(2e5), t = "a".repeat(5e3) + "b"; for (;;) s.indexOf(t)'),
  endless('percent-encoding', 'for (;;) encodeURIComponent("é".repeat(1e5))'),
  endless('base64 there and back', 'for (;;) atob(btoa("x".repeat(3e5)))'),
  endless('text to bytes and back', 'for (;;) new TextDecoder().decode(new TextEncoder().encode("é".repeat(1e5)))'),
  endless('includes of a length without elements', 'Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)'),
  endless('reverse of a length without elements', 'Array.prototype.reverse.call({ length: 2 ** 53 - 1 })'),
  endless('a map of numbers that meet', 'const m = new Map(); for (let i = 0; ; i++) m.set(i * 2 ** 32, i)'),
  endless('a lookup along a hundred thousand prototypes', 'let o = {}; for (let i = 0; i < 1e5; i++) o = Object.create(o); for (;;) o.x'),
  endless('evaluated text without end', 'for (let i = 0; ; i++) eval("1+".repeat(1000) + i)'),
  endless('expressions that are compiled', 'for (let i = 0; ; i++) new RegExp("[\\\\p{L}" + i + "]{1,50}", "iu")'),
  endless('addresses', 'for (;;) new URL("http://a/" + "b/../".repeat(1e4))'),
  endless('random bytes', 'const b = new Uint8Array(65536); for (;;) crypto.getRandomValues(b)'),
  ['an apply of 2^32 - 1 arguments', 'return Math.max.apply(null, { length: 2 ** 32 - 1 })', [THROWN, MEMORY, FUEL], LOW],
  ['a splice of 2^53 - 1 elements', 'return Array.prototype.splice.call({ length: 2 ** 53 - 1 }, 0, 0, 1)', [THROWN, FUEL], LOW],
  ['Atomics and shared memory', 'return [typeof Atomics, typeof SharedArrayBuffer]', { value: ['undefined', 'undefined'] }],
  ['fills that take real time and hardly any fuel', 'const a = new Uint8Array(3e7); for (;;) a.fill(1)', TIME, QUICK],
  ['copies that take real time', 'const a = new Uint8Array(3e7); for (;;) a.slice()', [TIME, MEMORY, THROWN], QUICK],
  [
    'a sort that takes real time',
    'const a = new Float64Array(2e6).map((_, i) => (i * 7919) % 1e6); for (;;) a.toSorted()',
    [TIME, MEMORY],
    QUICK,
  ],
  ['a sleep of a week', 'await ampoule.sleep(6e8)', 'ERR_EXECUTE_WAITING_TIME', LOW],
  ['fifty sleeps', 'await Promise.all(Array.from({ length: 50 }, () => ampoule.sleep(6e8)))', 'ERR_EXECUTE_WAITING_TIME', LOW],
  ['a million timers', 'for (let i = 0; ; i++) setTimeout(() => {}, 1e6)', [THROWN, FUEL, MEMORY], LOW],
  [
    'out of memory in every microtask',
    'const f = () => { try { new Uint8Array(1e9) } catch {} return Promise.resolve().then(f) }; await f()',
    SPENT,
    LOW,
  ],
  [
    'out of memory in every timer',
    'const f = () => { try { "x".repeat(2 ** 28).split("") } catch {} setTimeout(f, 1) }; f(); await new Promise(() => {})',
    [...SPENT, 'ERR_EXECUTE_WAITING_TIME'],
    LOW,
  ],
  ['recursion through a getter', 'const o = { get x() { return this.x } }; o.x', ['ERR_EXECUTE_STACK', FUEL]],
  ['recursion through Symbol.toPrimitive', 'const o = { [Symbol.toPrimitive]() { return +o } }; +o', ['ERR_EXECUTE_STACK', FUEL]],
  ['recursion through JSON', 'const o = { toJSON() { return JSON.stringify(o) } }; JSON.stringify(o)', ['ERR_EXECUTE_STACK', FUEL]],
];

all(sampled(PROGRAMS));
