import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { bundleCode, errorOf, openBundler, runScript, WRAPPERS } from './fixture.ts';

const bundler = openBundler();
afterAll(() => bundler.close());

async function run(code: string, input?: unknown): Promise<unknown> {
  return await runScript(await bundleCode(bundler, code), input);
}

describe('the result of a program', () => {
  test.each([
    ['a top-level return', 'const x: number = await Promise.resolve(1);\nreturn x + input.a', 3],
    ['a return in a block', 'if (input.a) { return "early" }\nreturn "late"', 'early'],
    ['no return', 'const x = 1;', undefined],
    ['no code', '', undefined],
    ['a default expression', 'export default 1 + input.a', 3],
    ['a default expression without semicolon before a bracket', 'export default 1\n;["a"].map((x) => x)', 1],
    ['a typed default expression', 'export default { a: 1 } satisfies object as { a: number }', { a: 1 }],
    ['a default arrow function, called with input', 'export default async (i: { a: number }) => i.a', 2],
    ['a default function, named', 'export default function main(i: { a: number }) { return i.a }\n(5)', 2],
    ['a default function, unnamed', 'export default function (i: { a: number }) { return i.a }\n(5)', 2],
    ['a default function with overloads', 'export default function f(i: 1): 1;\nexport default function f(i: any) { return i.a }', 2],
    ['a name exported as default', 'const y = await 7;\nexport { y as default, y as other };', 7],
    ['a default export whose value changes later', 'let y = 1;\nexport { y as default };\ny = 2;', 2],
    ['input that the program declares anew', 'const input = { b: 4 };\nexport default (i: { a: number }) => i.a + input.b', 6],
  ])('is that of %s', async (_, code, expected) => {
    expect(await run(code, { a: 2 })).toEqual(expected);
  });

  test('is the class itself when a class is the default export', async () => {
    const result = await run('export default abstract class Foo { static a = 1 }');
    expect(result).toBeTypeOf('function');
    expect({ ...(result as object) }).toEqual({ a: 1 });
  });

  test('is the decorated class of an unnamed default export', async () => {
    const result = await run('const mark = (c: any, _: unknown) => { c.marked = true };\n@mark export default class { }');
    expect({ ...(result as object) }).toMatchObject({ marked: true });
  });

  test('may not be given in both forms', async () => {
    const error = await errorOf(bundleCode(bundler, 'export default 1;\n\n  return 2;'));
    expect(error.code).toBe('ERR_BUNDLE_FORM');
    expect(error.details.location).toEqual({ line: 3, column: 3, source: '  return 2;' });
  });

  test.each(['export = 1', 'export { log as default } from "ampoule"', 'export as namespace X'])('cannot be given as %s', async (code) => {
    expect((await errorOf(bundleCode(bundler, code))).code).toBe('ERR_BUNDLE_FORM');
  });

  test('may not be exported twice', async () => {
    const error = await errorOf(bundleCode(bundler, 'export default 1;\nexport default 2;'));
    expect(error.code).toBe('ERR_BUNDLE_SYNTAX');
    expect(error.details.location?.line).toBe(2);
  });
});

describe('TypeScript', () => {
  test.each([
    ['enums', 'enum E { A = 3 }\nconst enum F { B = 9 }\nexport enum G { C }\nreturn [E.A, F.B, G.C]', [3, 9, 0]],
    ['namespaces', 'const n = 2; export namespace X { export const a = n; export namespace Y { export const b = a } }\nreturn X.Y.b', 2],
    ['a namespace merged with an enum', 'enum E { A }\nnamespace E { export const b = 7 }\nreturn E.b', 7],
    ['an import alias', 'namespace X { export const a = 1 }\nimport Y = X;\nreturn Y.a', 1],
    [
      'declarations without code',
      'declare global { interface Q {} }\ndeclare const z: number;\ntype T<X> = X;\nexport interface I {}\nreturn 1',
      1,
    ],
    ['generic arrow functions', 'const f = <T,>(x: T): T => x;\nreturn f<number>(1)', 1],
    ['parameter properties', 'class A { constructor(private readonly x: number) {} get() { return this.x } }\nreturn new A(4).get()', 4],
    ['using', 'const seen: string[] = [];\n{ using x = { [Symbol.dispose]() { seen.push("end") } }; }\nreturn seen', ['end']],
    ['decorators', 'const d = (v: any, c: any) => function () { return c.name };\nclass A { @d m() {} }\nreturn (new A() as any).m()', 'm'],
    [
      'type-only imports',
      'import type { ListIssuesInput } from "servers/github";\nconst i: ListIssuesInput = { repo: "r" };\nreturn i.repo',
      'r',
    ],
  ])('has %s', async (_, code, expected) => {
    expect(await run(code)).toEqual(expected);
  });

  test.each([
    ['a byte order mark', '\uFEFFreturn 1'],
    ['CRLF', 'const a = 1;\r\nreturn a;\r\n'],
    ['a hashbang line', '#!/usr/bin/env node\nreturn 1'],
    ['a line separator in a string', 'return "\u2028".length'],
    ['a lone surrogate in a string', 'return "\uD800".length'],
    ['a Markdown fence around it', '```ts\nreturn 1\n```\n'],
    ['a fence and a hashbang', '~~~\r\n#!/bin/x\r\nreturn 1\r\n~~~'],
    ['names that the bundler itself uses', 'const $result = 1, $ampouleProgram = 2, value = 3, ampoule = 4; return $result'],
  ])('may come with %s', async (_, code) => {
    expect(await run(code)).toBe(1);
  });

  test('is bundled in strict mode', async () => {
    expect(await run('return (function () { return this === undefined })()')).toBe(true);
  });

  test('may have fifty namespaces, and no more', async () => {
    const namespaces = (count: number): string =>
      Array.from({ length: count }, (_, index) => `namespace N${index} { export const a = ${index} }\n`).join('');
    expect(await run(`${namespaces(50)}return N49.a`)).toBe(49);
    expect((await errorOf(bundleCode(bundler, namespaces(51)))).code).toBe('ERR_BUNDLE_FORM');
  });

  test('is not JSX', async () => {
    expect((await errorOf(bundleCode(bundler, 'return <a>b</a>'))).code).toBe('ERR_BUNDLE_SYNTAX');
  });
});

