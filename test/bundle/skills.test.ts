import { afterAll, describe, expect, test } from 'vitest';
import type { Bundle } from '../../src/bundle/bundle.ts';
import { agentFrames } from '../../src/result/guest-stack.ts';
import type { SkillSet } from '../../src/skill/skill-set.ts';
import { skillsOf } from '../skill/fixture.ts';
import { createInstallation, errorOf, openBundler, runScript, WRAPPERS } from './fixture.ts';

const bundler = openBundler({ libraries: ['tiny'] });
afterAll(() => bundler.close());
const SIGNAL = new AbortController().signal;

const TRIAGE = `import { listIssues } from "servers/github";
import { isUrgent, type Issue } from "skills/urgency";

/** Sorts. */
export async function triage(repo: string): Promise<unknown> {
  const issue: Issue = { title: "fire" };
  return [await listIssues({ repo }), isUrgent(issue)];
}
export const LIMIT: number = 3;
export function fail(text: string): never {
  const broken = text as unknown as { go(): never };
  return broken.go();
}
`;
const URGENCY = `export interface Issue { title: string }
let asked = 0;
export enum Level { Low, High }
export const isUrgent = (issue: Issue): boolean => { asked += 1; return issue.title === "fire"; };
export const howOften = (): number => asked;
`;

function bundle(code: string, skills: SkillSet | undefined): Promise<Bundle> {
  return bundler.bundle({ code, wrappers: WRAPPERS, skills }, SIGNAL);
}

/** The stack of what a script throws, as the guest writes it. */
async function thrownStack(made: Bundle): Promise<string> {
  const thrown = await runScript(made).catch((error: unknown) => error);
  // `new Function` puts two lines in front of the script.
  return String((thrown as Error).stack).replaceAll(
    /\(?(?:eval at [^,]*, )?program\.js:(\d+):(\d+)\)?/gu,
    (_all, line, column) => `(program.js:${Number(line) - 2}:${column})`,
  );
}

/** A program without types is linked directly, one with an enum takes the parser's and esbuild's help, one with a dynamic import esbuild alone. */
const WAYS = {
  plain: '',
  'with types': 'const typed: number = 1; void typed;\n',
  'with an enum': 'enum Mine { One }; void Mine.One;\n',
  'by esbuild alone': 'void (() => import("ampoule"));\n',
};

describe.each(Object.entries(WAYS))('a program %s', (_way, extra) => {
  test('imports names of a skill, and what that imports', async () => {
    const skills = await skillsOf(bundler, { triage: TRIAGE, urgency: URGENCY });
    const code = `import { triage, LIMIT } from "skills/triage";\n${extra}return [await triage("a/b"), LIMIT];`;
    expect(await runScript(await bundle(code, skills))).toEqual([[['github', 'list_issues', { repo: 'a/b' }], true], 3]);
  });

  test('imports a skill as a whole, which cannot be written to', async () => {
    const skills = await skillsOf(bundler, { triage: TRIAGE, urgency: URGENCY });
    const code = `import * as triage from "skills/triage.ts";\n${extra}let refused = false;
      const whole: any = triage;
      try { whole.LIMIT = 4; } catch { refused = true; }
      return [Object.keys(triage).sort(), triage.LIMIT, refused];`;
    expect(await runScript(await bundle(code, skills))).toEqual([['LIMIT', 'fail', 'triage'], 3, true]);
  });

  test('has a skill once, whoever imports it', async () => {
    const skills = await skillsOf(bundler, { triage: TRIAGE, urgency: URGENCY });
    const code = `import { howOften, Level } from "skills/urgency";\nimport { triage } from "skills/triage";
      ${extra}await triage("a/b"); await triage("c/d"); return [howOften(), Level.High];`;
    expect(await runScript(await bundle(code, skills))).toEqual([2, 1]);
  });

  test('is told the lines of a skill that throws, and its own', async () => {
    const skills = await skillsOf(bundler, { triage: TRIAGE, urgency: URGENCY });
    const code = `import { fail } from "skills/triage";\n${extra}function mine() {\n  return fail("no");\n}\nreturn mine();`;
    const made = await bundle(code, skills);
    const thrown = await runScript(made).catch((error: unknown) => error);
    // \`new Function\` puts two lines in front of the script.
    const stack = String((thrown as Error).stack).replaceAll(
      /\(?(?:eval at [^,]*, )?program\.js:(\d+):(\d+)\)?/gu,
      (_all, line, column) => `(program.js:${Number(line) - 2}:${column})`,
    );
    const mine = code.split('\n').findIndex((line) => line.includes('fail("no")')) + 1;
    const frames = agentFrames(stack, made);
    expect(frames.slice(0, 2)).toEqual([
      { module: 'skills/triage', line: 12, column: 17, source: '  return broken.go();' },
      { line: mine, column: 10, source: '  return fail("no");' },
    ]);
    expect(frames.filter(({ module }) => module === undefined).map(({ line }) => line)).toEqual([mine, mine + 2]);
  });
});

test('a program that names no skill gives the same script with and without any', async () => {
  const code = 'import { listIssues } from "servers/github"; return listIssues({ repo: "a/b" }); // 1';
  const skills = await skillsOf(bundler, { triage: TRIAGE, urgency: URGENCY });
  const [without, among] = await Promise.all([bundle(code, undefined), bundle(code, skills)]);
  expect(among.script).toBe(without.script);
});

test('another text of a skill gives another script', async () => {
  const code = 'import { value } from "skills/one"; return value;';
  const [first, second] = await Promise.all([1, 2].map((n) => skillsOf(bundler, { one: `export const value = ${n};` })));
  expect(await runScript(await bundle(code, first))).toBe(1);
  expect(await runScript(await bundle(code, second))).toBe(2);
  expect(await runScript(await bundle(code, first))).toBe(1);
});

