import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { openReadable } from '../../src/store/readable-database.ts';

/* A process of its own on a disk that it makes read-only. Argument: the folder of that disk. Prints what it could still read. */
const [, , folder = ''] = process.argv;
const FIRST = 'CREATE TABLE notes (text TEXT NOT NULL) STRICT;';
const place = (name: string): string => join(folder, name);

const db = openReadable({ file: place('closed.db'), migrations: [FIRST] });
db.exec("INSERT INTO notes VALUES ('kept')");
// As a process leaves it that is killed: what it has committed is beside the file.
for (const end of ['', '-wal']) copyFileSync(place(`closed.db${end}`), place(`killed.db${end}`));
db.close();
execFileSync('mount', ['-o', 'remount,bind,ro', folder]);

const read = (name: string, migrations: readonly string[] = [FIRST]): unknown => {
  try {
    const found = openReadable({ file: place(name), migrations });
    const texts = found.prepare('SELECT text FROM notes').all();
    try {
      found.exec("INSERT INTO notes VALUES ('more')");
    } catch (error) {
      return [...texts.map(({ text }) => text), (error as Error).message];
    } finally {
      found.close();
    }
    return 'it was written to';
  } catch (error) {
    return (error as Error).message;
  }
};
const older = read('closed.db', [FIRST, 'CREATE TABLE more (text TEXT);']);
process.stdout.write(JSON.stringify({ closed: read('closed.db'), killed: read('killed.db'), older, missing: read('missing.db') }));
