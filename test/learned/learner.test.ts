import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LEARNED_BOUNDS, LEARNED_TIMES } from '../../src/learned/bounds.ts';
import { createLearner, forgetLearned, type Learner, type LearnerOptions } from '../../src/learned/learner.ts';

const run = promisify(execFile);

let folder: string;
let file: string;
let logged: unknown[];
const open = new Set<Learner>();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ampoule-learned-'));
  file = join(folder, 'learned.db');
  logged = [];
});
afterEach(async () => {
  for (const learner of open) learner.close();
  open.clear();
  await rm(folder, { recursive: true });
});

const log = { warn: (fields: object, message: string) => void logged.push([fields, message]) };

function learn(options: Partial<LearnerOptions> = {}): Learner {
  const learner = createLearner({ file, log, settleMs: 0, betweenChangesMs: 0, ...options });
  open.add(learner);
  return learner;
}

function close(learner: Learner): void {
  learner.close();
  open.delete(learner);
}

/** Notes answers one after the other, and waits until what is known has settled. */
async function note(learner: Learner, tool: string, ...answers: unknown[]): Promise<void> {
  for (const answer of answers) {
    learner.note('s', tool, JSON.stringify(answer));
    await nextTurn();
  }
  await sleep(15);
}

const OBJECT = (properties: object, required: string[]): object => ({ type: 'object', properties, required, additionalProperties: true });
const TEXT = { type: 'string' };

test('answers are learned after a moment, and widen what is known', async () => {
  const learner = learn();
  let changes = 0;
  learner.onChange(() => changes++);
  expect(learner.learnedSchema('s', 't')).toBeUndefined();
  await note(learner, 't', { a: 'x' });
  expect(learner.learnedSchema('s', 't')).toEqual(OBJECT({ a: TEXT }, ['a']));
  expect(changes).toBe(1);
  const before = learner.learnedSchema('s', 't');
  await note(learner, 't', { a: 'y' }, { a: 'z' });
  expect(learner.learnedSchema('s', 't')).toBe(before);
  expect(changes).toBe(1);
  await note(learner, 't', { b: 1 });
  expect(learner.learnedSchema('s', 't')).toEqual({
    type: 'object',
    properties: { a: TEXT, b: { type: 'number' } },
    additionalProperties: true,
  });
  expect(changes).toBe(2);
  expect(learner.learnedSchema('s', 'other')).toBeUndefined();
});

test('many news at once are one change, and changes keep their distance', async () => {
  const learner = learn({ betweenChangesMs: 150 });
  let changes = 0;
  learner.onChange(() => changes++);
  for (const name of ['t', 'u', 'v']) learner.note('s', name, '{"a":1}');
  await sleep(20);
  expect(changes).toBe(1);
  await note(learner, 't', { b: 1 });
  expect(changes).toBe(1);
  await sleep(200);
  expect(changes).toBe(2);
});

test('the first answers are all looked at, then one of so many', async () => {
  const learner = learn();
  for (let at = 0; at < LEARNED_BOUNDS.firstAnswers; at++) await note(learner, 't', { a: 1 });
  await note(learner, 't', ...Array.from({ length: LEARNED_BOUNDS.oneAnswerOf - LEARNED_BOUNDS.firstAnswers }, () => ({ b: 1 })));
  expect(JSON.stringify(learner.learnedSchema('s', 't'))).not.toContain('"b"');
  await note(learner, 't', { b: 1 });
  expect(JSON.stringify(learner.learnedSchema('s', 't'))).toContain('"b"');
});

test('what was learned survives a restart, also when it ends at once', async () => {
  const first = learn({ settleMs: 60_000 });
  first.note('s', 't', '{"a":"x"}');
  close(first);
  expect(learn().learnedSchema('s', 't')).toEqual(OBJECT({ a: TEXT }, ['a']));
});

