import { expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import { importLineOf } from '../../src/skill/import-line.ts';
import { createSkillLister } from '../../src/skill/listing.ts';
import { isSkillName } from '../../src/skill/skill-name.ts';
import type { SkillVersion } from '../../src/skill/skill.ts';
import { skillsIn, toolWarnings } from '../../src/skill/skills.ts';
import { toolsIn } from '../../src/skill/tool-hashes.ts';
import type { Catalog } from '../../src/upstream/catalog.ts';
import { CATALOG, wrappersOf } from '../check/fixture.ts';

function version(name: string, imports: string[] = [], more: Partial<SkillVersion> = {}): SkillVersion {
  const depends = { tools: [], skills: imports.map((each) => ({ name: each, version: 1 })) };
  const fixed = { version: 1, principal: 'ada', state: 'approved', description: '', dependsHash: '', savedAt: 0 } as const;
  return { ...fixed, name, code: `// ${name}`, exports: [{ name: 'run', kind: 'function', signature: 'run(): void' }], depends, ...more };
}

function source(skills: SkillVersion[]) {
  const asked: string[] = [];
  return {
    asked,
    find: (name: string) => (asked.push(name), skills.find((skill) => skill.name === name)),
    names: () => skills.map(({ name }) => name),
  };
}

test.each(['a', 'triage', 'triage-2', 'a'.repeat(64)])('%s is a name', (name) => {
  expect(isSkillName(name)).toBe(true);
});

test.each([
  '',
  'Triage',
  '2fast',
  '-a',
  'a_b',
  'a/b',
  '../a',
  '..',
  'a.b',
  'constructor',
  'näme',
  'a b',
  'a\n',
  'ａ',
  'a'.repeat(65),
  '__proto__',
])('%j is no name', (name) => expect(isSkillName(name)).toBe(false));

test('code that names no skill asks nothing of the store', () => {
  const store = source([version('triage')]);
  expect(skillsIn('import { a } from "servers/a"; // from "skillsets"', store, 'ada')).toBeUndefined();
  expect(store.asked).toEqual([]);
});

test('the skills of code are those that it imports and those that these import', () => {
  const store = source([version('a', ['b']), version('b', ['c']), version('c'), version('d')]);
  const set = skillsIn('import { run } from "skills/a";\nconst path = "skills/d";', store, 'ada');
  expect([...(set?.modules.keys() ?? [])]).toEqual(['a', 'b', 'c']);
  expect(set?.names()).toEqual(['a', 'b', 'c', 'd']);
  expect([...(set?.importedBy('b')?.modules.keys() ?? [])]).toEqual(['c']);
  expect(set?.importedBy('c')).toBeUndefined();
  const dynamic = skillsIn("await import('skills/c'); export { run } from `skills/b.ts`;", store, 'ada');
  expect([...(dynamic?.modules.keys() ?? [])]).toEqual(['b', 'c']);
});

test.each(['from', 'import(', 'import ('])('code that is made to be slow to look through is not, with "%s"', (word) => {
  const code = `"skills/a"; ${word}${' '.repeat(250_000)}x; ${`${word}\n`.repeat(20_000)}`;
  const began = performance.now();
  expect(skillsIn(code, source([]), 'ada')?.modules.size).toBe(0);
  expect(performance.now() - began).toBeLessThan(500);
});

test('a circle that came about all the same ends in an error that names it', () => {
  const store = source([version('a', ['b']), version('b', ['a'])]);
  const error = catching(() => skillsIn('import { run } from "skills/a";', store, 'ada'));
  expect(error).toMatchObject({ code: 'ERR_BUNDLE_IMPORT', message: 'Skills import each other in a circle: a → b → a.' });
});

test('32 skills behind one program are taken, 33 are not', () => {
  const chain = (length: number) => Array.from({ length }, (_, n) => version(`s${n}`, n + 1 < length ? [`s${n + 1}`] : []));
  expect(skillsIn('import "skills/s0";', source(chain(32)), 'ada')?.modules.size).toBe(32);
  expect(catching(() => skillsIn('import "skills/s0";', source(chain(33)), 'ada'))).toMatchObject({ code: 'ERR_BUNDLE_IMPORT' });
});

test('the tools that code can call are those of its imports and of the calls that it spells out', async () => {
  const wrappers = await wrappersOf(CATALOG);
  const tools = (uses: Parameters<typeof toolsIn>[0], calls: Parameters<typeof toolsIn>[1] = []) =>
    toolsIn(uses, calls, wrappers).map(({ server, tool }) => `${server}.${tool}`);
  expect(tools([{ specifier: 'servers/github', names: ['listIssues'] }])).toEqual(['github.list_issues']);
  expect(tools([{ specifier: 'servers/github', names: ['ListIssuesOutput'] }])).toEqual(['github.list_issues']);
  expect(tools([{ specifier: 'servers/github/rawSearch', names: '*' }])).toEqual(['github.raw_search']);
  expect(tools([{ specifier: 'servers/github', names: '*' }])).toEqual(['github.list_issues', 'github.raw_search']);
  expect(
    tools(
      [{ specifier: 'ampoule', names: ['callTool'] }],
      [
        ['mail', 'send'],
        ['mail', 'none'],
      ],
    ),
  ).toEqual(['mail.send']);
});

test('a skill whose tools changed or went says so, naming them', async () => {
  const before = await wrappersOf(CATALOG);
  const depends = {
    tools: toolsIn(
      [
        { specifier: 'servers/github', names: '*' },
        { specifier: 'servers/mail', names: '*' },
      ],
      [],
      before,
    ),
    skills: [],
  };
  const skill = version('triage', [], { depends });
  const set = skillsIn('import "skills/triage"', source([skill]), 'ada');
  expect(toolWarnings(set, before)).toEqual([]);
  const changed = structuredClone(CATALOG) as unknown as { servers: { name: string; tools: { inputSchema: object }[] }[] };
  changed.servers[0]!.tools[1]!.inputSchema = { type: 'object', properties: { text: { type: 'string' } } };
  changed.servers.splice(1, 1);
  const after = await wrappersOf(changed as unknown as Catalog);
  const message = 'The skill "triage": github.raw_search changed since it was saved; mail.send cannot be called now.';
  expect(toolWarnings(set, after)).toEqual([{ code: 'WARN_SKILL_TOOLS_CHANGED', message }]);
  const list = createSkillLister({ changes: () => 1, list: () => [skill] });
  expect(list('ada', after)).toMatchObject([
    { kind: 'skill', name: 'triage', exports: ['run(): void'], note: message.slice('The skill "triage": '.length) },
  ]);
  expect(list('ada', before)[0]).not.toHaveProperty('note');
});

test('a skill whose own imports are gone says so', async () => {
  const wrappers = await wrappersOf(CATALOG);
  const list = createSkillLister({ changes: () => 1, list: () => [version('a', ['b', 'c']), version('b')] });
  expect(list('ada', wrappers).map(({ note }) => note)).toEqual(['It imports what is no more: c.', undefined]);
});

test('a list is the same object until skills or wrappers change', async () => {
  const wrappers = await wrappersOf(CATALOG);
  let changes = 0;
  const list = createSkillLister({ changes: () => changes, list: (principal) => [version(principal)] });
  const first = list('ada', wrappers);
  expect(list('ada', wrappers)).toBe(first);
  expect(list('bob', wrappers).map(({ name }) => name)).toEqual(['bob']);
  changes = 1;
  expect(list('ada', wrappers)).not.toBe(first);
});

test('the import line has the functions and constants, a short name for many, and types when there is nothing else', () => {
  const names = (count: number, kind: 'function' | 'type') =>
    Array.from({ length: count }, (_, n) => ({ name: `n${n}`, kind, signature: '' }));
  expect(importLineOf({ name: 'a', exports: [...names(1, 'type'), { name: 'go', kind: 'function', signature: '' }] })).toBe(
    'import { go } from "skills/a";',
  );
  expect(importLineOf({ name: 'a', exports: names(2, 'type') })).toBe('import type { n0, n1 } from "skills/a";');
  expect(importLineOf({ name: 'sort-by-2', exports: names(7, 'function') })).toBe('import * as sortBy2 from "skills/sort-by-2";');
});

function catching(work: () => unknown): SandboxError | undefined {
  try {
    work();
  } catch (error) {
    if (error instanceof SandboxError) return error;
    throw error;
  }
  return undefined;
}
