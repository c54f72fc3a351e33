import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openReplaceable, removeDatabase } from '../../src/store/replaceable-database.ts';

let folder: string;
let file: string;
let logged: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ampoule-replaceable-'));
  file = join(folder, 'some.db');
  logged = [];
});
afterEach(() => rm(folder, { recursive: true }));

const FORM = { migrations: ['CREATE TABLE notes (text TEXT)'] };
const log = { warn: (_fields: object, message: string) => void logged.push(message) };

function note(text: string): unknown[] {
  const db = openReplaceable({ ...FORM, file }, log);
  db.prepare('INSERT INTO notes VALUES (?)').run(text);
  const rows = db.prepare('SELECT text FROM notes').all();
  db.close();
  return rows.map((row) => row['text']);
}

test('a good file is kept, in silence', () => {
  expect(note('a')).toEqual(['a']);
  expect(note('b')).toEqual(['a', 'b']);
  expect(logged).toEqual([]);
});

test('a damaged file is replaced by an empty one, and that is logged', async () => {
  note('a');
  await writeFile(file, 'no database '.repeat(500));
  expect(note('b')).toEqual(['b']);
  expect(note('c')).toEqual(['b', 'c']);
  expect(logged).toEqual(['A file in the cache folder cannot be used']);
});

test('a file of a newer version is left as it is', async () => {
  note('a');
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 9');
  db.close();
  const before = await readFile(file);
  expect(note('b')).toEqual(['b']);
  expect(await readFile(file)).toEqual(before);
  expect(logged).toHaveLength(1);
});

test('where no file can be, memory takes its place', async () => {
  await mkdir(file);
  expect(note('b')).toEqual(['b']);
  expect(note('c')).toEqual(['c']);
  expect(logged).toHaveLength(2);
});

test('a database is removed with all that is beside it', async () => {
  const db = openReplaceable({ ...FORM, file }, log);
  db.exec("INSERT INTO notes VALUES ('a')");
  expect((await readdir(folder)).length).toBeGreaterThan(1);
  db.close();
  removeDatabase(file);
  removeDatabase(file);
  expect(await readdir(folder)).toEqual([]);
});
