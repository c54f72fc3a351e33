import { afterAll, expect, test } from 'vitest';
import { lenientToLearned } from '../../src/check/learned-leniency.ts';
import { toLearnedSchema, type JsonSchema } from '../../src/learned/learned-schema.ts';
import { shapeOf } from '../../src/learned/shape-of.ts';
import { generateWrappers } from '../../src/wrappers/generate.ts';
import { openChecker, shown, SIGNAL } from '../check/fixture.ts';
import { catalog, server, tool } from '../wrappers/catalogs.ts';

/** More tools than are tried one by one. */
const MANY = ['many_a', 'many_b', 'many_c', 'many_d', 'many_e', 'many_f'];
const CATALOG = catalog(
  server('github', [tool('list_issues'), tool('search'), tool('read_text'), tool('list_rows'), ...MANY.map((name) => tool(name))]),
);
const SAMPLES: Record<string, unknown> = {
  list_issues: {
    items: [
      { title: 'a', number: 1, labels: ['bug'], milestone: { due: 'x' } },
      { title: 'b', number: 2, labels: [] },
    ],
    total: 2,
  },
  search: { hits: [{ path: 'a', score: 0.5 }], more: null },
  read_text: 'plain text',
  list_rows: [{ name: 'a' }],
  ...Object.fromEntries(MANY.map((name) => [name, { a: 1 }])),
};

function schemaOf(sample: unknown): JsonSchema | undefined {
  const shape = shapeOf(sample);
  return shape && toLearnedSchema(shape);
}

const before = await generateWrappers(CATALOG, {}, SIGNAL);
const after = await generateWrappers(CATALOG, { learned: (_, name) => schemaOf(SAMPLES[name]) }, SIGNAL);
const checker = lenientToLearned(openChecker());
afterAll(() => checker.close());

const HEAD = 'import { listIssues, search, readText, listRows } from "servers/github";\n';
const check = async (code: string, wrappers = after): Promise<string[]> =>
  shown(await checker.check({ code: HEAD + code, wrappers }, SIGNAL));

/** Programs that are fine while nothing is known of the results, in the ways of agents that know it. */
const WITH_UNKNOWN = {
  'a cast to a type that fits': 'const r = (await listIssues({})) as { items: { title: string }[] };\nreturn r.items[0].title;',
  'a cast in a second step':
    'const r = await listIssues({});\nreturn (r as { items: { title: string; id: number }[] }).items.map((i) => i.id);',
  'a cast to an interface with other properties':
    'interface Issue { id: string; user: { login: string } }\nconst r = await listIssues({});\nreturn (r as Issue).user.login;',
  'a cast that contradicts what was seen': 'const r = await listIssues({});\nreturn (r as { items: number }).items.toFixed();',
  'a cast to a text': 'const r = await listIssues({});\nreturn (r as string).split("\\n");',
  'a cast to an array': 'const r = await listIssues({});\nreturn (r as { name: string }[]).map((one) => one.name);',
  'a cast to any': 'const r = (await listIssues({})) as any;\nreturn r.data.nodes[0].id;',
  'a variable of type any': 'const r: any = await listIssues({});\nreturn r.foo.bar;',
  'a cast by way of unknown': 'const r = (await listIssues({})) as unknown as { a: { b: 1 } };\nreturn r.a.b;',
  'a look at typeof': 'const r = await listIssues({});\nif (typeof r === "string") return r.split("\\n");\nreturn JSON.stringify(r);',
  'a look at typeof of a text': 'const r = await readText({});\nreturn typeof r === "object" && r !== null && "a" in r ? r.a : String(r);',
  'a look at Array.isArray': 'const r = await listIssues({});\nif (!Array.isArray(r)) return 0;\nreturn r.map((one) => one.user.login);',
  'an array of rows with more in them':
    'const r = await listRows({});\nif (!Array.isArray(r)) return 0;\nreturn r.map((one) => one.user.login);',
  'a guard of its own':
    'interface Page { next: string }\nconst isPage = (x: unknown): x is Page => typeof x === "object" && x !== null && "next" in x;\nconst r = await listIssues({});\nreturn isPage(r) ? r.next.length : 0;',
  'a comparison': 'const r = await listIssues({});\nreturn r === "done" || r === 1;',
  'a variable that takes something else later': 'let r = await listIssues({});\nr = 5;\nreturn r;',
  'a parameter of type unknown': 'const show = (x: unknown) => JSON.stringify(x);\nreturn show(await search({}));',
  'a promise with then': 'return listIssues({}).then((r) => (r as { nodes: string[] }).nodes[0]);',
  'several at once': 'const [a, b] = await Promise.all([listIssues({}), search({})]);\nreturn [(a as string[]).length, (b as number) + 1];',
};

