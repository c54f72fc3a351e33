import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { DirectConnection } from '../../../src/execution/store/direct-connection.ts';
import { ExecutionTables } from '../../../src/execution/store/execution-tables.ts';
import type { StoreRequest } from '../../../src/execution/store/store-protocol.ts';
import { doWork } from '../../../src/execution/store/store-work.ts';
import { property } from '../../fuzz/property.ts';
import { COMPLETED, LIMITS, newExecution, sentCall, START, StoreFolder, waitOf } from '../stored-executions.ts';

type Request = Pick<StoreRequest, 'method' | 'parameters'>;

const NOW = 1_700_000_000_000;
/** So small that records are dropped and shares are used up. */
const SMALL = { ...LIMITS, maxRecordBytes: 6_000, maxStoredBytes: 150_000 };
const IDS = ['one', 'two', 'three'];

const call = fc.integer({ min: 1, max: 4 });
const size = fc.constantFrom(1, 900, 3_000);
const MADE: Request[] = IDS.flatMap((id, n): Request[] => [
  { method: 'create', parameters: [newExecution(id, { principal: n === 0 ? 'eve' : 'ann' })] },
  { method: 'start', parameters: [id, START] },
]);
const request: fc.Arbitrary<Request> = fc.constantFrom(...IDS).chain((id) => {
  const told = (method: Request['method'], ...parameters: unknown[]): Request => ({ method, parameters: [id, ...parameters] });
  const text = (length: number): unknown => ({ ok: true, value: JSON.stringify('x'.repeat(length)) });
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(call, fc.constantFrom('sent', 'asked')).map(([n, stage]) => told('call', sentCall(n, { stage }))) },
    { weight: 8, arbitrary: fc.tuple(call, size).map(([n, length]) => told('answered', sentCall(n), text(length))) },
    { weight: 4, arbitrary: call.map((n) => told('history', { steps: [[n, n]] })) },
    { weight: 3, arbitrary: fc.constantFrom('running', 'waiting').map((status) => told('status', status)) },
    { weight: 2, arbitrary: size.map((length) => told('hibernated', waitOf({ lastCall: 2 }), new Uint8Array(length))) },
    { weight: 1, arbitrary: fc.constantFrom(told('restarted'), told('ended', COMPLETED), told('start', START), ...MADE) },
  );
});
const DIRECT = new Set(['create', 'start', 'history', 'call', 'answered', 'status', 'ended']);

property(
  'what two connections write in turn, one of which holds rows and sums, is what one would write',
  30,
  fc.array(fc.array(request, { minLength: 1, maxLength: 4 }), { minLength: 10, maxLength: 30 }),
  async (batches) => {
    await using folders = new StoreFolder();
    const alone = tablesOf(`${folders.path}/alone.db`);
    const both = tablesOf(`${folders.path}/both.db`);
    const options = { file: `${folders.path}/both.db`, group: 'test', limits: SMALL, owner: both.owner ?? '' };
    const direct = new DirectConnection(options);
    for (const batch of [MADE, ...batches]) {
      for (const one of batch) written(alone, one);
      const requests = batch.map((one, number) => ({ number, ...one }));
      const isDirect = batch.every(({ method }) => DIRECT.has(method));
      if (isDirect && direct.write(requests, NOW) !== undefined) continue;
      for (const one of batch) {
        direct.release(idOf(one));
        written(both, one);
      }
    }
    direct.close();
    // oxlint-disable-next-line vitest/no-standalone-expect -- `property` makes the test
    expect(contentsOf(`${folders.path}/both.db`)).toEqual(contentsOf(`${folders.path}/alone.db`));
    alone.close();
    both.close();
  },
);

test('a row that is held is let go of when the transaction failed, and what was changed of it with it', async () => {
  await using folder = new StoreFolder();
  const tables = tablesOf(folder.file);
  const direct = new DirectConnection({ file: folder.file, group: 'test', limits: SMALL, owner: tables.owner ?? '' });
  const sent = (number: number): StoreRequest => ({ number, method: 'call', parameters: ['one', sentCall(number)] });
  expect(direct.write([{ number: 0, method: 'create', parameters: [newExecution('one')] }, sent(1)], NOW)).toHaveLength(2);
  const other = new DatabaseSync(folder.file);
  other.exec('BEGIN IMMEDIATE');
  expect(direct.write([sent(2), sent(3)], NOW)).toBeUndefined();
  other.exec('COMMIT');
  other.close();
  expect(direct.write([sent(2), { number: 9, method: 'restarted', parameters: ['one'] }], NOW)).toBeUndefined();
  expect(direct.write([sent(2)], NOW)).toHaveLength(1);
  expect(tables.reads.read('one')?.calls.map(({ number }) => number)).toEqual([1, 2]);
  direct.close();
  tables.close();
});

test('the answer to a call that nothing was written about is kept with its call, also between others that were written', () => {
  const tables = new ExecutionTables({ group: 'test', limits: SMALL });
  written(tables, { method: 'create', parameters: [newExecution('one')] });
  written(tables, { method: 'call', parameters: ['one', sentCall(3)] });
  for (const number of [1, 3]) written(tables, { method: 'answered', parameters: ['one', sentCall(number), { ok: true, value: '1' }] });
  expect(tables.reads.read('one')?.calls).toMatchObject([
    { number: 1, stage: 'answered', answer: { value: '1' } },
    { number: 3, stage: 'answered', answer: { value: '1' } },
  ]);
  tables.close();
});

/** A database with an owner, whose clock stands still. */
function tablesOf(file: string): ExecutionTables {
  const tables = new ExecutionTables({ file, group: 'test', limits: SMALL });
  tables.setClock(NOW);
  written(tables, { method: 'create', parameters: [newExecution('owner')] });
  return tables;
}

/** As the store's thread does it: what is refused leaves the others. */
function written(tables: ExecutionTables, { method, parameters }: Request): void {
  try {
    tables.transact(() => doWork(tables, method, parameters));
  } catch {
    // The other one has refused it as well, or the two differ in the end.
  }
}

function idOf({ parameters: [first] }: Pick<StoreRequest, 'parameters'>): string {
  return typeof first === 'object' && first !== null && 'id' in first ? String(first.id) : String(first);
}

/** All that is stored, but for who owns it. */
function contentsOf(file: string): unknown {
  const db = new DatabaseSync(file);
  const rows = db.prepare('SELECT * FROM executions ORDER BY id').all();
  const of = (sql: string): unknown => db.prepare(sql).all();
  const parts = 'SELECT id, kind, number, hex(content) AS content FROM parts JOIN executions ON n = execution ORDER BY id, kind, number';
  const uses =
    'SELECT id, kind, number, place, hex(hash) AS hash, texts.uses FROM uses JOIN executions ON n = execution JOIN texts ON texts.id = text ORDER BY executions.id, kind, number, place';
  const found = {
    rows: rows.map(({ n: _row, owner, ...row }) => ({ ...row, hasOwner: owner !== null })),
    parts: of(parts),
    uses: of(uses.replace('SELECT id', 'SELECT executions.id')),
    sums: of('SELECT * FROM open_bytes ORDER BY principal'),
    images: of('SELECT id, hex(content) AS content FROM images JOIN executions ON n = execution ORDER BY id'),
  };
  db.close();
  return found;
}
