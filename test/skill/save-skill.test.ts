import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { checkError } from '../../src/check/checker.ts';
import { SandboxError } from '../../src/errors.ts';
import { presentSkill, presentSkillFailure } from '../../src/result/skill-answer.ts';
import { MAX_DESCRIPTION, saveSkill, type SavedSkill, type SaveStages } from '../../src/skill/save-skill.ts';
import { createSkillStore, type SkillStore } from '../../src/skill/skill-store.ts';
import type { SkillMode } from '../../src/skill/skill.ts';
import type { ReadModule } from '../../src/bundle/read-module.ts';
import { openBundler } from '../bundle/fixture.ts';
import { CATALOG, openChecker, SIGNAL, wrappersOf } from '../check/fixture.ts';

const bundler = openBundler();
const checker = openChecker();
afterAll(() => Promise.all([bundler.close(), checker.close()]));
const wrappers = await wrappersOf(CATALOG);
let store: SkillStore;
beforeEach(() => use('on'));

function use(mode: SkillMode): void {
  store = createSkillStore({ mode, maxSkills: 100 });
}

function stages(more: Partial<SaveStages<ReadModule>> = {}): SaveStages<ReadModule> {
  const check: SaveStages<ReadModule>['check'] = async (source) => {
    const report = await checker.check(source, SIGNAL);
    if (report.diagnostics.length > 0) throw checkError(report);
    return [];
  };
  return { store, limits: { maxSkillBytes: 64 * 1024 }, wrappers: () => wrappers, bundler, check, ...more };
}

function save(code: string, name = 'triage', more: { description?: string; principal?: string } = {}): Promise<SavedSkill> {
  const { description = 'Sorts issues.', principal = 'ada' } = more;
  return saveSkill(stages(), { name, description, code }, principal, SIGNAL);
}

async function errorOf(work: Promise<unknown>): Promise<SandboxError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SandboxError) return error;
  throw new Error('no SandboxError', { cause: error });
}

const TRIAGE = `import { listIssues, type ListIssuesInput } from "servers/github";
import { callTool } from "ampoule";

export type Query = Pick<ListIssuesInput, "repo">;
export interface Ranked {
  /** Its title. */
  title: string;
}
export const LIMIT = 10;
export const first = (all: Ranked[], count = LIMIT): Ranked[] => all.slice(0, count);
export async function triage(query: Query): Promise<Ranked[]> {
  const { items } = await listIssues(query);
  await callTool("mail", "send", { to: "a@b.c" });
  return items;
}
class Hidden {}
export { Hidden as Shown };
`;

test('a good module is kept with what it exports and what it depends on', async () => {
  const saved = await save(TRIAGE);
  expect(saved).toEqual({
    name: 'triage',
    version: 1,
    state: 'private',
    importLine: 'import { LIMIT, first, triage, Shown } from "skills/triage";',
    warnings: [],
  });
  const kept = store.find('triage', 'ada');
  expect(kept?.exports).toEqual([
    { name: 'Query', kind: 'type', signature: 'type Query = Pick<ListIssuesInput, "repo">;' },
    { name: 'Ranked', kind: 'type', signature: 'interface Ranked { title: string; }' },
    { name: 'LIMIT', kind: 'constant', signature: 'LIMIT' },
    { name: 'first', kind: 'function', signature: 'first(all: Ranked[], count = LIMIT): Ranked[]' },
    { name: 'triage', kind: 'function', signature: 'triage(query: Query): Promise<Ranked[]>' },
    { name: 'Shown', kind: 'class', signature: 'class Shown' },
  ]);
  expect(kept?.depends.tools.map(({ server, tool }) => `${server}.${tool}`)).toEqual(['github.list_issues', 'mail.send']);
  expect(presentSkill(saved).text).toBe('saved: triage, version 1, private\nimport { LIMIT, first, triage, Shown } from "skills/triage";');
});

test('what stands around the code is not kept', async () => {
  await save('```ts\nexport const a = 1;\n```\n');
  expect(store.find('triage', 'ada')?.code).toBe('export const a = 1;\n');
});

test('a skill imports another, which is noted with its version', async () => {
  await save('export const a = 1;', 'one');
  await save('import { a } from "skills/one";\nexport const b: number = a;', 'two');
  expect(store.find('two', 'ada')?.depends.skills).toEqual([{ name: 'one', version: 1 }]);
});