test.each(Object.entries(WITH_UNKNOWN))('%s is fine before and after something was learned', async (_, code) => {
  expect(await check(code, before)).toEqual([]);
  expect(await check(code)).toEqual([]);
});

test.each([
  ['a property', 'return (await listIssues({})).items[0].title.toUpperCase();'],
  ['a callback', 'return (await listIssues({})).items.map((issue) => issue.title).join();'],
  ['a property that is not always there', 'return (await listIssues({})).items[0].milestone?.due;'],
  ['a property that was not seen', 'const other = (await listIssues({})).cursor;\nreturn other;'],
  ['a cast of a property that was not seen', 'return ((await listIssues({})).cursor as string).length;'],
  ['a cast of a part', 'return ((await listIssues({})).items as { id: number; title: string }[])[0].id;'],
  ['a text', 'return (await readText({})).split(" ");'],
  ['an array', 'return (await listRows({})).map(({ name }) => name.length);'],
  ['destructuring', 'const { items, total } = await listIssues({});\nreturn items.length + total;'],
  [
    'the name of the type',
    'import type { ListIssuesOutput } from "servers/github";\nconst f = (r: ListIssuesOutput) => r.total;\nreturn f(await listIssues({}));',
  ],
])('%s is known once it was learned, and not before', async (_, code) => {
  expect(await check(code)).toEqual([]);
  expect(await check(code, before)).not.toEqual([]);
});

test('a program may use what was learned of one tool and cast the result of another', async () => {
  const code = 'const { items } = await listIssues({});\nlet hits = await search({});\nhits = 5;\nreturn items[0].title + hits;';
  expect(await check(code)).toEqual([]);
});

test('a program that uses the results of many tools in its own way is fine', async () => {
  const lines = MANY.map((_, at) => `let r${at} = await many${'ABCDEF'.charAt(at)}({});\nr${at} = 5;`);
  const code = `import { manyA, manyB, manyC, manyD, manyE, manyF } from "servers/github";\n${lines.join('\n')}\nreturn 1;`;
  expect(await check(code, before)).toEqual([]);
  expect(await check(code)).toEqual([]);
});

test('what is wrong with the learned types and without them is told with the learned ones', async () => {
  const found = await check('return (await listIssues({})).items[0].title.toFixed();');
  expect(found).toHaveLength(1);
  expect(found[0]).toContain("'toFixed' does not exist on type 'string'");
});

test('a property that was not seen is unknown', async () => {
  const found = await check('return (await listIssues({})).items[0].titel.length;');
  expect(found).toEqual([expect.stringContaining('TS2571')]);
});

test('a learned type is marked, and its text does not change while no more is known', async () => {
  const text = after.files.get('github/listIssues.ts');
  expect(text).toContain('/** Learned from answers, not declared by the server. */\nexport interface ListIssuesOutput {');
  const again = await generateWrappers(CATALOG, { learned: (_, name) => schemaOf(structuredClone(SAMPLES[name])) }, SIGNAL);
  expect(again.hash).toBe(after.hash);
  expect(after.declared?.hash).toBe(before.hash);
  expect(after.declared?.files).toEqual(before.files);
});

test('what descriptions show of a tool does not change by learning', () => {
  expect(after.tools.map(({ signature }) => signature)).toEqual(before.tools.map(({ signature }) => signature));
  expect(after.tools.find(({ tool: name }) => name === 'list_rows')?.learnedSignature).toBe(
    'listRows(input?: { [key: string]: unknown }): Promise<Array<{ name: string; [key: string]: unknown }>>',
  );
});

test('a declared schema wins over what was learned', async () => {
  const declared = catalog(server('github', [tool('list_issues', undefined, { outputSchema: { type: 'object', properties: {} } })]));
  const set = await generateWrappers(declared, { learned: () => ({ type: 'string' }) }, SIGNAL);
  expect(set.declared).toBeUndefined();
  expect(set.files.get('github/listIssues.ts')).not.toContain('Learned');
});
