import { afterAll, expect, test } from 'vitest';
import { wrapperModules } from '../../src/check/wrapper-modules.ts';
import type { WrapperSet } from '../../src/wrappers/wrapper-set.ts';
import { catalog, server, tool } from '../wrappers/catalogs.ts';
import { NASTY_SCHEMAS } from '../wrappers/nasty-schemas.ts';
import { openChecker, shown, SIGNAL, wrappersOf } from './fixture.ts';

const checker = openChecker();
afterAll(() => checker.close());

const nastyTools = Object.entries(NASTY_SCHEMAS).map(([name, schema]) =>
  tool(name, schema, { outputSchema: schema as never, description: '*/ } " \u2028' }),
);
const nasty = await wrappersOf(catalog(server('nasty', nastyTools), server('constructor', [tool('__proto__'), tool('delete')])));

test('every tool of a nasty catalog can be imported and called', async () => {
  const functions = nasty.tools.filter(({ folder }) => folder === 'nasty').map(({ functionName }) => functionName);
  const code = `import * as nasty from "servers/nasty";\nimport * as other from "servers/${nasty.tools[0]?.folder}";\nreturn [${functions.map((name) => `await nasty.${name}({} as never)`).join(', ')}, other];`;
  expect(shown(await checker.check({ code, wrappers: nasty }, SIGNAL))).toEqual([]);
});

test('the schemas of a nasty catalog are checked', async () => {
  const code =
    'import { plain, recursive } from "servers/nasty";\nawait plain({ repo: 1 });\nreturn recursive({ tree: { value: 1, children: [{ value: 2, children: 3 }] } });';
  const found = shown(await checker.check({ code, wrappers: nasty }, SIGNAL));
  expect(found).toHaveLength(2);
  expect(found[0]).toContain('Expected in PlainInput: repo: string.');
});

test('a server is one module, so that its size costs nothing', () => {
  const files = wrapperModules(nasty);
  const index = files.get('/ampoule-check/servers/nasty/index.ts');
  expect(index).toContain('function plain');
  expect(index).not.toMatch(/^import /mu);
});

test('a server whose files declare the same name twice works all the same', async () => {
  const files = new Map([
    ['twice/index.ts', 'export { a } from "./a.ts";\nexport { b } from "./b.ts";\n'],
    [
      'twice/a.ts',
      'import { callTool } from "ampoule";\ninterface Same { x: string }\nexport function a(input: Same): Promise<Same> { return callTool("t", "a", input) as Promise<Same>; }\n',
    ],
    [
      'twice/b.ts',
      'import { callTool } from "ampoule";\ninterface Same { y: number }\nexport function b(input: Same): Promise<Same> { return callTool("t", "b", input) as Promise<Same>; }\n',
    ],
  ]);
  const wrappers: WrapperSet = { hash: 'twice', files, tools: [] };
  const check = async (code: string): Promise<string[]> => shown(await checker.check({ code, wrappers }, SIGNAL));
  expect(
    await check('import { a, b } from "servers/twice";\nreturn [(await a({ x: "" })).x.length, (await b({ y: 1 })).y.toFixed()];'),
  ).toEqual([]);
  expect((await check('import { b } from "servers/twice";\nreturn b({ x: "" });')).join()).toContain("'x' does not exist in type 'Same'");
});
