import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NO_SMALL_DISK, spawnOnSmallDisk } from './small-disk.ts';
import type { SmallDiskReport } from './small-disk-report.ts';

/** Every store and cache on a disk that gets full, and on one that becomes read-only. */

const CHILD = join(import.meta.dirname, 'small-disk-child.ts');

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'ampoule-small-disk-'))));
afterEach(() => rmSync(folder, { recursive: true }));

async function reportOf(what: 'full' | 'read-only'): Promise<SmallDiskReport> {
  const child = spawnOnSmallDisk(folder, '3m', [process.execPath, '--no-warnings', CHILD, what, folder]);
  const [out, errors] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  if (out === '') throw new Error(errors);
  return JSON.parse(out) as SmallDiskReport;
}

// oxlint-disable-next-line vitest/valid-title -- the reason why it is skipped belongs to the report
describe.skipIf(NO_SMALL_DISK !== undefined)(
  `a disk of three megabytes${NO_SMALL_DISK === undefined ? '' : `: skipped, ${NO_SMALL_DISK}`}`,
  () => {
    test('that is full: nothing stored is lost, what cannot be stored is told by a code, and with room again all is stored again', async () => {
      const report = await reportOf('full');
      const kept = { read: 3, after: 5, reopened: 5 };
      expect(report).toEqual({
        sessions: { ...kept, write: 'ERR_SESSION_STORE' },
        skills: { ...kept, write: 'ERR_SKILL_STORE' },
        keys: { ...kept, write: 'ERR_ACCESS_UNAVAILABLE' },
        executions: { ...kept, write: 'ERR_EXECUTION_STORE' },
        logins: { ...kept, write: 'ERR_UPSTREAM_LOGIN_STORE' },
        // What writes to these three knows what to do about it, and no agent hears of it.
        audit: { ...kept, write: 'ERR_SQLITE_ERROR' },
        learned: { ...kept, write: 'ERR_SQLITE_ERROR' },
        drift: { ...kept, write: 'ERR_SQLITE_ERROR' },
        // The place of the fifth is another one than that of the third.
        results: { ...kept, reopened: 3, write: 'ERR_RESULT_STORE' },
        // A cache that cannot keep something has done its work.
        programs: { ...kept, reopened: 3, write: '4' },
        wrappers: { ...kept, write: 'ERR_WRAPPERS_WRITE' },
      });
    });

    test('that is read-only: what must not be lost is still read, and nothing pretends to be stored', async () => {
      const report = await reportOf('read-only');
      expect(report).toEqual({
        sessions: { read: 3, write: 'ERR_SESSION_STORE' },
        skills: { read: 3, write: 'ERR_SKILL_STORE' },
        keys: { read: 3, write: 'ERR_ACCESS_UNAVAILABLE' },
        logins: { read: 3, write: 'ERR_UPSTREAM_LOGIN_STORE' },
        audit: { read: 'EROFS', write: 'EROFS' },
        // Whoever carries runs on must be able to write; the operator's commands read it there.
        executions: { read: 'ERR_EXECUTION_STORE', write: 'ERR_EXECUTION_STORE' },
        // These are learned again, in memory.
        learned: { read: 0, write: '' },
        drift: { read: 0, write: '' },
        results: { read: 3, write: 'ERR_RESULT_STORE' },
        programs: { read: 3, write: '4' },
        wrappers: { read: 3, write: 'ERR_WRAPPERS_WRITE' },
      });
    });
  },
);