test('in mode "ask" the answer says how it is approved, and what is used until then', async () => {
  use('ask');
  expect(presentSkill(await save('export const a = 1;')).text).toBe(
    'saved: triage, version 1, waiting\nIt waits for the operator: ampoule skills approve triage@1. It cannot be imported before.\nimport { a } from "skills/triage";',
  );
  store.decide('triage', 1, 'approved');
  expect(presentSkill(await save('export const a = 2;')).text).toContain('approve triage@2. Until then version 1 stays in use.');
});

test("another principal's skill that is not approved is no skill", async () => {
  await save('export const a = 1;', 'one');
  const code = 'import { a } from "skills/one";\nexport const b = a;';
  expect(await errorOf(save(code, 'two', { principal: 'bob' }))).toMatchObject({
    code: 'ERR_BUNDLE_IMPORT',
    message: 'There is no "skills/one".',
    details: { hint: 'There are no skills here. Put the code into the program itself.' },
  });
  store.decide('one', 1, 'approved');
  expect(await save(code, 'two', { principal: 'bob' })).toMatchObject({ version: 1 });
});

describe('is refused, with its place', () => {
  test.each([
    ['a type error', 'export const a: string = 1;', 'ERR_CHECK_TYPES', /not assignable/u, 1, 14],
    [
      'a wrong call of a tool',
      'import { listIssues } from "servers/github";\nexport const a = () => listIssues({ repos: 1 });',
      'ERR_CHECK_TYPES',
      /repo/u,
      2,
      37,
    ],
    ['a syntax error', 'export const a = ;', 'ERR_BUNDLE_SYNTAX', /./u, 1, 18],
    [
      'a server that there is not',
      'import { x } from "servers/githab";\nexport const a = x;',
      'ERR_BUNDLE_IMPORT',
      /Did you mean "servers\/github"/u,
      1,
      19,
    ],
    ['a path', 'import fs from "node:fs";\nexport const a = fs;', 'ERR_BUNDLE_IMPORT', /node:fs/u, 1, 16],
    [
      'itself',
      'import { a } from "skills/triage";\nexport const b = 1;',
      'ERR_SKILL_INVALID',
      /The skill "triage" imports itself\./u,
      1,
      19,
    ],
    [
      'itself, by a dynamic import',
      'export const b = async () => import("skills/triage.ts");',
      'ERR_SKILL_INVALID',
      /imports itself/u,
      1,
      37,
    ],
    ['nothing exported', 'const a = 1;', 'ERR_SKILL_INVALID', /exports nothing/u, 1, 1],
    ['an empty text', '\n', 'ERR_SKILL_INVALID', /exports nothing/u, 1, 1],
    ['a default export', 'export default function () {}', 'ERR_SKILL_INVALID', /default export/u, 1, 1],
    ['a default export by name', 'const a = 1;\nexport { a as default };', 'ERR_SKILL_INVALID', /default export/u, 2, 10],
    ['a result', 'export const a = 1;\nreturn a;', 'ERR_SKILL_INVALID', /cannot `return`/u, 2, 1],
    ['an await', 'export const a = await Promise.resolve(1);', 'ERR_SKILL_INVALID', /no `await`/u, 1, 18],
    ['an await in a loop', 'export const a = 1;\nfor await (const x of []) a;', 'ERR_SKILL_INVALID', /no `await`|only declares/u, 2, 1],
    ['a statement that runs', 'export const a = 1;\nconsole.log(a);', 'ERR_SKILL_INVALID', /only declares/u, 2, 1],
    ['an export that changes', 'export let a = 1;', 'ERR_SKILL_INVALID', /"a" can change/u, 1, 12],
    ['an export that changes, by name', 'let a = 1;\nexport { a };', 'ERR_SKILL_INVALID', /"a" can change/u, 1, 5],
    ['everything of another', 'export * from "servers/github";', 'ERR_SKILL_INVALID', /`export \*`/u, 1, 1],
    ['a pattern', 'export const { a } = { a: 1 };', 'ERR_SKILL_INVALID', /one by one/u, 1, 14],
    ['globals', 'export const a = 1;\ndeclare global { var x: number }', 'ERR_SKILL_INVALID', /globals/u, 2, 1],
    [
      'another module',
      'export const a = 1;\ndeclare module "ampoule" { export const x: number }',
      'ERR_SKILL_INVALID',
      /globals or other modules/u,
      2,
      1,
    ],
    ['resources', 'using a = { [Symbol.dispose]() {} };\nexport const b = 1;', 'ERR_SKILL_INVALID', /only declares/u, 1, 1],
  ])('%s', async (_what, code, errorCode, message, line, column) => {
    const error = await errorOf(save(code));
    expect(error).toMatchObject({ code: errorCode, details: { location: { line, column } } });
    expect(error.message).toMatch(message);
    expect(presentSkillFailure(error).text).toMatch(new RegExp(`^failed: ${errorCode}\\n[^]*line ${line}, column ${column}`, 'u'));
    expect(store.all()).toEqual([]);
  });

  test('a circle', async () => {
    await save('export const a = 1;', 'a');
    await save('import { a } from "skills/a";\nexport const b = a;', 'b');
    await save('import { b } from "skills/b";\nexport const c = b;', 'c');
    const error = await errorOf(save('export const x = 1;\nimport { c } from "skills/c";\nexport const a = c;', 'a'));
    expect(error).toMatchObject({
      code: 'ERR_SKILL_INVALID',
      message: 'Skills would import each other in a circle: a → c → b → a.',
      details: { location: { line: 2, column: 19 } },
    });
  });
});

