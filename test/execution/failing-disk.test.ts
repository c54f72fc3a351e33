import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { NO_SMALL_DISK, spawnOnSmallDisk } from '../store/small-disk.ts';
import { newExecution, sentCall, START, StoreFolder } from './stored-executions.ts';

// oxlint-disable-next-line vitest/valid-title -- the reason why it is skipped belongs to the report
describe.skipIf(NO_SMALL_DISK !== undefined)(
  `when the disk gets full${NO_SMALL_DISK === undefined ? '' : `: skipped, ${NO_SMALL_DISK}`}`,
  () => {
    test('the last image stays, what fits is written, and a record with a hole is not said to be whole', async () => {
      expect(await reportOf('full-disk-child.ts')).toEqual({
        together: ['ERR_EXECUTION_STORE', 'done', 'done'],
        full: 'ERR_EXECUTION_STORE',
        after: 'done',
        one: { lastCall: 1, canWake: true, isComplete: true, image: [100_000, 1] },
        two: {
          isComplete: false,
          calls: [
            [1, 'sent'],
            [2, 'sent'],
          ],
        },
        warnings: 2,
      });
    });

    test('at what the gateway’s own thread writes, that is refused with a code, nothing acknowledged is lost, and with room again all is written', async () => {
      const { executions, ...report } = await reportOf('full-disk-direct-child.ts');
      expect(report).toEqual({
        codes: ['ERR_EXECUTION_STORE'],
        ended: 'ERR_EXECUTION_STORE',
        readable: [true, true, true],
        direct: { untilFull: true, atLast: false, whileFull: false, withRoom: true },
        warnings: 1,
        integrity: 'ok',
        unfinished: ['two'],
      });
      const none = { lost: [], kept: [] };
      expect(executions).toMatchObject([
        { ...none, id: 'one', status: 'completed', isComplete: false },
        { ...none, id: 'two', status: 'running', isComplete: false },
        // Its end was refused at first.
        { ...none, id: 'three', status: 'completed', isComplete: false },
        { ...none, id: 'new', status: 'completed', isComplete: true, steps: [1], calls: [1], unanswered: 0 },
      ]);
      for (const { steps, calls } of executions as { steps: number[]; calls: number[] }[]) {
        expect(steps).toEqual(steps.map((_, index) => index + 1));
        expect(calls).toEqual(calls.toSorted((a, b) => a - b));
      }
    });
  },
);

/** What a child says that has a small disk. */
async function reportOf(child: string): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'ampoule-full-executions-'));
  try {
    const { stdout } = spawnOnSmallDisk(folder, '3m', [process.execPath, '--no-warnings', join(import.meta.dirname, child), folder]);
    return (await json(stdout!)) as Record<string, unknown>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('while another process keeps the file locked the event loop goes on, writes are refused, and nothing that was lost is forgotten', async () => {
  await using folder = new StoreFolder();
  const warnings: string[] = [];
  const store = folder.open({ log: { warn: (_fields, message) => void warnings.push(message) } });
  await store.create(newExecution('one'));
  await store.start('one', START);
  const other = new DatabaseSync(folder.file);
  other.exec('BEGIN IMMEDIATE');
  store.history('one', { steps: [[1]], files: [] });
  let turns = 0;
  const ticking = setInterval(() => turns++, 10);
  const writes = await Promise.allSettled([store.call('one', sentCall(1)), store.create(newExecution('two'))]);
  clearInterval(ticking);
  expect(writes.map((write) => write.status === 'rejected' && (write.reason as { code: string }).code)).toEqual([
    'ERR_EXECUTION_STORE',
    'ERR_EXECUTION_STORE',
  ]);
  expect(turns).toBeGreaterThan(10);
  expect(warnings).toHaveLength(1);
  // What is there can still be read.
  expect(await store.read('one')).toMatchObject({ isComplete: true, calls: [] });
  other.exec('ROLLBACK');
  other.close();
  await store.call('one', sentCall(1));
  expect(await store.read('one')).toMatchObject({ isComplete: false, calls: [{ number: 1 }], history: { steps: [] } });
  expect(await store.read('two')).toBeUndefined();
});
