import { beforeAll, expect, inject, test } from 'vitest';
import { type Engine, openEngine, runProgram } from '../harness.ts';
import { type Case, check } from './cases.ts';

/** What programs get from the platform. Every one of them has the same result on both engines. */

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});

check([
  [
    'text encodes and decodes',
    `const e = new TextEncoder(); const into = new Uint8Array(5); return [e.encoding, [...e.encode('é€😀')], e.encodeInto('aé€', into), [...into], e.encode().length, new TextDecoder().decode(e.encode('x'.repeat(5000) + 'ü')).length]`,
    ['utf-8', [195, 169, 226, 130, 172, 240, 159, 152, 128], { read: 2, written: 3 }, [97, 195, 169, 0, 0], 0, 5001],
  ],
  [
    'a decoder replaces, refuses or goes on with what is broken',
    `const d = new TextDecoder(); const s = new TextDecoder(); const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0xff, 0xe2, 0x82]);
     return [d.decode(bytes), new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).length, t(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes)), s.decode(new Uint8Array([0xe2, 0x82]), { stream: true }) + s.decode(new Uint8Array([0xac])), d.decode(new DataView(bytes.buffer, 3, 1)), d.decode(bytes.buffer.slice(3, 4)), d.decode()]`,
    ['a\ufffd\ufffd', 4, 'TypeError', '€', 'a', 'a', ''],
  ],
  [
    'other encodings',
    `const b = new Uint8Array([0x80, 0xe4, 0x41]); return [...['latin1', 'windows-1251', 'iso-8859-2', 'koi8-r'].map((l) => new TextDecoder(l)).map((d) => [d.encoding, d.decode(b)]), new TextDecoder('utf-16le').decode(new Uint8Array([0x41, 0, 0xac, 0x20])), t(() => new TextDecoder('nope')), new TextDecoder('utf-8').fatal]`,
    [
      ['windows-1252', '€äA'],
      ['windows-1251', 'ЂдA'],
      ['iso-8859-2', '\u0080äA'],
      ['koi8-r', '─дA'.replace('д', 'Д')],
      'A€',
      'RangeError',
      false,
    ],
  ],
  [
    'base64',
    `return [btoa('\\xff\\0a'), atob(' /wBh\\n'), atob('YQ'), t(() => atob('a')), t(() => atob('YQ=')), t(() => btoa('€')), btoa(1), new Uint8Array([1, 255]).toBase64(), [...Uint8Array.fromBase64('_w', { alphabet: 'base64url' })], Uint8Array.fromHex('0aff')[1]]`,
    ['/wBh', '\xff\0a', 'a', 'InvalidCharacterError', 'InvalidCharacterError', 'InvalidCharacterError', 'MQ==', 'Af8=', [255], 255],
  ],
]);