test.each([
  [
    'import { a } from "skills/triaje"; return a;',
    'There is no "skills/triaje". Did you mean "skills/triage"?',
    /Skills: "skills\/triage"/u,
  ],
  ['import { a } from "skills/../triage"; return a;', 'There is no "skills/../triage". Did you mean "skills/triage"?', /Skills/u],
  ['import { a } from "skills/"; return a;', 'There is no "skills/".', /Skills/u],
  ['import { a } from "skills"; return a;', 'There is no "skills".', /Skills/u],
  ['import { a } from "skills/constructor"; return a;', 'There is no "skills/constructor".', /Skills/u],
])('%s is refused', async (code, message, hint) => {
  const skills = await skillsOf(bundler, { triage: 'export const a = 1;' });
  const error = await errorOf(bundle(code, skills));
  expect(error).toMatchObject({ code: 'ERR_BUNDLE_IMPORT', message, details: { location: { line: 1 } } });
  expect(error.details.hint).toMatch(hint);
});

test('without any skill the error says so', async () => {
  const error = await errorOf(bundle('import { a } from "skills/triage"; return a;', undefined));
  expect(error).toMatchObject({
    code: 'ERR_BUNDLE_IMPORT',
    details: { hint: 'There are no skills here. Put the code into the program itself.' },
  });
});

test('a name that a skill does not export is an error with those that it does', async () => {
  const skills = await skillsOf(bundler, { triage: TRIAGE, urgency: URGENCY });
  const error = await errorOf(bundle('import { triaje } from "skills/triage";\nreturn triaje();', skills));
  expect(error).toMatchObject({
    code: 'ERR_BUNDLE_IMPORT',
    message: '"skills/triage" has no export "triaje". Did you mean "triage"?',
    details: { location: { line: 1, column: 10 } },
  });
});

test('what has gone since a skill was saved is told as an error of the skill, at its place', async () => {
  const code = 'import { lists } from "skills/gone"; return lists();';
  const skills = await skillsOf(bundler, { gone: 'import { listAll } from "servers/github";\nexport const lists = () => listAll();' });
  expect(await errorOf(bundle(code, skills))).toMatchObject({
    code: 'ERR_BUNDLE_IMPORT',
    message: expect.stringMatching(/^The skill "gone": "servers\/github" has no export "listAll"\./u),
    details: { location: { module: 'skills/gone', line: 1, column: 10 } },
  });
  const lost = await skillsOf(bundler, { gone: 'import * as jira from "servers/jira";\nexport const lists = () => jira.list();' });
  expect(await errorOf(bundle(code, lost))).toMatchObject({
    code: 'ERR_BUNDLE_IMPORT',
    message: expect.stringMatching(/^The skill "gone": There is no "servers\/jira"\./u),
    details: { location: { module: 'skills/gone', line: 1 } },
  });
});

test('a program imports a skill dynamically, which is the same as the one that is imported at its top', async () => {
  const skills = await skillsOf(bundler, { triage: TRIAGE, urgency: URGENCY });
  const code =
    'import { isUrgent } from "skills/urgency"; isUrgent({ title: "" }); const { howOften } = await import("skills/urgency"); return howOften();';
  expect(await runScript(await bundle(code, skills))).toBe(1);
});

test('a skill that passes on what another has', async () => {
  const skills = await skillsOf(bundler, { one: 'export const a = 1;', two: 'export { a as b } from "skills/one";' });
  expect(await runScript(await bundle('import { b } from "skills/two"; return b;', skills))).toBe(1);
});

test('names of a skill and of a program have nothing to do with each other', async () => {
  const own = 'const ampoule = 1; const input = 2; const $result = 3; const triage = 4;';
  const skills = await skillsOf(bundler, { names: `${own}\nexport const sum = (): number => ampoule + input + $result + triage;` });
  for (const extra of Object.values(WAYS)) {
    const code = `import { sum } from "skills/names";\n${extra}const triage = "mine"; return [sum(), triage, input];`;
    expect(await runScript(await bundle(code, skills), 'given')).toEqual([10, 'mine', 'given']);
  }
});

test.each(Object.entries(WAYS))('a source map that a skill brings along moves nothing in a program %s', async (_way, extra) => {
  const map = Buffer.from('{"version":3,"sources":["agent:program"],"names":[],"mappings":"AAAA;AAAA;AAAA;AAAA"}').toString('base64');
  const code = `export function fail(): never {\n  throw new Error("no");\n}\n//# sourceMappingURL=data:application/json;base64,${map}`;
  const skills = await skillsOf(bundler, { mapped: code });
  const made = await bundle(`import { fail } from "skills/mapped";\n${extra}fail();`, skills);
  const stack = await thrownStack(made);
  expect(agentFrames(stack, made)[0]).toMatchObject({ module: 'skills/mapped', line: 2, source: '  throw new Error("no");' });
});

test('a skill imports an allowed library', async () => {
  await using installation = await createInstallation({
    'node_modules/tiny/package.json': '{ "name": "tiny", "version": "1.0.0", "main": "index.js" }',
    'node_modules/tiny/index.js': 'exports.twice = (n) => 2 * n;',
  });
  await using own = openBundler({ libraries: ['tiny'], resolveFrom: installation.root });
  const skills = await skillsOf(own, { math: 'import { twice } from "tiny";\nexport const four = (): number => twice(2);' });
  const made = await own.bundle({ code: 'import { four } from "skills/math"; return four();', wrappers: WRAPPERS, skills }, SIGNAL);
  expect(await runScript(made)).toBe(4);
});
