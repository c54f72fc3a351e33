import { afterAll, describe, expect, test } from 'vitest';
import { bundleCode, createInstallation, errorOf, locateThrown, openBundler, runScript } from './fixture.ts';

const quickjs = openBundler();
const starlingmonkey = openBundler({ engine: 'starlingmonkey' });
afterAll(() => Promise.all([quickjs.close(), starlingmonkey.close()]));

const FAIL = 'const fail = (): never => { throw new Error("x") };';

describe('regular expressions for an engine without the tables of Unicode', () => {
  test('are written out, and match what they did', async () => {
    const code = String.raw`
const a = 6, g = 2, v = 3;
return [/\p{Nd}+\/[/\p{L}]/u.exec("٣/é")?.[0], "aÉb".match(/[\p{L}--[a-z]]/gv), a /g/v, /(?<word>\p{Lu})/u.exec("xÉ")?.groups?.word, ${'`'}/\p{L}/u${'`'}, /\p{L}/.source];`;
    const bundle = await bundleCode(starlingmonkey, code);
    expect(bundle.script).not.toMatch(/\\p\{(?:Nd|Lu)\}/);
    expect(await runScript(bundle)).toEqual(['٣/é', ['É'], 1, 'É', '/p{L}/u', '\\p{L}']);
  });

  test('stay as they are on the engine that has the tables', async () => {
    expect((await bundleCode(quickjs, String.raw`return /\p{L}/u;`)).script).toContain(String.raw`/\p{L}/u`);
  });

  test('of libraries are written out, too', async () => {
    await using installation = await createInstallation({
      'node_modules/words/package.json': '{"name":"words","version":"1.0.0","main":"index.js"}',
      'node_modules/words/index.js': String.raw`exports.words = (text) => text.match(/\p{L}+/gu);`,
    });
    await using bundler = openBundler({ engine: 'starlingmonkey', libraries: ['words'], resolveFrom: installation.root });
    const bundle = await bundleCode(bundler, 'import { words } from "words";\nreturn words("añ 1 b");');
    expect(bundle.script).not.toContain(String.raw`\p{L}`);
    expect(await runScript(bundle)).toEqual(['añ', 'b']);
  });

  test('leave what cannot be read to the engine', async () => {
    expect((await bundleCode(starlingmonkey, String.raw`return /\p{Klingon}/u;`)).script).toContain(String.raw`/\p{Klingon}/u`);
  });
});

test.each([
  ['a regular expression before it', String.raw`${FAIL}${'\n'}const a = /\p{L}/u, b = /[\w--\d]/v; fail();`],
  ['one behind it', String.raw`${FAIL}${'\n'}fail(); /\p{L}/u;`],
  ['Temporal', `${FAIL}\nTemporal; fail();`],
  ['Temporal, a regular expression and an enum', String.raw`enum E { A } Temporal;${FAIL}${'\n'}/\p{L}/u.test("a"); fail();`],
])('positions are those of the agent with %s', async (_, code) => {
  const frames = await locateThrown(await bundleCode(starlingmonkey, code));
  const [, second = ''] = code.split('\n');
  expect(frames[1]).toEqual({ line: 2, column: second.indexOf('fail(') + 1, source: second });
});

test('a script that names Temporal begins with it; another has nothing of it', async () => {
  const [with_, without] = await Promise.all([
    bundleCode(quickjs, 'return Temporal.PlainDate.from("2024-02-29").add({ days: 1 }).toString();'),
    bundleCode(quickjs, 'return 1;'),
  ]);
  expect(await runScript(with_)).toBe('2024-03-01');
  expect(without.script.length).toBeLessThan(400);
});

describe('parameters that QuickJS keeps twice', () => {
  test.each([
    ['function f(a: number, get = () => a) { a = 2; return get(); }', 'a', 29],
    ['const f = (a = 1, { b, set = () => { b = 5; } } = {} as any) => b;', 'b', 30],
    ['class A { m(list: number[], first = function () { return list; }) { list = [1]; return first(); } }', 'list', 37],
    ['const f = (n: number, c = class { x = n; }) => { n++; return new c().x; };', 'n', 27],
  ])('are refused before the run in %s', async (code, name, column) => {
    const error = await errorOf(bundleCode(quickjs, code));
    expect(error.code).toBe('ERR_BUNDLE_FORM');
    expect(error.message).toContain(`The parameter "${name}" is assigned`);
    expect(error.details).toMatchObject({ location: { line: 1, column }, hint: expect.stringContaining(`let current = ${name}`) });
    await expect(bundleCode(starlingmonkey, code)).resolves.toBeDefined();
  });

  test.each([
    'const f = (list: number[], by = (a: number, b: number) => a - b) => { let a = 1; a++; return list.sort(by)[a]; };',
    'const f = (a: number, get = () => a) => { const b = a; return get() + b; };',
    'const f = (o: any, get = () => o.x) => { o.x = 2; return get(); };',
    'const f = (a: number, b = a) => { a = 2; return b; };',
    'const f = (a: number, get = (q: any) => q.a) => { a = 2; return get({ a }); };',
    'const f = (a: number) => { const get = () => a; a = 2; return get(); };',
  ])('are none in %s', async (code) => {
    await expect(bundleCode(quickjs, code)).resolves.toBeDefined();
  });
});

describe('namespaces of one name', () => {
  test('see what the others export', async () => {
    const code = `namespace N { export const a = 1; export enum E { X = 5 } }
const between = N.a;
namespace N { export const b = a + between + E.X; }
namespace Other { export const c = N.b; }
namespace N { export const d = a + b; }
return [N.a, N.b, Other.c, N.d];`;
    expect(await runScript(await bundleCode(quickjs, code))).toEqual([1, 7, 7, 8]);
  });

  test('have their own positions in frames and messages', async () => {
    const frames = await locateThrown(
      await bundleCode(quickjs, `${FAIL}\nnamespace N { export const a = 1; }\nnamespace N { export const b = a + fail(); }`),
    );
    expect(frames[1]).toMatchObject({ line: 3, column: 36 });
    const error = await errorOf(bundleCode(quickjs, 'namespace N { export const a = 1; }\nnamespace N {\n  export const b = await 1;\n}'));
    expect(error).toMatchObject({ code: 'ERR_BUNDLE_SYNTAX', details: { location: { line: 3 } } });
  });
});

test('a declared const enum, which has no values, is refused before the run', async () => {
  const error = await errorOf(bundleCode(quickjs, 'const a = 1;\n  declare const enum D { A = 4 }\nreturn D.A;'));
  expect(error).toMatchObject({ code: 'ERR_BUNDLE_FORM', details: { location: { line: 2, column: 3 } } });
  expect(await runScript(await bundleCode(quickjs, 'const enum D { A = 4 }\nreturn D.A;'))).toBe(4);
});