test.each(['../triage', '..', '/etc/passwd', 'a/b', 'Triage', 'constructor', 'trïage', '__proto__', '', ' triage', 'a'.repeat(65)])(
  'the name %j is refused',
  async (name) => {
    expect(await errorOf(save('export const a = 1;', name))).toMatchObject({ code: 'ERR_SKILL_NAME' });
    expect(store.all()).toEqual([]);
  },
);

test('a description of the most characters is taken; none, and one more, are not', async () => {
  const described = (length: number): Promise<SavedSkill> => save('export const a = 1;', 'triage', { description: 'x'.repeat(length) });
  expect(await described(MAX_DESCRIPTION)).toMatchObject({ version: 1 });
  for (const length of [MAX_DESCRIPTION + 1, 0]) {
    const message = expect.stringContaining(`${length} characters`);
    expect(await errorOf(described(length))).toMatchObject({ code: 'ERR_SKILL_INVALID', message });
  }
});

test('code of the most bytes is taken, one byte more is not', async () => {
  const sized = (bytes: number): string => 'export const a = 1;//'.padEnd(bytes, 'x');
  const own = stages({ limits: { maxSkillBytes: 2_000 } });
  const request = { name: 'triage', description: 'x' };
  expect(await saveSkill(own, { ...request, code: sized(2_000) }, 'ada', SIGNAL)).toMatchObject({ version: 1 });
  expect(await errorOf(saveSkill(own, { ...request, code: sized(2_001) }, 'ada', SIGNAL))).toMatchObject({
    code: 'ERR_SKILL_INVALID',
    message: 'The code has 2001 bytes; a skill may have 2000.',
  });
});

test("what is wrong inside of an imported skill is told as that one's", async () => {
  await save('import { listIssues } from "servers/github";\nexport const a = () => listIssues({ repo: "a" });', 'one');
  const changed = structuredClone(CATALOG) as unknown as { servers: { tools: { inputSchema: object }[] }[] };
  changed.servers[0]!.tools[0]!.inputSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
  const after = await wrappersOf(changed as never);
  const code = 'import { a } from "skills/one";\nexport const b = a;';
  const error = await errorOf(saveSkill(stages({ wrappers: () => after }), { name: 'two', description: 'x', code }, 'ada', SIGNAL));
  expect(error).toMatchObject({
    code: 'ERR_CHECK_TYPES',
    message: expect.stringMatching(/^The skill "one": /u),
    details: { location: { module: 'skills/one', line: 2 } },
  });
});

test('in mode "off" nothing is read or kept', async () => {
  use('off');
  expect(await errorOf(save('not even code ('))).toMatchObject({ code: 'ERR_SKILL_OFF' });
});

test('a cancelled save keeps nothing', async () => {
  await expect(
    saveSkill(stages(), { name: 'triage', description: 'x', code: 'export const a = 1;' }, 'ada', AbortSignal.abort()),
  ).rejects.toThrow(/abort/u);
  expect(store.all()).toEqual([]);
});
