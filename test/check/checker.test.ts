import { afterAll, describe, expect, test } from 'vitest';
import { checkError } from '../../src/check/checker.ts';
import { CATALOG, openChecker, shown, SIGNAL, wrappersOf } from './fixture.ts';

const wrappers = await wrappersOf(CATALOG);
const checker = openChecker();
afterAll(() => checker.close());

async function check(code: string): Promise<string[]> {
  return shown(await checker.check({ code, wrappers }, SIGNAL));
}

const GITHUB = 'import * as github from "servers/github";\n';

describe('code that is fine', () => {
  test.each([
    ['a top-level return', `${GITHUB}const { items } = await github.listIssues({ repo: "a/b" });\nreturn items.map((item) => item.title);`],
    ['a default export', `${GITHUB}const { items } = await github.listIssues({ repo: "a/b" });\nexport default items.length;`],
    ['a default export that takes the input', 'export default (input) => input.a.b;'],
    ['an async function that takes parts of the input', 'export default async function main({ repo, limit }) { return [repo, limit]; }'],
    [
      'a tool by name',
      'import { listIssues } from "servers/github";\nreturn (await listIssues({ repo: "x", state: "open" })).items[0]?.id;',
    ],
    ['a tool by its own file', 'import { send } from "servers/mail/send";\nreturn send({ to: "a" });'],
    ['a tool by its own file with its ending', 'import { send } from "servers/mail/send.ts";\nreturn send({ to: "a" });'],
    [
      'the types of a tool',
      'import type { ListIssuesInput } from "servers/github";\nconst input2: ListIssuesInput = { repo: "a" };\nreturn input2;',
    ],
    [
      'arguments that were computed',
      `${GITHUB}const labels: string[] = String(input.labels).split(",");\nreturn github.listIssues({ repo: "a", labels });`,
    ],
    ['an optional input', `${GITHUB}return github.rawSearch();`],
    ['free use of the input', 'const { a, ...rest } = input;\nreturn { a: a?.b[0], rest, c: input.d() };'],
    [
      'ampoule',
      'import { callTool, getState, readFile, setState, sleep, log, ToolError } from "ampoule";\nconst s = getState<{ n?: number }>();\ns.n = (s.n ?? 0) + 1;\nsetState("a", 1);\nlog("info", "x", s);\nawait sleep(1);\ntry { await callTool("a", "b", { c: 1 }); } catch (e) { if (e instanceof ToolError) return e.code; }\nreturn (await readFile("m/f", { as: "bytes" })).length;',
    ],
    [
      'generics, satisfies, enums, namespaces',
      'enum Level { Low, High }\nnamespace Geo { export const one = 1; export type Id = string }\nfunction first<T>(list: readonly T[]): T | undefined { return list[0]; }\nconst table = { a: 1 } satisfies Record<string, number>;\nconst id: Geo.Id = "x";\nreturn [first([Level.High]), table.a, Geo.one, id];',
    ],
    [
      'returns in blocks',
      'for (const x of [1, 2]) { if (x > 1) { return { x }; } }\ntry { if (input.a) return; } finally { console.log("x"); }\nswitch (input.k) { case 1: { return 1; } default: return null }',
    ],
    ['a return without a value in front of more', 'if (input.x) return\nconst y = 1\nreturn y'],
    ['unused names', 'const unused = 1;\nimport { sleep } from "ampoule";\nreturn 1;'],
    [
      'a pattern with quotes and brackets',
      'const parts = "a(b".split(/[(/"`\']/);\nconst x = parts.length / 2 / 1;\nreturn () => { return x; };',
    ],
    ['templates that hold code', 'return `${[1].map((n) => { return `${n}}`; }).join("}")}`;'],
    ['a library with types of its own', 'import { z } from "zod";\nreturn z.object({ a: z.string() }).parse(input).a.length;'],
    [
      'a library whose types are in another package',
      'import chunk from "lodash/chunk";\nimport _ from "lodash";\nreturn [chunk([1], 1), _.sum([1])];',
    ],
    [
      'classes with private and static parts',
      'class A { #x = 1; static count = 1; static { A.count = 0; } get x() { return this.#x; } }\nreturn new A().x;',
    ],
    ['using', 'class R { [Symbol.dispose]() {} }\n{ using r = new R(); void r; }\nreturn 1;'],
    ['nothing at all', ''],
  ])('%s', async (_, code) => {
    expect(await check(code)).toEqual([]);
  });
});

