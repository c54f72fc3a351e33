import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { fillDisk } from '../store/fill-disk.ts';
import { LIMITS, newExecution, sentCall, START, waitOf } from './stored-executions.ts';

/* A process of its own on a small disk, whose folder is its argument. Fills the disk while runs are put away, and tells what became of them. */
const [, , folder = ''] = process.argv;
const warnings: string[] = [];
const log = { warn: (_fields: object, message: string) => void warnings.push(message) };
const store = openExecutions({ file: join(folder, 'executions.db'), group: 'test', limits: LIMITS, log });
for (const id of ['one', 'two']) {
  await store.create(newExecution(id));
  await store.start(id, START);
}
await store.hibernated('one', waitOf({ lastCall: 1 }), new Uint8Array(100_000).fill(1));
const filler = join(folder, 'filler');
fillDisk(filler, 400_000);
// In one transaction they do not fit, and the small ones do alone.
const together = await Promise.all([
  outcome(store.hibernated('one', waitOf({ lastCall: 2 }), new Uint8Array(1_000_000).fill(2))),
  outcome(store.call('one', sentCall(1))),
  outcome(store.call('two', sentCall(1))),
]);
fillDisk(`${filler}2`);
store.history('two', { steps: [[1]], files: [] });
const full = await outcome(store.answered('two', sentCall(1), { ok: true, value: 'x'.repeat(900_000) }));
rmSync(filler);
rmSync(`${filler}2`);
const after = await outcome(store.call('two', sentCall(2)));
const [one, two] = [await store.read('one'), await store.read('two')];
const image = await store.image('one');
await store.close();
const told = {
  together,
  full,
  after,
  one: { lastCall: one?.wait?.lastCall, canWake: one?.canWake, isComplete: one?.isComplete, image: [image?.length, image?.[0]] },
  two: { isComplete: two?.isComplete, calls: two?.calls.map(({ number, stage }) => [number, stage]) },
  warnings: warnings.length,
};
process.stdout.write(JSON.stringify(told));

async function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );
}
