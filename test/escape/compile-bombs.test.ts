import { describe } from 'vitest';
import { attackCompileStage, IMPORT, SYNTAX, THROWN, TYPES } from './compile-attack.ts';
import { sampled } from './sampled.ts';

/** Programs that attack what reads, checks and bundles them: by odd forms of the language, by size, nesting and types. */
const { all } = attackCompileStage();

const TIME = 'ERR_CHECK_TIMEOUT';

describe('forms of the language', () => {
  all([
    ['a byte order mark, twice', '\uFEFF\uFEFFreturn 1', { value: 1 }],
    ['a hashbang that a line separator ends', '#!x\u2028return 4', { value: 4 }],
    ['a hashbang in the middle', 'return 1\n#!/x', SYNTAX, 2],
    ['a fence with code for a language', '```ts; } evil(\nreturn 1\n```', { value: 1 }],
    ['two fences', '```ts\nreturn 1\n```\n```ts\nreturn 2\n```', SYNTAX],
    ['a fence that is not closed', '```ts\nreturn 1', SYNTAX],
    ['separators in a template', 'return `a\u2028b\u2029c`.length', { value: 5 }],
    ['a separator in a regular expression', 'return /\u2028/.source', SYNTAX],
    ['half a surrogate pair in the text', 'return "\ud800".length', { value: 1 }],
    ['half a surrogate pair as code', '\ud800', SYNTAX, 1],
    ['a NUL', 'return 1;\u0000', SYNTAX, 1],
    ['marks of direction', '\u202E return 1', SYNTAX, 1],
    ['controls', '\u0001\u001B[2Jreturn 1', SYNTAX, 1],
    [
      'decorators that throw when they are applied',
      'const d: any = () => { throw new Error("d") };\nclass A { @d m() {} }\nreturn 1',
      THROWN,
      1,
    ],
    ['parameter decorators', 'const d: any = 0; class A { m(@d x: any) {} } return 1', SYNTAX],
    [
      'decorators in front of an export and behind it',
      'const d: any = (v: any) => v; @d export class A {} export @d class B {} return [typeof A, typeof B]',
      { value: ['function', 'function'] },
    ],
    [
      'enums with names that every object has',
      'enum E { __proto__ = 1, constructor = 2 } return [E.__proto__, E[2], Object.getPrototypeOf(E) === Object.prototype]',
      { value: [1, 'constructor', true] },
    ],
    ['a namespace called __proto__', 'namespace __proto__ { export const x = 1 } return ({} as any).x ?? null', { value: null }],
    ['namespaces called as globals are', 'namespace undefined { export const x = 1 } return 1', { value: 1 }],
    ['a return in a namespace', 'namespace N { return 1 }\nreturn 2', SYNTAX, 1],
    ['a require in a namespace', 'namespace N { import fs = require("fs") } return 2', [TYPES, SYNTAX, IMPORT]],
    ['a regular expression that is none', 'return new RegExp("[").source', THROWN],
    ['this, super, new.target and yield at the top', 'return super.x', SYNTAX],
    ['__proto__ twice', 'return { __proto__: null, "__proto__": 1 }', SYNTAX],
    ['a using that throws at the end', 'using x = { [Symbol.dispose]() { throw new Error("d") } };\nreturn 1', THROWN, 1],
  ]);
});

describe('bombs of size, nesting and types', () => {
  const S = 250_000;
  const fill = (part: string, size = S): string => part.repeat(Math.floor(size / part.length));
  const NESTED = [SYNTAX, 'ERR_BUNDLE_FAILED'];
  // Most of them end before there is an engine.
  const bombs: Parameters<typeof all>[0] = [
    ['more text than is allowed', `return "${'x'.repeat(300_000)}"`, 'ERR_SERVER_INPUT'],
    ['a quarter of a megabyte in one literal', `return "${'x'.repeat(S)}".length`, { value: S }],
    ['a number of 250,000 digits', `return ${'9'.repeat(S)} === Infinity`, { value: true }],
    ['a quarter of a million lines', `${'\n'.repeat(S)}throw new Error("x")`, THROWN, S + 1],
    ['lines of \\r\\n', `${'\r\n'.repeat(100_000)}throw new Error("x")`, THROWN, 100_001],
    ['parentheses', `return ${fill('(', S / 2)}1${fill(')', S / 2)}`, NESTED],
    ['arrays', `return ${fill('[', S / 2)}${fill(']', S / 2)}`, NESTED],
    ['functions', `return ${fill('a=>')}1`, NESTED],
    ['templates', `return ${fill('`${', 120_000)}1${fill('}`', 120_000)}`, NESTED],
    ['patterns', `const ${fill('[', S / 2)}a${fill(']', S / 2)} = 1 as any; return 1`, NESTED],
    [
      'groups of a regular expression',
      `return /${'('.repeat(30_000)}${')'.repeat(30_000)}/.source.length`,
      ['ERR_COMPONENT_LOAD', 'ERR_EXECUTE_STACK', THROWN, 'completed', TYPES],
    ],
    [
      'a chain of members',
      `const a: any = new Proxy({}, { get: (t, k, r) => r }); a${fill('.b', 60_000)}; return 1`,
      [TIME, ...NESTED, 'completed', 'ERR_COMPONENT_LOAD', 'ERR_COMPONENT_STACK'],
    ],
    ['generics', `let x: ${fill('Array<', 120_000)}1${'>'.repeat(20_000)}; return 1`, NESTED],
    [
      'a union of ten million texts',
      'type D = 0|1|2|3|4|5|6|7|8|9; type S = `${D}${D}${D}${D}${D}${D}${D}`; const s: S = "1234567"; return s',
      [TYPES, TIME],
    ],
    [
      'a conditional type without an end',
      'type F<T, A extends any[] = []> = T extends never ? 1 : F<T, [...A, T]>; let x: F<1>; return 1',
      [TYPES, TIME],
    ],
    [
      'a text taken apart letter by letter',
      `type P<S extends string> = S extends \`\${infer A}\${infer B}\` ? [A, ...P<B>] : []; type X = P<"${'a'.repeat(5000)}">; let x: X; return 1`,
      [TYPES, TIME],
    ],
    [
      'types that double',
      `type D<T> = [T, T] extends [infer A, infer B] ? { a: A; b: B; c: [A, B] } : never;\n${Array.from({ length: 60 }, (_, i) => `type T${i} = ${i === 0 ? '1' : `D<T${i - 1}> | [T${i - 1}, T${i - 1}]`};`).join('\n')}\nconst x: T59 = 5 as any as T58; return 1`,
      [TYPES, TIME],
    ],
    [
      'enums whose texts double with each member',
      `enum E { a = "${'x'.repeat(1000)}", ${Array.from({ length: 24 }, (_, i) => `a${i} = ${i === 0 ? 'a' : `a${i - 1}`} + ${i === 0 ? 'a' : `a${i - 1}`}`).join(', ')} } return E.a.length`,
      'ERR_BUNDLE_TOO_LARGE',
    ],
    [
      'a text of an enum in a hundred thousand places',
      `const enum E { a = "${'x'.repeat(10_000)}" } return [${fill('E.a,')}].length`,
      'ERR_BUNDLE_TOO_LARGE',
    ],
    ['ten thousand errors in one line', fill('qq;', 30_000), [TYPES, TIME]],
    ['sixty thousand broken rules in one line', fill('break q;'), SYNTAX, 1],
  ];
  all(sampled(bombs));
});