test('two that share a file learn from each other, and lose nothing', async () => {
  const [one, other] = [learn(), learn()];
  await note(one, 't', { a: 'x' });
  await note(other, 't', { b: 'x' });
  await note(other, 'u', { c: 'x' });
  const both = { type: 'object', properties: { a: TEXT, b: TEXT }, additionalProperties: true };
  expect(other.learnedSchema('s', 't')).toEqual(both);
  await note(one, 'v', 1);
  expect(one.learnedSchema('s', 't')).toEqual(both);
  expect(one.learnedSchema('s', 'u')).toEqual(OBJECT({ c: TEXT }, ['c']));
  close(one);
  close(other);
  expect(learn().learnedSchema('s', 't')).toEqual(both);
});

test('processes that share a file lose nothing of each other', async () => {
  const child = fileURLToPath(new URL('learner-child.ts', import.meta.url));
  const starts = ['one', 'two', 'six'];
  const children = starts.map((start) => run(process.execPath, [child, file, start], { timeout: 30_000 }));
  expect((await Promise.all(children)).map(({ stderr }) => stderr)).toEqual(['', '', '']);
  const learner = learn();
  expect(Object.keys(learner.learnedSchema('s', 'shared')?.['properties'] ?? {})).toHaveLength(24);
  for (const start of starts) expect(learner.learnedSchema('s', `${start}7`)).toEqual(TEXT);
});

test('a tool that is not called for a time is forgotten, one that is called stays', async () => {
  let now = 1_000_000;
  const learner = learn({ now: () => now });
  await note(learner, 'old', { a: 1 });
  await note(learner, 'used', { a: 1 });
  now += LEARNED_TIMES.forgetAfter;
  await note(learner, 'used', { a: 1 });
  close(learner);
  now += 1;
  const next = learn({ now: () => now });
  expect(next.learnedSchema('s', 'used')).toBeDefined();
  expect(next.learnedSchema('s', 'old')).toBeUndefined();
});

test('a property that is gone for two generations is forgotten', async () => {
  let now = 1_000_000;
  const learner = learn({ now: () => now });
  await note(learner, 't', { old: 1, kept: 1 });
  for (const isThere of [true, false]) {
    now += LEARNED_TIMES.generation + 1;
    await note(learner, 't', { kept: 1 });
    expect(JSON.stringify(learner.learnedSchema('s', 't')).includes('"old"')).toBe(isThere);
  }
  expect(learner.learnedSchema('s', 't')).toEqual(OBJECT({ kept: { type: 'number' } }, ['kept']));
});

test('there are so many tools, and for one more the one goes that was not called for the longest time', async () => {
  let now = 1_000_000;
  const learner = learn({ now: () => now });
  await note(learner, 'first', { a: 1 });
  now += 1;
  await note(learner, 'second', { a: 1 });
  close(learner);
  const db = new DatabaseSync(file);
  const add = db.prepare(`INSERT INTO learned VALUES ('s', ?, '{"primitives":["string"]}', '{}', 0, ?)`);
  for (let at = 0; at < LEARNED_BOUNDS.tools - 1; at++) add.run(`t${at}`, now);
  db.close();
  const next = learn({ now: () => now });
  expect(next.learnedSchema('s', 'first')).toBeUndefined();
  expect(next.learnedSchema('s', 'second')).toBeDefined();
});

test('no value and no key that is data gets into the file', async () => {
  const learner = learn();
  const secret = 'hunter2-SECRET';
  await note(learner, 't', { a: secret, [`${secret}@example.com`]: secret, list: [{ b: secret, '2026-01-01': { c: secret } }] }, secret, [
    secret,
  ]);
  await note(learner, 'u', { name: secret, tags: [secret], 4711471147: 1 });
  expect(learner.learnedSchema('s', 'u')).toEqual({
    type: 'object',
    additionalProperties: { anyOf: [{ type: ['string', 'number'] }, { type: 'array', items: TEXT }] },
  });
  close(learner);
  const text = await readFile(file, 'latin1');
  for (const part of ['hunter2', 'SECRET', 'example.com', '2026-01-01', '47114711']) expect(text).not.toContain(part);
  expect(logged).toEqual([]);
});

