import { afterAll, expect, test } from 'vitest';
import { bundleCode, locateThrown, openBundler } from './fixture.ts';

const bundler = openBundler();
afterAll(() => bundler.close());

/** The position of the call `fail(` in a program. */
function expectedIn(code: string): { line: number; column: number; source: string } {
  const lines = code.replace(/^\uFEFF/u, '').split(/\r\n|\n/u);
  const line = lines.findIndex((text) => text.includes('fail('));
  return { line: line + 1, column: (lines[line] ?? '').indexOf('fail(') + 1, source: lines[line] ?? '' };
}

const FAIL = 'const fail = (): never => { throw new Error("x") };';

test.each([
  ['the return form', `${FAIL}\nconst a: number = 1;\n\n  return [a, fail()];`],
  ['the default form', `${FAIL}\ninterface X { a: string }\nexport default {\n  a: fail(),\n};`],
  ['a default function', `${FAIL}\nexport default function (i: unknown) {\n  const b: unknown = i; fail();\n}`],
  ['a named default class and a call after it', `${FAIL}\nexport default class A {}\n   fail();`],
  [
    'imports over many lines',
    `import {\n  listIssues,\n} from "servers/github";\nimport type { ListIssuesInput } from "servers/github"; ${FAIL}\nlistIssues; fail();`,
  ],
  ['an import behind the code', `${FAIL} fail();\nimport { listIssues } from "servers/github"; listIssues;`],
  ['a fence', `\`\`\`ts\n${FAIL}\n\n  fail();\n\`\`\``],
  ['CRLF', `${FAIL}\r\nimport {\r\n log\r\n} from "ampoule";\r\nlog("info", "");  fail();\r\n`],
  ['a byte order mark', `\uFEFF${FAIL} fail();`],
  ['a line separator, which editors do not count', `${FAIL}\nconst a = "\u2028"; fail();`],
  ['characters outside of the basic plane', `${FAIL}\nconst é = "😀"; fail();`],
  ['an exported declaration', `${FAIL}\nexport const q = 1; export const r: number = fail();`],
  ['a namespace', `${FAIL}\nnamespace N {\n  export const a: number = 1;\n  export const b = fail();\n}`],
  ['an enum', `${FAIL}\nenum E {\n  A = 1,\n}\nE; fail();`],
])('a frame maps back exactly in %s', async (_, code) => {
  const frames = await locateThrown(await bundleCode(bundler, code));
  expect(frames[1]).toEqual(expectedIn(code));
  expect(frames[0]).toMatchObject({ source: expect.stringContaining('throw new Error') });
});

test('frames of wrappers and of what is around the program have no position', async () => {
  const code =
    'import { listIssues } from "servers/github";\nconst input2 = { get repo() { return 1 } };\nawait listIssues(null as never);\nthrow new Error("end");';
  const bundle = await bundleCode(bundler, code);
  const frames = await locateThrown(bundle);
  expect(frames[0]).toEqual({ line: 4, column: 7, source: 'throw new Error("end");' });
  const lines = bundle.script.split('\n');
  expect(bundle.locate(1, 20)).toBeUndefined();
  expect(bundle.locate(lines.length - 2, 10)).toBeUndefined();
  const wrapper = lines.findIndex((text) => text.includes('"list_issues"'));
  expect(bundle.locate(wrapper + 1, (lines[wrapper] ?? '').indexOf('callTool') + 1)).toBeUndefined();
});

test.each([
  [0, 0],
  [1, 1],
  [-1, 5],
  [1e9, 1],
  [5, 1e9],
])('line %d, column %d of any script is a position or none, and no error', async (line, column) => {
  const bundle = await bundleCode(bundler, 'return 1');
  expect([undefined, 1]).toContain(bundle.locate(line, column)?.line);
});

test('a very long line is shown around the position only', async () => {
  const code = `${FAIL}${' '.repeat(5000)}fail();${' '.repeat(5000)}`;
  const frames = await locateThrown(await bundleCode(bundler, code));
  expect(frames[1]?.column).toBe(FAIL.length + 5001);
  expect(frames[1]?.source.length).toBeLessThanOrEqual(400);
  expect(frames[1]?.source).toContain('fail();');
});
