import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { NO_SMALL_DISK, spawnOnSmallDisk } from '../store/small-disk.ts';

const CHILD = join(import.meta.dirname, 'full-disk-child.ts');

test.skipIf(NO_SMALL_DISK !== undefined)(
  'a disk that gets full while an engine is written is told by a code, and no half of it stays',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ampoule-engine-disk-'));
    try {
      // Room for the guest runtime, and not for the engine.
      const child = spawnOnSmallDisk(folder, '1500k', [process.execPath, '--no-warnings', CHILD, folder]);
      expect(await json(child.stdout!)).toEqual({ told: 'ERR_ENGINE_BUILD', last: 'write', left: [] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