describe('the script', () => {
  test('has the form that the engine loads', async () => {
    const { script } = await bundleCode(bundler, 'import { listIssues } from "servers/github";\nreturn await listIssues({ repo: "r" })');
    expect(script.endsWith('\n//# sourceURL=program.js\n')).toBe(true);
    expect(script).not.toMatch(/\bimport\b|\bexport\b|interface/u);
  });

  test('holds nothing that the program does not use', async () => {
    const { script } = await bundleCode(bundler, 'import { log } from "ampoule";\nlog("info", "x")');
    expect(script).not.toContain('readFile');
    expect(script.length).toBeLessThan(600);
  });

  test('has the same bytes in another process and another folder', async () => {
    const code = 'import * as g from "servers/github";\nenum A { B }\nexport default () => [A.B, g.listIssues]';
    const { script } = await bundleCode(bundler, code);
    const fixture = new URL('fixture.ts', import.meta.url).href;
    const program = `const f = await import(${JSON.stringify(fixture)}); const b = f.openBundler({ resolveFrom: '/' });
      process.stdout.write((await f.bundleCode(b, ${JSON.stringify(code)})).script); await b.close();`;
    const other = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: '/', encoding: 'utf8', timeout: 30_000 });
    expect(other).toBe(script);
  });

  test('is the very same object for the same code and wrappers', async () => {
    const first = await bundleCode(bundler, 'return 41');
    expect(await bundleCode(bundler, 'return 41')).toBe(first);
    expect(await bundleCode(bundler, 'return 41', { ...WRAPPERS, hash: 'b2' })).not.toBe(first);
  });
});

describe('syntax errors', () => {
  test.each([
    ['const a = 1;\nconst b = ;', { line: 2, column: 11, source: 'const b = ;' }],
    ['import { log } from "ampoule";\r\nlet a; let a;', { line: 2, column: 12, source: 'let a; let a;' }],
    ['```js\nconst é = "ü"; let a; let a;\n```', { line: 2, column: 27, source: 'const é = "ü"; let a; let a;' }],
    ['function f() { await 1 }', { line: 1, column: 16, source: 'function f() { await 1 }' }],
    ['namespace X {\n  let b; let b;\n}', { line: 2, column: 14, source: '  let b; let b;' }],
  ])('of %j are at the right position', async (code, location) => {
    const error = await errorOf(bundleCode(bundler, code));
    expect(error.code).toBe('ERR_BUNDLE_SYNTAX');
    expect(error.details.location).toEqual(location);
    expect(error.message).not.toMatch(/program|agent:|\/|\(\d+:\d+\)/u);
  });

  test('are given ten at a time', async () => {
    const error = await errorOf(bundleCode(bundler, 'let a;\n'.repeat(30)));
    expect(error.details.diagnostics).toHaveLength(10);
    expect(error.details.diagnostics?.[9]?.location?.line).toBe(11);
  });
});

test('no comment in the code makes the bundler read a source map', async () => {
  const self = new URL(import.meta.url).href;
  for (const comment of [
    `//# sourceMappingURL=${self}`,
    `/*# sourceMappingURL=${self} */`,
    '//# sourceMappingURL=data:application/json,{"version":3,"sources":["evil.ts"],"names":[],"mappings":"AAAA"}',
  ]) {
    const bundle = await bundleCode(bundler, `${comment}\nthrow new Error("x")\n${comment}`);
    const line = bundle.script.split('\n').findIndex((text) => text.includes('throw')) + 1;
    expect(bundle.locate(line, bundle.script.split('\n')[line - 1]!.indexOf('throw') + 1)).toMatchObject({ line: 2, column: 1 });
  }
  expect(readFileSync(new URL(import.meta.url), 'utf8')).toContain('sourceMappingURL');
});