test('a shape that is too large is kept less deeply', async () => {
  const learner = learn();
  // Every object has a few properties of words, and there are many objects.
  const word = (at: number): string => `w${String.fromCharCode(97 + (at % 26))}${'x'.repeat(at / 26)}o`;
  const wide = (levels: number): unknown =>
    levels === 0
      ? 'x'
      : Object.fromEntries([...Array(6).keys()].map((at) => [word(at * 7 + levels), at % 2 ? wide(levels - 1) : at ? 1 : [levels]]));
  await note(learner, 't', wide(6));
  const known = JSON.stringify(learner.learnedSchema('s', 't'));
  expect(known.length).toBeGreaterThan(500);
  close(learner);
  const db = new DatabaseSync(file, { readOnly: true });
  const length = Number(db.prepare('SELECT length(current) AS length FROM learned').get()?.['length']);
  db.close();
  expect(length).toBeLessThanOrEqual(LEARNED_BOUNDS.shapeText);
});

test.each([
  ['is no database', async () => writeFile(file, 'no database, '.repeat(200))],
  [
    'is damaged in the middle',
    async () => {
      const learner = learn();
      await note(learner, 't', { a: 1 });
      close(learner);
      const bytes = await readFile(file);
      await writeFile(file, Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 0xaa)]));
    },
  ],
])('a file that %s is replaced, and that is logged', async (_, damage) => {
  await damage();
  const learner = learn();
  expect(logged.length).toBeGreaterThan(0);
  await note(learner, 't', { b: 1 });
  expect(learner.learnedSchema('s', 't')).toBeDefined();
});

test.each([
  ['of a newer version', () => Promise.resolve(new DatabaseSync(file).exec('PRAGMA user_version = 99'))],
  ['that is a folder', () => mkdir(file)],
])('a file %s is left alone, and what is learned stays in memory', async (_, make) => {
  await make();
  const learner = learn();
  expect(logged).toHaveLength(1);
  await note(learner, 't', { b: 1 });
  expect(learner.learnedSchema('s', 't')).toBeDefined();
  await stat(file);
});

test('rows that cannot be read are left out', async () => {
  close(learn());
  const db = new DatabaseSync(file);
  const add = db.prepare('INSERT INTO learned VALUES (?, ?, ?, ?, ?, ?)');
  for (const [at, text] of [
    '{',
    '{"values":1}',
    '{"primitives":["secret"]}',
    `"${'x'.repeat(20_000)}"`,
    '{"primitives":["string"]}',
  ].entries()) {
    add.run('s', `t${at}`, text, '{}', 0, Date.now());
  }
  db.close();
  const learner = learn();
  expect([0, 1, 2, 3, 4].filter((at) => learner.learnedSchema('s', `t${at}`) !== undefined)).toEqual([4]);
});

test('a listener that throws ends nothing', async () => {
  const learner = learn();
  let told = 0;
  learner.onChange(() => {
    throw new Error('no');
  });
  const stop = learner.onChange(() => told++);
  await note(learner, 't', { a: 1 });
  expect(told).toBe(1);
  stop();
  await note(learner, 't', { b: 1 });
  expect(told).toBe(1);
});

test('the file is for its owner alone, and gone when nothing is to be learned', async () => {
  close(learn());
  expect((await stat(file)).mode & 0o077).toBe(0);
  forgetLearned(file, log);
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

test('noting an answer takes next to no time', async () => {
  const learner = learn();
  const answer = JSON.stringify({ items: Array.from({ length: 500 }, () => ({ id: 1, title: 'x', labels: ['a'] })) });
  for (let at = 0; at < 100; at++) learner.note('s', 't', answer);
  const began = performance.now();
  for (let at = 0; at < 100_000; at++) learner.note('s', 't', answer);
  // Under a tenth of a microsecond here; the bound is for a machine that is busy.
  expect((performance.now() - began) / 100_000).toBeLessThan(0.01);
  expect(learner.learnedSchema('s', 't')).toBeUndefined();
});
