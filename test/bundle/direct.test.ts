import { afterAll, describe, expect, test } from 'vitest';
import { scan } from '../../src/bundle/scan.ts';
import type { WrapperSet } from '../../src/wrappers/wrapper-set.ts';
import { bundleCode, errorOf, locateThrown, openBundler, runScript, WRAPPERS } from './fixture.ts';

const bundler = openBundler();
afterAll(() => bundler.close());

const tool = (server: string, name: string): string =>
  `import { callTool } from "ampoule";\nexport interface ${name}Input { a?: number }\nexport function ${name}(input: ${name}Input): Promise<unknown> {\n  return callTool("${server}", "${name}", input);\n}\n`;

const TWO_SERVERS: WrapperSet = {
  hash: 'two',
  files: new Map([
    [
      'one/index.ts',
      'export { first } from "./first.ts";\nexport { second } from "./second.ts";\nexport type { firstInput } from "./first.ts";\n',
    ],
    ['one/first.ts', tool('one', 'first')],
    ['one/second.ts', tool('one', 'second')],
    ['two/index.ts', 'export { first } from "./first.ts";\n'],
    ['two/first.ts', tool('two', 'first')],
  ]),
  tools: [],
};

const run = async (code: string, input?: unknown): Promise<unknown> => runScript(await bundleCode(bundler, code, TWO_SERVERS), input);

/** esbuild marks what it linked itself; what was linked directly has its wrappers in front. */
const isDirect = async (code: string): Promise<boolean> => /\$ampoule_*0=/.test((await bundleCode(bundler, code, TWO_SERVERS)).script);

describe('a program that imports only servers and ampoule', () => {
  test('is linked directly, with the functions that it names and no others', async () => {
    const { script } = await bundleCode(bundler, 'import * as one from "servers/one";\nreturn one.second({ a: 1 });', TWO_SERVERS);
    expect(script).toContain('"second"');
    expect(script).not.toContain('"first"');
    expect(
      await runScript(await bundleCode(bundler, 'import * as one from "servers/one";\nreturn one.second({ a: 1 });', TWO_SERVERS)),
    ).toEqual(['one', 'second', { a: 1 }]);
  });

  test.each([
    [
      'import { first as f } from "servers/one";\nimport { first } from "servers/two";\nreturn [await f({}), await first({})];',
      [
        ['one', 'first', {}],
        ['two', 'first', {}],
      ],
    ],
    ['import { first } from "servers/one/first";\nreturn first({});', ['one', 'first', {}]],
    ['import { first } from "servers/one/first.ts";\nreturn first({});', ['one', 'first', {}]],
    ['import { callTool as call } from "ampoule";\nreturn call("x", "y");', ['x', 'y']],
    ['import * as ampoule from "ampoule";\nreturn ampoule.callTool("x", "y");', ['x', 'y']],
    ['import * as host from "ampoule";\nreturn Object.keys(host).length;', 7],
    [
      'import type { firstInput } from "servers/one";\nimport { type firstInput as Same, first } from "servers/one";\nconst a: firstInput & Same = { a: 2 };\nreturn first(a);',
      ['one', 'first', { a: 2 }],
    ],
    [
      'import * as one from "servers/one";\nconst later = () => one.first({});\n{ const one = { second: () => "inner" };\nif (one.second() !== "inner") throw 1; }\nreturn later();',
      ['one', 'first', {}],
    ],
    ['import { first } from "servers/one";\nreturn inner();\nfunction inner() { return first({}); }', ['one', 'first', {}]],
    [
      'import { first } from "servers/one";\nenum E { A = 4 }\nnamespace N { export const b = E.A; }\nexport default async (input) => [N.b, input, await first({})];',
      [4, 7, ['one', 'first', {}]],
    ],
    ['import * as one from "servers/one";\nimport * as same from "servers/one";\nreturn one.first === same.first;', true],
    [
      'const $ampoule = 1, $ampoule0 = 2;\nimport { first } from "servers/one";\nreturn [$ampoule, $ampoule0, (await first({}))[0]];',
      [1, 2, 'one'],
    ],
    ['import "servers/one";\nreturn 3;', 3],
  ])('%j works', async (code, result) => {
    expect(await run(code, 7)).toEqual(result);
  });

  test('cannot change what it imports', async () => {
    await expect(run('import * as one from "servers/one";\none.first = null as never;\nreturn one.first;')).rejects.toThrow(TypeError);
    expect(
      await errorOf(bundleCode(bundler, 'import { first } from "servers/one";\nfirst = 1;\nreturn first;', TWO_SERVERS)),
    ).toMatchObject({
      code: 'ERR_BUNDLE_SYNTAX',
    });
  });

  test('keeps its positions', async () => {
    const code =
      'import * as github from "servers/github";\nconst a = 1;\nfunction fail(): never { throw new Error("x"); }\nawait github.listIssues({ repo: "a" });\nfail();';
    const [first, second] = await locateThrown(await bundleCode(bundler, code, WRAPPERS));
    expect([first, second]).toMatchObject([{ line: 3 }, { line: 5 }]);
  });
});