check([
  [
    'structuredClone keeps kinds, cycles and what is shared',
    `const shared = { n: 1 }; const v = { d: new Date(5), r: /a\\/b/gi, m: new Map([[shared, new Set([shared])]]), s: shared, big: 10n, box: [Object('s'), Object(1), Object(true)], holes: [1, , 3], u: undefined, nan: NaN, neg: -0 }; v.self = v;
     const c = structuredClone(v); const [key, set] = [...c.m][0];
     return [c !== v, c.self === c, c.d instanceof Date && c.d.getTime(), String(c.r), key === c.s, set.has(key), key !== shared, typeof c.big, c.box.map((b) => typeof b), 1 in c.holes, c.holes.length, 'u' in c, Number.isNaN(c.nan), Object.is(c.neg, -0)]`,
    [true, true, 5, '/a\\/b/gi', true, true, true, 'bigint', ['object', 'object', 'object'], false, 3, true, true, true],
  ],
  [
    'structuredClone copies buffers, views and errors',
    `const b = new ArrayBuffer(8); const v = { a: new Uint16Array(b, 2, 2), d: new DataView(b, 1), f: new Float64Array([0.5]) }; v.a[0] = 7; const c = structuredClone(v);
     class Own extends RangeError {} const e = structuredClone(Object.assign(new Own('m', { cause: { x: 1 } }), { extra: 1 })); const n = structuredClone(Object.assign(new Error('n'), { name: 'Strange' }));
     return [c.a.buffer === c.d.buffer, c.a.buffer !== b, c.a[0], c.a.byteOffset, c.d.byteLength, c.f[0], e instanceof RangeError, e.constructor.name, e.message, e.cause, 'extra' in e, n.name]`,
    [true, true, 7, 2, 7, 0.5, true, 'RangeError', 'm', { x: 1 }, false, 'Error'],
  ],
  [
    'structuredClone drops prototypes and runs getters once',
    `class P { constructor() { this.a = 1 } get b() { return 2 } } let n = 0; const c = structuredClone({ p: new P(), get g() { return ++n }, [Symbol('s')]: 1 }); return [c.p.constructor === Object, Object.keys(c.p), c.g, n, Reflect.ownKeys(c)]`,
    [true, ['a'], 1, 1, ['p', 'g']],
  ],
  [
    'structuredClone moves what is transferred',
    `const b = new ArrayBuffer(4); const v = new Uint8Array(b); v[1] = 9; const c = structuredClone({ v }, { transfer: [b] }); return [b.byteLength, v.length, c.v[1], c.v.buffer.byteLength, t(() => structuredClone(b))]`,
    [0, 0, 9, 4, 'DataCloneError'],
  ],
  [
    'structuredClone refuses what has no copy',
    `return [() => 1, { a: { b() {} } }, new WeakMap(), new WeakSet(), new WeakRef({}), Promise.resolve(), Object(Symbol('y'))].map((x) => t(() => structuredClone(x)))`,
    Array.from({ length: 7 }, () => 'DataCloneError'),
  ],
  [
    'a DOMException is an Error with a code',
    `const e = new DOMException('m', 'AbortError'); const d = new DOMException(); return [e instanceof Error, e.name, e.message, e.code, d.name, d.message, d.code, DOMException.ABORT_ERR, String(e), Object.prototype.toString.call(e)]`,
    [true, 'AbortError', 'm', 20, 'Error', '', 0, 20, 'AbortError: m', '[object DOMException]'],
  ],
]);

