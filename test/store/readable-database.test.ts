import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { isDiskFailure, openReadable } from '../../src/store/readable-database.ts';
import { NO_SMALL_DISK, spawnOnSmallDisk } from './small-disk.ts';

const CHILD = join(import.meta.dirname, 'readable-database-child.ts');

test.skipIf(NO_SMALL_DISK !== undefined)(
  'on a read-only disk what was committed is read, also what a killed process left beside the file',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ampoule-readable-'));
    try {
      const child = spawnOnSmallDisk(folder, '1m', [process.execPath, '--no-warnings', CHILD, folder]);
      expect(await json(child.stdout!)).toEqual({
        closed: ['kept', 'attempt to write a readonly database'],
        killed: ['kept', 'attempt to write a readonly database'],
        // Its tables cannot be brought up to date there.
        older: 'attempt to write a readonly database',
        missing: expect.stringContaining('EROFS'),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test('where the disk is no reason, an error is thrown as it is', () => {
  const migrations = ['CREATE TABLE notes (text TEXT);'];
  expect(() => openReadable({ file: tmpdir(), migrations })).toThrow('EISDIR');
  const db = openReadable({ migrations });
  for (const [statement, isDisk] of [
    ['INSERT INTO nowhere VALUES (1)', false],
    ['PRAGMA query_only = ON; INSERT INTO notes VALUES (1)', true],
  ] as const) {
    let found: unknown;
    try {
      db.exec(statement);
    } catch (error) {
      found = error;
    }
    expect(isDiskFailure(found)).toBe(isDisk);
  }
  db.close();
});
