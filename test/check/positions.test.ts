import { afterAll, expect, test } from 'vitest';
import { CATALOG, openChecker, SIGNAL, wrappersOf } from './fixture.ts';

const wrappers = await wrappersOf(CATALOG);
const checker = openChecker();
afterAll(() => checker.close());

test.each([
  ['the first line', 'return nope;', 1, 8, 'return nope;'],
  ['a byte order mark', '\uFEFFconst a = 1;\nreturn nope;', 2, 8, 'return nope;'],
  ['Windows line ends', 'const a = 1;\r\nif (a) {\r\n  return nope;\r\n}', 3, 10, '  return nope;'],
  ['a fence around the code', '```ts\nconst a = 1;\nreturn nope;\n```', 3, 8, 'return nope;'],
  ['a hashbang', '#!/usr/bin/env node\nreturn nope;', 2, 8, 'return nope;'],
  ['characters of more than one unit', 'const é = "😀日本"; return nope;', 1, 26, 'const é = "😀日本"; return nope;'],
  [
    'bare returns before it',
    'if (input.a) return; if (input.b) return; return nope;',
    1,
    50,
    'if (input.a) return; if (input.b) return; return nope;',
  ],
  ['line separators inside of strings', 'const a = "\u2028";\nreturn nope;', 2, 8, 'return nope;'],
  ['an import behind statements', 'const a = 1;\nimport { nope } from "ampoule";\nreturn a;', 2, 10, 'import { nope } from "ampoule";'],
  ['tabs', '\t\treturn nope;', 1, 10, '\t\treturn nope;'],
  ['a default export', 'const a = 1;\nexport default { a, b: nope };', 2, 24, 'export default { a, b: nope };'],
])('positions are those of the agent: %s', async (_, code, line, column, source) => {
  const { diagnostics } = await checker.check({ code, wrappers }, SIGNAL);
  expect(diagnostics.map(({ location }) => location)).toEqual([{ line, column, source }]);
});