check([
  [
    'dates are in UTC',
    `const d = new Date(2024, 1, 29, 13, 5, 9); return [d.getTimezoneOffset(), String(d), d.toDateString(), d.toTimeString(), d.toISOString(), d.toUTCString(), String(new Date(NaN)), Date.parse('2024-02-29'), Date.parse('2024-02-29T10:00'), Date.parse('Thu, 29 Feb 2024 10:00:00 GMT'), Date.parse('nope')]`,
    [
      0,
      'Thu Feb 29 2024 13:05:09 GMT+0000 (Coordinated Universal Time)',
      'Thu Feb 29 2024',
      '13:05:09 GMT+0000 (Coordinated Universal Time)',
      '2024-02-29T13:05:09.000Z',
      'Thu, 29 Feb 2024 13:05:09 GMT',
      'Invalid Date',
      1709164800000,
      1709200800000,
      1709200800000,
      null,
    ],
  ],
  [
    'the newest of the language',
    `const it = [1, 2, 3].values().map((x) => x * 2).filter((x) => x > 2).toArray(); const { promise, resolve } = Promise.withResolvers(); resolve(4);
     const stack = new DisposableStack(); const seen = []; stack.defer(() => seen.push('end')); stack.dispose();
     return [it, await promise, await Promise.try(() => 5), [...new Set([1, 2]).union(new Set([3]))], Object.groupBy([1, 2, 3], (x) => (x % 2 ? 'odd' : 'even')), [3, 1].toSorted(), 'a\\ud800'.isWellFormed(), seen, await Array.fromAsync([Promise.resolve(6)]), RegExp.escape('a.b'), Error.isError(new Error()), Math.f16round(1.337), [1, 2, 3].findLast((x) => x < 3), 'aXbX'.replaceAll('X', '-'), [1, [2, [3]]].flat(Infinity), typeof Symbol.dispose]`,
    [
      [4, 6],
      4,
      5,
      [1, 2, 3],
      { odd: [1, 3], even: [2] },
      [1, 3],
      false,
      ['end'],
      [6],
      '\\x61\\.b',
      true,
      1.3369140625,
      2,
      'a-b-',
      [1, 2, 3],
      'symbol',
    ],
  ],
  [
    'members come in the order of the standard',
    `const o = { b: 1, 2: 1, a: 1, 1: 1 }; delete o.b; o.b = 2; return [Object.keys(o), JSON.stringify({ ...o, [Symbol('s')]: 1 }), Object.entries(Object.assign({}, 'ab'))]`,
    [
      ['1', '2', 'a', 'b'],
      '{"1":1,"2":1,"a":1,"b":2}',
      [
        ['0', 'a'],
        ['1', 'b'],
      ],
    ],
  ],
  [
    'numbers print alike',
    `return [String(1e21), (0.1 + 0.2).toString(), (255).toString(16), (1.005).toFixed(2), (1234.5678).toPrecision(6), (1e-7).toString(), 5e-324.toString(), (25).toString(36), Number('0x1f'), parseInt('12px'), (0.5).toString(2), (123.456).toExponential(2), 1e15 + 0.5]`,
    ['1e+21', '0.30000000000000004', 'ff', '1.00', '1234.57', '1e-7', '5e-324', 'p', 31, 12, '0.1', '1.23e+2', 1000000000000000.5],
  ],
  [
    'patterns match alike',
    `return ['2024-02-29'.match(/(?<y>\\d{4})-(?<m>\\d\\d)/).groups.m, 'aBc'.replace(/b/i, (x) => x + x), [...'a1b2'.matchAll(/[a-z](\\d)/g)].map((m) => m[1]), 'x😀y'.match(/./gu).length, /(?<=\\$)\\d+/.exec('cost $42')[0], 'a\\nb'.match(/^b/m).index, 'abc'.search(/c/), 'a,b;c'.split(/[,;]/), /\\bfoo\\b/y.test('foo')]`,
    ['02', 'aBBc', ['1', '2'], 3, '42', 2, 2, ['a', 'b', 'c'], true],
  ],
  [
    'sorting is stable and by code unit',
    `return [[10, 9, 1].sort(), ['b', 'a', 'C', 'ä'].sort(), [[1, 'a'], [0, 'b'], [1, 'c'], [0, 'd']].sort((x, y) => x[0] - y[0]).map((x) => x[1]).join('')]`,
    [[1, 10, 9], ['C', 'a', 'b', 'ä'], 'bdac'],
  ],
  [
    'nothing of the engine is in sight',
    `const names = (o) => Object.getOwnPropertyNames(o); const u = new URL('http://h'); u.searchParams; const all = [u, u.searchParams, new TextEncoder(), new TextDecoder(), structuredClone, URL, URLSearchParams];
     return [names(u), names(u.searchParams), Object.getOwnPropertySymbols(u).length, names(URL).sort(), typeof InternalError, typeof SharedArrayBuffer, typeof Atomics, typeof WebAssembly, typeof gc, typeof print, typeof Error.prepareStackTrace, all.every((x) => !names(x).some((n) => /impl|cqjs|bind|replace/i.test(n)))]`,
    [
      [],
      [],
      0,
      ['canParse', 'length', 'name', 'parse', 'prototype'],
      'undefined',
      'undefined',
      'undefined',
      'undefined',
      'undefined',
      'undefined',
      'undefined',
      true,
    ],
  ],
  [
    'functions of the platform have their names',
    `return [URL, URLSearchParams, TextEncoder, TextDecoder, structuredClone, Event, AbortSignal, setTimeout, console.log, console.count, console.groupCollapsed, Math.random, crypto.randomUUID, Date, Error.captureStackTrace, ampoule.callTool, ampoule.sleep, ampoule.ToolError, atob].map((f) => f.name).join()`,
    'URL,URLSearchParams,TextEncoder,TextDecoder,structuredClone,Event,AbortSignal,setTimeout,log,count,groupCollapsed,random,randomUUID,Date,captureStackTrace,callTool,sleep,ToolError,atob',
  ],
]);

