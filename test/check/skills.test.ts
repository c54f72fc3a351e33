import { afterAll, expect, test } from 'vitest';
import type { CheckReport } from '../../src/check/checker.ts';
import { skillsOf } from '../skill/fixture.ts';
import { openBundler } from '../bundle/fixture.ts';
import type { SkillSet } from '../../src/skill/skill-set.ts';
import { CATALOG, openChecker, shown, SIGNAL, wrappersOf } from './fixture.ts';

const bundler = openBundler();
const checker = openChecker();
afterAll(() => Promise.all([bundler.close(), checker.close()]));
const wrappers = await wrappersOf(CATALOG);

const TRIAGE = `import { listIssues } from "servers/github";
import type { Rank } from "skills/rank";
export interface Ranked { title: string; rank: Rank }
export async function triage(repo: string): Promise<Ranked[]> {
  const { items } = await listIssues({ repo });
  return items.map(({ title }) => ({ title, rank: "high" }));
}
`;
const RANK = 'export type Rank = "low" | "high";\n';

function check(code: string, skills?: SkillSet): Promise<CheckReport> {
  return checker.check({ code, wrappers, skills }, SIGNAL);
}

test('types flow from tools through skills into the program', async () => {
  const skills = await skillsOf(bundler, { triage: TRIAGE, rank: RANK });
  const use = 'import { triage, type Ranked } from "skills/triage";\nconst all: Ranked[] = await triage("a/b");\n';
  expect(shown(await check(`${use}const rank: "low" | "high" | undefined = all[0]?.rank; return rank;`, skills))).toEqual([]);
  expect(shown(await check(`${use}return triage(7, all[0]?.rank === "middle");`, skills))).toEqual([
    expect.stringMatching(/^3:18 TS2554 Expected 1 arguments, but got 2/u),
    expect.stringMatching(/^3:18 TS2367 /u),
  ]);
});

test('the ending .ts is a way to name a skill too', async () => {
  const skills = await skillsOf(bundler, { rank: RANK });
  expect(shown(await check('import type { Rank } from "skills/rank.ts"; const a: Rank = "no"; return a;', skills))).toEqual([
    expect.stringMatching(/TS2322/u),
  ]);
});

test('a name that a skill does not export is told with the nearest', async () => {
  const skills = await skillsOf(bundler, { triage: TRIAGE, rank: RANK });
  expect(shown(await check('import type { Rankd } from "skills/triage"; const a: Rankd = 1; return a;', skills))).toEqual([
    expect.stringMatching(/^1:15 TS2\d+ .*"skills\/triage"' has no exported member.*Ranked/u),
  ]);
});

test("what no longer fits in a skill is told as the skill's, with its lines", async () => {
  const broken = TRIAGE.replace('({ repo })', '({ repository: repo })');
  const skills = await skillsOf(bundler, { triage: broken, rank: RANK });
  const { diagnostics } = await check('import { triage } from "skills/triage";\n\n\n\n\n\nreturn triage("a/b");', skills);
  expect(diagnostics).toEqual([
    {
      tsCode: 2353,
      message: expect.stringMatching(/^The skill "triage": .*'repository' does not exist in type 'ListIssuesInput'/u),
      location: { module: 'skills/triage', line: 5, column: 40, source: '  const { items } = await listIssues({ repository: repo });' },
    },
  ]);
});

test('each program sees the version that it came with', async () => {
  const code = 'import { value } from "skills/one"; const text: string = value; return text;';
  const [text, number] = await Promise.all(['"a"', '1'].map((value) => skillsOf(bundler, { one: `export const value = ${value};` })));
  const rounds = [text, number, text, number];
  // Texts of their own for the checker to look at, then one text for its cache to tell apart.
  for (const ending of ['number', 'same']) {
    const found = await Promise.all(rounds.map((skills, n) => check(`${code} // ${ending === 'same' ? ending : n}`, skills)));
    expect(found.map(({ diagnostics }) => diagnostics.length)).toEqual([0, 1, 0, 1]);
  }
  expect(shown(await check(`${code} // none`))).toEqual([expect.stringContaining("Cannot find module 'skills/one'")]);
});

test('directives of a skill reach nothing', async () => {
  const hostile = '/// <reference path="../program.ts" />\n// @ts-nocheck\nexport const value: string = 1;\n';
  const skills = await skillsOf(bundler, { one: hostile });
  expect(shown(await check('import { value } from "skills/one"; return value;', skills))).toEqual([
    expect.stringMatching(/^3:14 TS2322 The skill "one"/u),
  ]);
});
