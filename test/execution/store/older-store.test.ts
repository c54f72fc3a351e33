import { expect, test } from 'vitest';
import { openExecutionsDatabase } from '../../../src/execution/store/execution-tables.ts';
import { MIGRATIONS } from '../../../src/execution/store/store-schema.ts';
import { COMPLETED, newExecution, sentCall, START, StoreFolder, waitOf } from '../stored-executions.ts';

const TABLES = ['texts', 'contents', 'uses', 'images', 'parts', 'approvals', 'executions'];
const TRIGGERS = ['text_used', 'text_left'];

test('a store with the tables of version 1 is read, carried on with and emptied as one of the present version', async () => {
  await using made = new StoreFolder();
  const store = made.open();
  for (const id of ['asleep', 'over']) {
    await store.create(newExecution(id));
    await store.start(id, START);
    await store.call(id, sentCall(1));
    await store.answered(id, sentCall(1), { ok: true, value: JSON.stringify('long '.repeat(1_000)) });
    store.history(id, { steps: [[1, 1]], files: [] });
  }
  await store.hibernated('asleep', waitOf({ lastCall: 1 }), new Uint8Array([1, 2, 3]));
  await store.ended('over', COMPLETED);
  const written = [await store.read('asleep'), await store.read('over')];
  await store.close();

  await using older = new StoreFolder();
  asVersionOne(made.file, older.file);
  const migrated = older.open();
  expect([await migrated.read('asleep'), await migrated.read('over')]).toEqual(written);
  expect(await migrated.image('asleep')).toEqual(new Uint8Array([1, 2, 3]));
  expect(await migrated.claim()).toEqual(['asleep']);
  await migrated.call('asleep', sentCall(2));
  await migrated.ended('asleep', COMPLETED);
  expect((await migrated.read('asleep'))?.calls).toHaveLength(2);
  await migrated.close();

  const db = openExecutionsDatabase(older.file);
  db.exec('DELETE FROM executions');
  for (const table of TABLES) expect(db.prepare(`SELECT count(*) AS left FROM ${table}`).get()).toEqual({ left: 0 });
  expect(db.prepare('SELECT * FROM open_bytes').all()).toEqual([{ principal: '', bytes: 0 }]);
  db.close();
});

/** Copies what is stored into a new file with the first tables that there were. */
function asVersionOne(from: string, to: string): void {
  const db = openExecutionsDatabase(to, MIGRATIONS.slice(0, 1));
  const triggers = db.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all();
  // Uses are counted already.
  for (const name of TRIGGERS) db.exec(`DROP TRIGGER ${name}`);
  db.prepare('ATTACH ? AS newer').run(from);
  for (const table of TABLES) {
    const columns = db
      .prepare(`SELECT name FROM pragma_table_info(?)`)
      .all(table)
      .map(({ name }) => String(name))
      .join(', ');
    db.exec(`INSERT INTO main.${table} (${columns}) SELECT ${columns} FROM newer.${table}`);
  }
  for (const { name, sql } of triggers) if (TRIGGERS.includes(String(name))) db.exec(String(sql));
  db.exec('DETACH newer');
  db.close();
}