describe('the returned expression is checked', () => {
  test.each([
    ['const a = 1;\nreturn a.nope;', '2:10 TS2339'],
    ['const a = 1;\nexport default a.nope;', '2:18 TS2339'],
    ['if (input.x) {\n  return nope;\n}', '2:10 TS2304'],
    ['switch (input.x) {\n  case 1: {\n    return nope;\n  }\n}', '3:12 TS2304'],
    ['const r = input.a / 2; label: {\n  return nope }', '2:10 TS2304'],
    ['const f = (): string => { return 1; };\nreturn f();', '1:27 TS2322'],
    ['return\nnope;', '2:1 TS2304'],
    ['if (input.a) return; else return;\nnope', '2:1 TS2304'],
  ])('%j', async (code, start) => {
    const found = await check(code);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(start);
  });
});

describe('what is said', () => {
  test.each([
    [
      'a wrong argument: the expected type',
      `${GITHUB}return github.listIssues({ repo: 1 });`,
      "2:29 TS2322 Type 'number' is not assignable to type 'string'. Expected in ListIssuesInput: repo: string.",
    ],
    [
      'a wrong word: the allowed ones',
      `${GITHUB}return github.listIssues({ repo: "a", state: "opn" });`,
      `2:42 TS2820 Type '"opn"' is not assignable to type '"closed" | "open" | undefined'. Did you mean '"open"'? Expected in ListIssuesInput: state?: "open" | "closed".`,
    ],
    [
      'a missing argument: its type',
      `${GITHUB}return github.listIssues({});`,
      "2:26 TS2741 Property 'repo' is missing in type '{}' but required in type 'ListIssuesInput'. Declared: repo: string.",
    ],
    [
      'an argument that there is not: those that there are',
      `${GITHUB}return github.listIssues({ repo: "a", zzzz: 1 });`,
      "2:39 TS2353 Object literal may only specify known properties, and 'zzzz' does not exist in type 'ListIssuesInput'. It has: repo, state, labels, limit.",
    ],
    [
      'a misspelled argument',
      `${GITHUB}return github.listIssues({ rep: "a" });`,
      "2:28 TS2561 Object literal may only specify known properties, but 'rep' does not exist in type 'ListIssuesInput'. Did you mean to write 'repo'?",
    ],
    [
      'a misspelled tool',
      `${GITHUB}return github.listIsues({ repo: "a" });`,
      `2:15 TS2551 Property 'listIsues' does not exist on type 'typeof import("servers/github")'. Did you mean 'listIssues'?`,
    ],
    [
      'a tool that there is not',
      `${GITHUB}return github.zzz();`,
      `2:15 TS2339 Property 'zzz' does not exist on type 'typeof import("servers/github")'. It exports: listIssues, rawSearch.`,
    ],
    [
      'an export that there is not',
      'import { issues } from "servers/github";\nreturn issues;',
      `1:10 TS2305 Module '"servers/github"' has no exported member 'issues'. It exports: listIssues, rawSearch.`,
    ],
    [
      'a server that there is not',
      'import * as g from "servers/gihub";\nreturn g;',
      "1:20 TS2307 Cannot find module 'servers/gihub' or its corresponding type declarations. Did you mean 'servers/github'?",
    ],
    [
      'a tool without its import',
      'return listIssues({ repo: "a" });',
      '1:8 TS2304 Cannot find name \'listIssues\'. Import it: `import { listIssues } from "servers/github"`.',
    ],
    [
      'a server without its import',
      'return github.listIssues({ repo: "a" });',
      '1:8 TS2304 Cannot find name \'github\'. Import it: `import * as github from "servers/github"`.',
    ],
    [
      'a property of a result',
      `${GITHUB}return (await github.listIssues({ repo: "a" })).items[0]?.zzz;`,
      "2:58 TS2339 Property 'zzz' does not exist on type '{ id: number; title: string; }'. It has: id, title.",
    ],
    [
      'a missing await',
      `${GITHUB}const r = github.listIssues({ repo: "a" });\nreturn r.items;`,
      "3:10 TS2339 Property 'items' does not exist on type 'Promise<ListIssuesOutput>'. Did you forget to use 'await'?",
    ],
    [
      'a result of unknown type',
      `${GITHUB}const r = await github.rawSearch();\nreturn r.items;`,
      "3:8 TS18046 'r' is of type 'unknown'. Its type is not declared: check it before use, or say what it is, for example `as { items: string[] }`.",
    ],
    [
      'a value of a library',
      'import { z } from "zod";\nreturn z.object({ name: z.string() }).parse({}).nam;',
      "2:49 TS2551 Property 'nam' does not exist on type '{ name: string; }'. Did you mean 'name'?",
    ],
    [
      'a type that does not hold',
      'const n: { a: { b: string } } = { a: { b: 1 } };\nreturn n;',
      "1:40 TS2322 Type 'number' is not assignable to type 'string'.",
    ],
    ['wrong satisfies', 'return { a: 1 } satisfies { a: string };', "1:10 TS2322 Type 'number' is not assignable to type 'string'."],
    [
      'an error inside of a namespace',
      'namespace N { export const a: string = 1; }\nreturn N.a;',
      "1:28 TS2322 Type 'number' is not assignable to type 'string'.",
    ],
    ['bad syntax', 'const x = ;\nreturn x;', '1:11 TS1109 Expression expected.'],
  ])('%s', async (_, code, message) => {
    const found = await check(code);
    expect(found).toHaveLength(1);
    // A `return` of a property points at the value or at its name, whichever TypeScript means.
    expect(found[0]?.replace(/^\d+:\d+/u, '')).toBe(message.replace(/^\d+:\d+/u, ''));
    expect(found[0]?.split(':')[0]).toBe(message.split(':')[0]);
  });

  test('names come before arguments, arguments before the rest; the same is said once; ten at most', async () => {
    const code = `${GITHUB}const n: string = 1;\nawait github.listIssues({ repo: 1 });\nfetch("a"); fetch("b");\n${Array.from({ length: 20 }, (_, at) => `const v${at}: boolean = ${at} + "";`).join('\n')}`;
    const found = await check(code);
    expect(found).toHaveLength(10);
    expect(found.map((text) => text.split(' ')[1]).slice(0, 3)).toEqual(['TS2304', 'TS2322', 'TS2322']);
    expect(found[1]).toContain('Expected in ListIssuesInput');
    expect(found.filter((text) => text.includes('fetch'))).toHaveLength(1);
  });

  test('a message is bounded, whatever the types in it', async () => {
    const wide = `{ ${Array.from({ length: 300 }, (_, at) => `property${at}: { inner${at}: string }`).join('; ')} }`;
    const report = await checker.check(
      { code: `declare const a: ${wide};\nconst b: { other: ${wide} }[] = a;\nreturn b;`, wrappers },
      SIGNAL,
    );
    expect(report.diagnostics).toHaveLength(1);
    expect(report.diagnostics[0]?.message.length).toBeLessThanOrEqual(600);
  });

  test('no message names a path', async () => {
    const code = `${GITHUB}import { z } from "zod";\nimport * as me from "./program.ts";\nimport * as other from "../servers/github/index";\nconst a: string = github;\nconst b: string = z;\nconst c: number = z.string();\nreturn [me.zzz, other.zzz, a, b, c];`;
    const found = (await check(code)).join('\n');
    expect(found).toContain('TS2322');
    expect(found).not.toMatch(/\/ampoule-check|\/(?:home|work|tmp|usr)\/|node_modules/u);
  });

  test('the error of a run has the first finding, its place and all others', async () => {
    const report = await checker.check({ code: 'const a: string = 1;\nconst b: number = "";\nreturn a;', wrappers }, SIGNAL);
    const error = checkError(report);
    expect(error.code).toBe('ERR_CHECK_TYPES');
    expect(error.message).toBe("Type 'number' is not assignable to type 'string'. (and 1 more)");
    expect(error.details.location).toEqual({ line: 1, column: 7, source: 'const a: string = 1;' });
    expect(error.details.diagnostics).toHaveLength(2);
  });
});

describe('comments do not turn it off', () => {
  test.each([
    '// @ts-nocheck\nreturn nope;',
    '/* @ts-nocheck */ return nope;',
    '#!/usr/bin/env node\n// @ts-nocheck\nreturn nope;',
    '```ts\n// @ts-nocheck\nreturn nope;\n```',
    '// @ts-nocheck\nexport default nope;',
    '// @ts-ignore\n// @ts-nocheck\nconst a = 1;\nreturn nope;',
    '// @ts-expect-error\nconst a: string = 1;\nreturn nope;',
    Array.from({ length: 6 }, () => '// @ts-ignore\nnope;').join('\n'),
    `// @ts-ignore\n${'const a = 1; '.repeat(20)} return nope;`,
  ])('%j', async (code) => {
    expect((await check(code)).join('\n')).toContain("Cannot find name 'nope'");
  });

  test('single lines can be silenced', async () => {
    expect(
      await check('// @ts-expect-error: the schema is wrong\nconst a: string = 1;\n// @ts-ignore\nconst b: string = 2;\nreturn [a, b];'),
    ).toEqual([]);
  });
});
