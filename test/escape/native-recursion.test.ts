import { inject } from 'vitest';
import { attack, SHORT, type Hostile } from './hostile.ts';

/**
 * Every way that is known into a recursion of the engine's own functions, with enough fuel to get to its end: on QuickJS that end is
 * the engine's own limit, and nothing else.
 */
const { all } = attack();

const isQuickJs = inject('engineKind') === 'quickjs';
const STACK = 'ERR_EXECUTE_STACK';
const ANY = [STACK, 'ERR_EXECUTE_FUEL', 'ERR_EXECUTE_THROWN', 'ERR_EXECUTE_MEMORY', 'ERR_EXECUTE_ENGINE', 'completed'];
const ENOUGH = isQuickJs ? { limits: { fuel: 20_000_000_000, timeoutMs: 20_000, waitMs: 500 } } : SHORT;

function hostile(what: string, body: string, code: string | readonly string[] = STACK): Hostile {
  return [what, body, isQuickJs ? code : ANY, ENOUGH];
}

/** A value in a value in a value, `n` deep, and what is done to the outermost. */
const deep = (make: string, use: string, n = 100_000): string => `let a = null; for (let i = 0; i < ${n}; i++) a = ${make}; ${use}`;
const source = (before: string, middle: string, after = '', n = 100_000): string =>
  `return typeof eval("${before}".repeat(${n}) + "${middle}" + "${after}".repeat(${n}))`;

all([
  hostile('parsing of parentheses', source('(', '1', ')')),
  hostile('parsing of arrays', source('[', '1', ']')),
  hostile('parsing of signs', source('!', '1', '', 1_000_000)),
  hostile('parsing of blocks', source('{', '1', '}')),
  hostile('parsing of conditions', source('if(1)', '1')),
  hostile('parsing of alternatives', source('0?0:', '1')),
  hostile('parsing of powers', source('1**', '1')),
  hostile('parsing of assignments', `globalThis.a = 1; ${source('a=', '1')}`),
  hostile('parsing of templates', source('`${', '1', '}`', 20_000)),
  hostile('parsing of classes', source('class a extends ', 'Object', '{}', 5_000)),
  hostile('parsing of operators that do not nest', source('1+', '1', '', 50_000), 'completed'),
  hostile('JSON.parse', 'return JSON.parse("[".repeat(1e6) + "]".repeat(1e6)).length'),
  hostile('a reviver', 'return JSON.parse("[".repeat(5e4) + "]".repeat(5e4), (k, v) => v).length'),
  hostile('a list in itself as text', 'const a = []; a.push(a); return String(a)'),
  hostile('a deep list as text', deep('[a]', 'return String(a)')),
  hostile('a deep list, flattened', deep('[a]', 'return a.flat(Infinity)')),
  hostile('a chain of proxies that is read', deep('new Proxy(a ?? {}, {})', 'return a.x')),
  hostile('a chain of proxies that is called', deep('new Proxy(a ?? (() => 1), {})', 'return a()')),
  hostile('a chain of proxies that is listed', deep('new Proxy(a ?? {}, {})', 'return Object.keys(a)')),
  hostile('a prototype that leads back through a proxy', 'const o = {}; Object.setPrototypeOf(o, new Proxy(o, {})); return o.x'),
  hostile('a chain of classes', 'let C = Object; for (let i = 0; i < 1e5; i++) C = class extends C {}; new C()'),
  hostile(
    'functions with many arguments bound',
    'let f = () => 1; for (let i = 0; i < 1e3; i++) f = f.bind(null, ...Array(1e3).fill(1)); f()',
  ),
  hostile('generators in generators', 'function* g(n) { if (n) yield* g(n - 1); else yield 1 } [...g(1e5)]'),
  hostile('async functions in async functions', 'async function f(n) { if (n) await f(n - 1) } await f(1e5)'),
  hostile('comparators', 'const f = () => { [2, 1].sort(f); return 0 }; f()'),
  hostile('iterators that spread themselves', 'const o = { [Symbol.iterator]() { return [...o] } }; [...o]'),
  // The engine does not look at the stack there: its end is a trap, which no program catches, and the instance is thrown away.
  hostile(
    'helpers of iterators',
    'let i = [1].values(); for (let n = 0; n < 1e5; n++) i = i.map((x) => x); try { i.next() } catch { return 1 }',
  ),
  hostile('a regular expression', 'new RegExp("(?:".repeat(3e4) + "a" + ")*".repeat(3e4))', [STACK, 'ERR_EXECUTE_THROWN']),
  hostile('letting go of a list of a million', deep('{ a }', 'a = null; return 1', 1_000_000), 'completed'),
  hostile('letting go of closures', deep('((x) => () => x)(a)', 'a = null; return 1', 300_000), 'completed'),
  hostile('letting go of promises', deep('Promise.resolve(1).then(() => a)', 'return 1'), 'completed'),
  hostile(
    'letting go of generators that have begun',
    deep('((g) => (g.next(), g))((function* (x) { yield x })(a))', 'a = null'),
    'completed',
  ),
  hostile(
    'an error of the program in a promise job',
    'const p = Promise.resolve(1), t = () => { throw 1 }; p.constructor = { [Symbol.species]: function (f) { f(t, t) } }; p.then(() => 1); await null',
    ['ERR_EXECUTE_THROWN', 'ERR_EXECUTE_ENGINE', 'completed'],
  ),
]);