describe('a program that needs only its types taken away', () => {
  test('stays as the agent wrote it', async () => {
    const code = 'import { first } from "servers/one";\nconst a: number = 1; // a note\nreturn [a as unknown, await first({})];';
    const { script } = await bundleCode(bundler, code, TWO_SERVERS);
    expect(script).toContain('const a         = 1; // a note');
    expect(await run(code)).toEqual([1, ['one', 'first', {}]]);
  });

  test.each([
    ['const f = async <T,>(x: T): Promise<T> => x;\nreturn f<number>(3);', 3],
    ['const f = (a: number):\n  number => a;\nreturn f(4);', 4],
    ['let a = 1\ntype A = number\n;[a] = [2] as [A]\nreturn a', 2],
    ['const a = [1, 2] as const\n;(a satisfies readonly number[]).length\nreturn a[1]!', 2],
    ['class A<T> { x?: T; readonly y = 2; get z(): number { return this.y; } }\nreturn new A<string>().z;', 2],
    [
      'abstract class A { abstract f(): void; private g(this: A) { return 5; } h() { return this.g(); } }\nreturn new (class extends A { f() {} })().h();',
      5,
    ],
    ['function f(a: string): string;\nfunction f(a: any) { return a; }\nreturn f("é😀 " as "é😀");', 'é😀 '],
    ['let x = 3, n = 0;\nwhile (x --> 0) n++;\nreturn n;', 3],
    ['return this;', undefined],
    ['const { a, ...rest }: { a: number; b: number } = { a: 1, b: 2 };\nlet c = 0;\nfor (c of [7]) c += rest.b;\nreturn c + a;', 10],
  ])('%j gives what it should', async (code, result) => {
    expect(await run(code)).toEqual(result);
  });

  test.each([
    ['const a = 1;\na = 2;\nreturn a;', 'ERR_BUNDLE_SYNTAX'],
    ['const { a } = { a: 1 };\na++;\nreturn a;', 'ERR_BUNDLE_SYNTAX'],
    ['let a = 1;\nlet a = 2;\nreturn a;', 'ERR_BUNDLE_SYNTAX'],
    ['return 010;', 'ERR_BUNDLE_SYNTAX'],
    ['let d = 1;\nreturn 2 <!--d;', 'ERR_BUNDLE_SYNTAX'],
    ['with ({}) {}', 'ERR_BUNDLE_SYNTAX'],
  ])('%j is refused as before', async (code, error) => {
    expect((await errorOf(bundleCode(bundler, code))).code).toBe(error);
  });

  test.each([
    'using a = null;\nreturn 1;',
    'await using a = null;\nreturn 1;',
    'const d = (f: any, c: any) => f;\nclass A { @d f() { return 1; } }\nreturn new A().f();',
  ])('%j is made older by esbuild', async (code) => {
    const { script } = await bundleCode(bundler, code);
    expect(script).not.toMatch(/\busing\b|@d/);
    expect(await runScript(await bundleCode(bundler, code))).toBe(1);
  });
});

describe('esbuild links', () => {
  test.each([
    'import * as one from "servers/one";\nreturn Object.keys(one).sort();',
    'import * as one from "servers/one";\nconst name = "first";\nreturn (await one[name]({}))[0];',
    'const { first } = await import("servers/one");\nreturn first({});',
    'import { firstInput, first } from "servers/one";\nconst a: firstInput = {};\nreturn first(a);',
  ])('%j', async (code) => {
    expect(await isDirect(code)).toBe(false);
    expect(await run(code)).toBeDefined();
  });

  test.each([
    ['import * as one from "servers/one";\nreturn one.third({});', '"servers/one" has no export "third"'],
    ['import { third } from "servers/one";\nreturn third({});', '"servers/one" has no export "third"'],
    ['import { sendMail } from "ampoule";\nreturn sendMail();', '"ampoule" has no export "sendMail"'],
    ['import one from "servers/one";\nreturn one;', '"servers/one" has no export "default"'],
  ])('and explains %j', async (code, message) => {
    const error = await errorOf(bundleCode(bundler, code, TWO_SERVERS));
    expect(error.code).toBe('ERR_BUNDLE_IMPORT');
    expect(error.message).toContain(message);
  });
});

describe('what a text does with a module that it imports', () => {
  test.each([
    ['m.a(); m.b?.(); m?.c;', ['a', 'b', 'c']],
    ['const x = { m: 1 }; m.a();', undefined],
    ['m.a(); f(m);', undefined],
    ['m["a"]();', undefined],
    ['let t: m.Type = m.a();', ['a']],
    ['const { a } = m;', undefined],
    ['export { m };', undefined],
    ['', []],
  ])('%j', (text, members) => {
    const found = scan(`import * as m from "servers/one";\n${text}`);
    expect(found.kind === 'scan' && found.bindings?.[0]?.members).toEqual(members);
  });
});
