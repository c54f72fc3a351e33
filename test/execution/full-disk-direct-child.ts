import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { fillDisk } from '../store/fill-disk.ts';
import { COMPLETED, LIMITS, newExecution, sentCall, START } from './stored-executions.ts';
import { watchDirectWrites } from './watched-direct-writes.ts';

/*
 * A process of its own on a small disk, whose folder is its argument. Runs make calls, which this thread writes down itself, until the disk is full in the
 * middle of that, and go on when there is room again. Tells what was acknowledged, what was refused, and what is there in the end.
 */
const [, , folder = ''] = process.argv;
const file = join(folder, 'executions.db');
const IDS = ['one', 'two', 'three'];
const warnings: string[] = [];
const open = (): ReturnType<typeof openExecutions> =>
  openExecutions({ file, group: 'test', limits: LIMITS, log: { warn: (_fields, message) => void warnings.push(message) } });
/** Whether this thread has written what it tried to, each time. */
let direct: boolean[] = [];
watchDirectWrites((written) => void direct.push(written !== undefined));

let store = open();
for (const id of IDS) {
  await store.create(newExecution(id));
  await store.start(id, START);
}
direct = [];
const [acknowledged, refused, codes] = [new Map<string, number[]>(), new Map<string, number[]>(), new Set<unknown>()];
const filler = join(folder, 'filler');
fillDisk(filler, 250_000);
const MOST = 200;
let number = 0;
while (refused.size === 0 && number < MOST) await callAll(++number);
const untilFull = direct;
fillDisk(`${filler}2`);
direct = [];
await callAll(++number);
const ended = await outcome(store.ended('three', COMPLETED));
const whileFull = direct;
// What is there can be read.
const readable = (await Promise.all(IDS.map((id) => store.read(id)))).map(
  (found) => found?.calls.length === acknowledged.get(found?.id ?? '')?.length,
);

rmSync(filler);
rmSync(`${filler}2`);
direct = [];
await store.create(newExecution('new'));
await store.start('new', START);
await call('new', 1);
await store.ended('new', COMPLETED);
const withRoom = direct;
await callAll(++number, ['one', 'two']);
await store.ended('one', COMPLETED);
await store.close();

store = open();
const there = await Promise.all([...IDS, 'new'].map((id) => store.read(id)));
const unfinished = await store.claim();
await store.close();
const db = new DatabaseSync(file);
const told = {
  codes: [...codes],
  ended,
  readable,
  // Now and then the thread writes just then, and is given it.
  direct: {
    untilFull: untilFull.some(Boolean),
    atLast: untilFull.at(-1),
    whileFull: whileFull.some(Boolean),
    withRoom: withRoom.some(Boolean),
  },
  warnings: warnings.length,
  integrity: db.prepare('PRAGMA integrity_check').get()?.['integrity_check'],
  unfinished,
  executions: there.map((found) => ({
    id: found?.id,
    status: found?.status,
    isComplete: found?.isComplete,
    lost: numbersOf(acknowledged, found?.id).filter((known) => !found?.calls.some((stored) => stored.number === known)),
    kept: numbersOf(refused, found?.id).filter((known) => found?.calls.some((stored) => stored.number === known)),
    steps: found?.history.steps.map(([now]) => now),
    calls: found?.calls.map((stored) => stored.number),
    unanswered: found?.calls.filter(({ answer }) => answer === undefined).length,
  })),
};
db.close();
process.stdout.write(JSON.stringify(told));

/** All of them in one turn. */
async function callAll(calling: number, ids: readonly string[] = IDS): Promise<void> {
  await Promise.all(ids.map((id) => call(id, calling)));
}

/** A step, the call that it led to, and, if that could be made, its answer. */
async function call(id: string, calling: number): Promise<void> {
  store.history(id, { steps: [[calling]], files: [] });
  const code = await outcome(store.call(id, sentCall(calling)));
  const known = code === 'done' ? acknowledged : refused;
  known.set(id, [...numbersOf(known, id), calling]);
  if (code !== 'done') codes.add(code);
  else await outcome(store.answered(id, sentCall(calling), { ok: true, value: `${calling} `.repeat(800) }));
}

function numbersOf(known: ReadonlyMap<string, number[]>, id = ''): readonly number[] {
  return known.get(id) ?? [];
}

async function outcome(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  );
}