/** Where SpiderMonkey, as componentize-js builds it, does not keep to the standards: docs/compatibility.md has the list. */
const onQuickJs: readonly Case[] = [
  [
    'setters refuse what is no URL',
    `const u = new URL('http://h'); return [t(() => { u.href = 'nope' }), u.href]`,
    ['TypeError', 'http://h/'],
  ],
  [
    'objects of the platform have their tags',
    `const p = new URLSearchParams(); return [p, p.entries(), new URL('http://h')].map((x) => Object.prototype.toString.call(x))`,
    ['[object URLSearchParams]', '[object URLSearchParams Iterator]', '[object URL]'],
  ],
  [
    'structuredClone says what it refuses',
    `return [t(() => structuredClone(Symbol('x'))), t(() => structuredClone(1, { transfer: [{}] })), t(() => { const x = new ArrayBuffer(1); structuredClone(x, { transfer: [x, x] }) })]`,
    ['DataCloneError', 'DataCloneError', 'DataCloneError'],
  ],
  [
    'Unicode is all there',
    `return ['ä'.normalize('NFD').length, /[\\p{L}--[a-z]]/v.test('é'), /^\\p{Lu}\\p{Script=Greek}$/u.test('ÄΩ')]`,
    [2, true, true],
  ],
];
if (inject('engineKind') === 'quickjs') check(onQuickJs);

test('text that is not well formed reaches the host with replacement characters', () => {
  const { logs, ending } = runProgram(
    engine,
    `console.log('a\\ud800'); try { await ampoule.readFile('x/\\udfff') } catch (e) { console.log(e.message) }`,
  );
  expect(ending).toEqual({ status: 'completed' });
  expect(logs.map(({ message }) => message)).toEqual(['a\ufffd', 'no file x/\ufffd']);
});

test('a location is that of the other engine for the usual mistakes', () => {
  const places = [
    'throw new Error("x")',
    'const a = {}; a.b.c',
    'const a = {}; a.b()',
    'let q = 1 + foo',
    'const c = 1; c = 2',
    'const a = {}; new a.B()',
    'null.x',
  ];
  const found = places
    .map((code) => runProgram(engine, code).ending)
    .map((ending) => `${ending?.name} ${/:(\d+:\d+)/.exec(ending?.stack ?? '')?.[1]}`);
  expect(found).toEqual([
    'Error 2:7',
    'TypeError 2:15',
    'TypeError 2:17',
    'ReferenceError 2:13',
    'TypeError 2:14',
    'TypeError 2:15',
    'TypeError 2:1',
  ]);
});

test('what is called and is no function is named', () => {
  const message = (code: string): string | undefined => runProgram(engine, code).ending?.message;
  expect(message('const a = {}; a.b()')).toBe('a.b is not a function');
  expect(message('const f = 5; f()')).toBe('f is not a function');
  expect(message('const a = {}; new a.B()')).toBe('a.B is not a constructor');
});

test('a cleanup that throws ends the run with what it threw, where the engine cleans up at once', () => {
  const cleanup =
    'const registry = new FinalizationRegistry(() => { throw new Error("cleanup") }); registry.register({}, 1); await null; await null;';
  const { ending } = runProgram(engine, `${cleanup} return registry.constructor === FinalizationRegistry;`);
  const thrown = { status: 'failed', code: 'ERR_EXECUTE_THROWN', message: 'cleanup' };
  expect(ending).toMatchObject(inject('engineKind') === 'quickjs' ? thrown : { status: 'completed' });
});
