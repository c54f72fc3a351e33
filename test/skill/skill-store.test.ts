import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { SandboxError } from '../../src/errors.ts';
import type { NewSkill, SkillMode } from '../../src/skill/skill.ts';
import { createSkillStore, MAX_VERSIONS, type SkillStore } from '../../src/skill/skill-store.ts';

const open: SkillStore[] = [];
afterEach(() => open.splice(0).forEach((store) => store.close()));

function storeOf(mode: SkillMode, options: { file?: string; maxSkills?: number } = {}): SkillStore {
  const store = createSkillStore({ mode, maxSkills: 100, ...options });
  open.push(store);
  return store;
}

function skill(name: string, more: Partial<NewSkill> & { imports?: string[] } = {}): NewSkill {
  const { imports = [], ...rest } = more;
  const depends = { tools: [], skills: imports.map((imported) => ({ name: imported, version: 1 })) };
  const exports = [{ name: 'value', kind: 'constant' as const, signature: 'value' }];
  return { name, principal: 'ada', description: `About ${name}.`, code: 'export const value = 1;\n', exports, depends, ...rest };
}

function errorOf(work: () => unknown): SandboxError {
  try {
    work();
  } catch (error) {
    if (error instanceof SandboxError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const inUse = (store: SkillStore, name: string, principal: string): number | undefined => store.find(name, principal)?.version;

describe('in mode "ask"', () => {
  test("a saved skill waits, and is nobody's until it is approved", () => {
    const store = storeOf('ask');
    expect(store.save(skill('triage'))).toMatchObject({ version: 1, state: 'waiting' });
    expect([inUse(store, 'triage', 'ada'), inUse(store, 'triage', 'bob'), store.names('ada')]).toEqual([undefined, undefined, []]);
    store.decide('triage', 1, 'approved');
    expect([inUse(store, 'triage', 'ada'), inUse(store, 'triage', 'bob'), store.names('bob')]).toEqual([1, 1, ['triage']]);
  });

  test('a new version of an approved skill waits while the old one stays in use', () => {
    const store = storeOf('ask');
    store.save(skill('triage'));
    store.decide('triage', 1, 'approved');
    expect(store.save(skill('triage', { code: 'export const value = 2;\n' }))).toMatchObject({ version: 2, state: 'waiting' });
    expect(store.find('triage', 'ada')).toMatchObject({ version: 1, code: 'export const value = 1;\n' });
    store.decide('triage', 2, 'approved');
    expect(inUse(store, 'triage', 'ada')).toBe(2);
    store.decide('triage', 2, 'rejected');
    expect(inUse(store, 'triage', 'ada')).toBe(1);
  });

  test('what was saved in mode "on" is not used without being approved', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ampoule-skills-'));
    try {
      const file = join(folder, 'skills.db');
      const before = createSkillStore({ file, mode: 'on', maxSkills: 10 });
      before.save(skill('triage'));
      expect(inUse(before, 'triage', 'ada')).toBe(1);
      before.close();
      const after = createSkillStore({ file, mode: 'ask', maxSkills: 10 });
      expect(inUse(after, 'triage', 'ada')).toBeUndefined();
      // The same text again is a version that waits, not the one that nobody will look at.
      expect(after.save(skill('triage'))).toMatchObject({ version: 2, state: 'waiting' });
      after.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('in mode "on"', () => {
  test('a saved skill is for who saved it at once, and for nobody else before it is approved', () => {
    const store = storeOf('on');
    expect(store.save(skill('triage'))).toMatchObject({ version: 1, state: 'private' });
    expect([inUse(store, 'triage', 'ada'), inUse(store, 'triage', 'bob')]).toEqual([1, undefined]);
    expect([store.list('ada').length, store.list('bob').length, store.names('bob')]).toEqual([1, 0, []]);
    store.decide('triage', 1, 'approved');
    expect(inUse(store, 'triage', 'bob')).toBe(1);
  });

  test('two principals have skills of one name, each its own', () => {
    const store = storeOf('on');
    store.save(skill('triage', { code: 'export const value = "ada";\n' }));
    store.save(skill('triage', { code: 'export const value = "bob";\n', principal: 'bob' }));
    expect(store.find('triage', 'ada')?.code).toContain('ada');
    expect(store.find('triage', 'bob')?.code).toContain('bob');
    expect(store.find('triage', 'eve')).toBeUndefined();
    // The newest that a principal may use: what is approved later takes the place of its own.
    store.decide('triage', 1, 'approved');
    expect([inUse(store, 'triage', 'ada'), inUse(store, 'triage', 'bob'), inUse(store, 'triage', 'eve')]).toEqual([1, 2, 1]);
  });

  test('a rejected version is used by nobody', () => {
    const store = storeOf('on');
    store.save(skill('triage'));
    store.decide('triage', 1, 'rejected');
    expect(inUse(store, 'triage', 'ada')).toBeUndefined();
    expect(store.save(skill('triage'))).toMatchObject({ version: 2 });
  });
});

test('in mode "off" nothing is saved', () => {
  expect(errorOf(() => storeOf('off').save(skill('triage')))).toMatchObject({ code: 'ERR_SKILL_OFF' });
});

test('the same code and description again are the same version; anything else is a new one', () => {
  const store = storeOf('on');
  const versions = [
    skill('triage'),
    skill('triage'),
    skill('triage', { description: 'Better said.' }),
    skill('triage', { description: 'Better said.', depends: { tools: [{ server: 'a', tool: 'b', hash: 'c' }], skills: [] } }),
    skill('triage'),
  ].map((each) => store.save(each).version);
  expect(versions).toEqual([1, 1, 2, 3, 4]);
});

test("old versions go when there are too many, but not the one in use, and nobody else's", () => {
  const store = storeOf('ask');
  store.save(skill('triage', { principal: 'bob', code: 'export const value = "bob";\n' }));
  store.save(skill('triage'));
  store.decide('triage', 2, 'approved');
  for (let n = 0; n < MAX_VERSIONS + 5; n++) store.save(skill('triage', { code: `export const value = ${n + 2};\n` }));
  const versions = store.history('triage').map(({ version }) => version);
  expect(versions.slice(-2)).toEqual([2, 1]);
  expect(versions).toHaveLength(MAX_VERSIONS + 2);
  expect(inUse(store, 'triage', 'ada')).toBe(2);
});

test('past the most skills nothing new is saved, only new versions', () => {
  const store = storeOf('on', { maxSkills: 2 });
  store.save(skill('one'));
  store.save(skill('two'));
  expect(errorOf(() => store.save(skill('three')))).toMatchObject({
    code: 'ERR_SKILL_INVALID',
    message: expect.stringContaining('2 skills'),
  });
  expect(store.save(skill('two', { code: 'export const value = 2;\n' }))).toMatchObject({ version: 2 });
  store.remove('one');
  expect(store.save(skill('three'))).toMatchObject({ version: 1 });
});

test('one principal cannot take all the room for skills, and local may', () => {
  const store = storeOf('on', { maxSkills: 200 });
  const fill = (principal: string): number => {
    let saved = 0;
    const saveMore = (): never => {
      for (;;) {
        store.save(skill(`${principal}-${saved}`, { principal }));
        saved++;
      }
    };
    expect(errorOf(saveMore).code).toBe('ERR_SKILL_INVALID');
    return saved;
  };
  expect(fill('greedy')).toBe(150);
  expect(errorOf(() => store.save(skill('more', { principal: 'greedy' })))).toMatchObject({
    code: 'ERR_SKILL_INVALID',
    message: 'You have saved 150 skills, and what is left of the 200 that there may be is for others.',
  });
  expect(store.save(skill('greedy-3', { principal: 'greedy', code: 'export const value = 3;\n' }))).toMatchObject({ version: 2 });
  expect(fill('second')).toBeGreaterThan(5);
  expect(fill('third')).toBeGreaterThan(0);
  expect(store.save(skill('fourth', { principal: 'fourth' }))).toMatchObject({ version: 1 });
  const others = new Set(store.all().map(({ name }) => name)).size;
  expect(fill('local')).toBe(200 - others);
});

describe('a circle of imports', () => {
  test('is refused when it would be saved, with all that are in it', () => {
    const store = storeOf('on');
    store.save(skill('a'));
    store.save(skill('b', { imports: ['a'] }));
    store.save(skill('c', { imports: ['b'] }));
    const error = errorOf(() => store.save(skill('a', { imports: ['c'] })));
    expect(error).toMatchObject({ code: 'ERR_SKILL_INVALID', message: 'Skills import each other in a circle: a → c → b → a.' });
    expect(errorOf(() => store.save(skill('a', { imports: ['a'] })))).toMatchObject({ message: 'The skill "a" imports itself.' });
    expect(inUse(store, 'a', 'ada')).toBe(1);
  });

  test('of versions that wait is refused when the last of them would be approved', () => {
    const store = storeOf('ask');
    for (const name of ['a', 'b']) store.decide(name, store.save(skill(name)).version, 'approved');
    store.save(skill('a', { imports: ['b'] }));
    store.save(skill('b', { imports: ['a'] }));
    store.decide('a', 2, 'approved');
    const error = errorOf(() => store.decide('b', 2, 'approved'));
    expect(error).toMatchObject({ code: 'ERR_SKILL_INVALID', message: expect.stringContaining('b → a → b') });
    expect(inUse(store, 'b', 'ada')).toBe(1);
  });
});

test("two that have the file open see each other's work, and a count that rises with it", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ampoule-skills-'));
  try {
    const file = join(folder, 'skills.db');
    const [server, operator] = [storeOf('ask', { file }), storeOf('ask', { file })];
    const before = server.changes();
    server.save(skill('triage'));
    operator.decide('triage', 1, 'approved');
    expect(inUse(server, 'triage', 'ada')).toBe(1);
    expect(server.changes()).toBe(before + 2);
    expect(operator.remove('triage')).toBe(1);
    expect(inUse(server, 'triage', 'ada')).toBeUndefined();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  } finally {
    open.splice(0).forEach((store) => store.close());
    await rm(folder, { recursive: true });
  }
});

test('what there is not is an error with its code', () => {
  const store = storeOf('on');
  store.save(skill('triage'));
  expect(errorOf(() => store.history('other'))).toMatchObject({ code: 'ERR_SKILL_UNKNOWN' });
  expect(errorOf(() => store.decide('triage', 2, 'approved'))).toMatchObject({ code: 'ERR_SKILL_UNKNOWN' });
  expect(errorOf(() => store.remove('other'))).toMatchObject({ code: 'ERR_SKILL_UNKNOWN' });
  expect(errorOf(() => createSkillStore({ file: '/dev/null/skills.db', mode: 'on', maxSkills: 1 }))).toMatchObject({
    code: 'ERR_SKILL_STORE',
  });
});
