import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase, transact } from '../../src/store/database.ts';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'ampoule-store-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const FIRST = 'CREATE TABLE notes (text TEXT NOT NULL) STRICT;';
const SECOND = "ALTER TABLE notes ADD COLUMN author TEXT NOT NULL DEFAULT 'nobody';";

test('a new file gets the tables of the last version, readable for its owner alone', () => {
  const file = join(folder, 'notes.db');
  const db = openDatabase({ file, migrations: [FIRST, SECOND] });
  db.exec("INSERT INTO notes (text) VALUES ('x')");
  expect(db.prepare('SELECT * FROM notes').all()).toEqual([{ text: 'x', author: 'nobody' }]);
  expect(statSync(file).mode & 0o077).toBe(0);
  db.close();
});

test('a new file can be opened by several at the same moment', async () => {
  const workerData = { folder, shared: new SharedArrayBuffer(4), threads: 3, files: 60 };
  const entry = new URL('opening-thread.ts', import.meta.url);
  const opened = Array.from({ length: workerData.threads }, () => once(new Worker(entry, { workerData }), 'exit'));
  expect(await Promise.all(opened)).toEqual([[0], [0], [0]]);
});

test('an older file keeps what is in it', () => {
  const file = join(folder, 'notes.db');
  const old = openDatabase({ file, migrations: [FIRST] });
  old.exec("INSERT INTO notes VALUES ('kept')");
  old.close();
  const db = openDatabase({ file, migrations: [FIRST, SECOND] });
  expect(db.prepare('SELECT * FROM notes').all()).toEqual([{ text: 'kept', author: 'nobody' }]);
  db.close();
});

test('a file whose new tables cannot be made stays at its version', () => {
  const file = join(folder, 'notes.db');
  openDatabase({ file, migrations: [FIRST] }).close();
  const broken = 'CREATE TABLE half (x TEXT); CREATE TABLE notes (text TEXT);';
  expect(() => openDatabase({ file, migrations: [FIRST, broken] })).toThrow('already exists');
  const db = openDatabase({ file, migrations: [FIRST] });
  expect(db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()).toEqual([{ name: 'notes' }]);
  db.close();
});

test('a file of a newer version is refused, and what to do is said', () => {
  const file = join(folder, 'notes.db');
  openDatabase({ file, migrations: [FIRST, SECOND] }).close();
  expect(() => openDatabase({ file, migrations: [FIRST] })).toThrow(
    'a newer version of Ampoule wrote it (its tables have version 2, this one knows them up to 1): start that one, or set another "cacheDir"',
  );
});

test('a file that is something else is refused', () => {
  const file = join(folder, 'notes.txt');
  writeFileSync(file, 'These are my notes. '.repeat(100));
  expect(() => openDatabase({ file, migrations: [FIRST] })).toThrow('not a database');
});

test('what is no file in the place of one is refused at once: nobody waits at a pipe', () => {
  const [pipe, directory] = [join(folder, 'pipe.db'), join(folder, 'directory.db')];
  execFileSync('mkfifo', [pipe]);
  mkdirSync(directory);
  expect(() => openDatabase({ file: pipe, migrations: [FIRST] })).toThrow('ENXIO');
  expect(() => openDatabase({ file: directory, migrations: [FIRST] })).toThrow('EISDIR');
  expect(() => openDatabase({ file: '/dev/null', migrations: [FIRST] })).toThrow('it is no regular file');
});

test('work that fails leaves nothing, also when the database has ended its transaction', () => {
  const db = openDatabase({ migrations: [FIRST] });
  const fails = (statement: string): (() => void) => {
    return () =>
      transact(db, () => {
        db.exec("INSERT INTO notes VALUES ('half')");
        db.exec(statement);
      });
  };
  expect(fails('INSERT INTO nowhere VALUES (1)')).toThrow('nowhere');
  expect(fails('INSERT OR ROLLBACK INTO notes VALUES (NULL)')).toThrow('NOT NULL');
  expect(transact(db, () => db.prepare('SELECT count(*) AS n FROM notes').get())).toEqual({ n: 0 });
  db.close();
});
