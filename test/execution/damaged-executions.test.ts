import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { ExecutionTables, openExecutionsDatabase } from '../../src/execution/store/execution-tables.ts';
import type { ExecutionStore, StoredExecution } from '../../src/execution/execution-store.ts';
import { openServerExecutions } from '../../src/execution/server-executions.ts';
import { MIGRATIONS } from '../../src/execution/store/store-schema.ts';
import { randomFrom } from '../../reliability/random.ts';
import { COMPLETED, LIMITS, newExecution, sentCall, START, StoreFolder, waitOf } from './stored-executions.ts';

/** Everything that can be stored of an execution that goes on, and of one that has ended. */
async function writeTwo(store: ExecutionStore): Promise<void> {
  for (const id of ['open', 'done']) {
    void store.create(newExecution(id));
    void store.start(id, START);
    store.history(id, { steps: [[1], [2, 1]], files: [] });
    void store.call(id, sentCall(1));
    void store.answered(id, sentCall(1), { ok: true, value: 'y'.repeat(3_000) });
    await store.hibernated(id, waitOf({ pending: [2], lastCall: 2 }), new Uint8Array(6_000).fill(5));
  }
  await store.ended('done', COMPLETED);
}

interface Told {
  readonly reads: unknown[];
  readonly image: unknown;
}

async function tell(store: ExecutionStore): Promise<Told> {
  const attempt = (work: Promise<unknown>): Promise<unknown> => work.catch((error: { code?: string }) => ({ code: error.code }));
  const image = await attempt(store.image('open'));
  return {
    reads: await Promise.all(['open', 'done'].map((id) => attempt(store.read(id)))),
    image: image instanceof Uint8Array ? Buffer.from(image).toString('base64') : image,
  };
}

test('a flipped bit in any part is noticed, and what is whole beside it is read', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await writeTwo(store);
  const whole = await tell(store);
  const db = new DatabaseSync(folder.file, { timeout: 5_000 });
  const cells = [
    ...db
      .prepare('SELECT execution, kind, number, content FROM parts')
      .all()
      .map((row) => ({
        table: 'parts',
        where: `execution = ${Number(row['execution'])} AND kind = ${Number(row['kind'])} AND number = ${Number(row['number'])}`,
        content: row['content'],
      })),
    ...db
      .prepare('SELECT execution, content FROM images')
      .all()
      .map((row) => ({ table: 'images', where: `execution = ${Number(row['execution'])}`, content: row['content'] })),
    ...db
      .prepare('SELECT text, content FROM contents')
      .all()
      .map((row) => ({ table: 'contents', where: `text = ${Number(row['text'])}`, content: row['content'] })),
  ];
  expect(new Set(cells.map(({ table }) => table)).size).toBe(3);
  for (const { table, where, content } of cells) {
    const bytes = Buffer.from(content as Uint8Array);
    const at = Math.floor(bytes.length / 2);
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    const value = (data: Buffer): Uint8Array | string => (typeof content === 'string' ? data.toString('utf8') : data);
    const set = db.prepare(`UPDATE ${table} SET content = ? WHERE ${where}`);
    set.run(value(flipped));
    const told = await tell(store);
    set.run(value(bytes));
    expect([where, JSON.stringify(told) === JSON.stringify(whole)]).toEqual([where, false]);
    expect(JSON.stringify(told)).toContain('ERR_EXECUTION_DAMAGED');
    // A literal that was found damaged is not looked for any more until somebody stores it again.
    if (table === 'contents') break;
  }
  db.close();
});

test('a bad image leaves what a run needs to be begun again from the start', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await writeTwo(store);
  const db = new DatabaseSync(folder.file, { timeout: 5_000 });
  for (const statement of [
    'UPDATE images SET content = zeroblob(6000)',
    'DELETE FROM images',
    'UPDATE parts SET content = zeroblob(100) WHERE kind = 5',
  ]) {
    db.exec(statement);
    await expect(store.image('open')).rejects.toMatchObject({ code: 'ERR_EXECUTION_DAMAGED' });
    expect(await store.read('open')).toMatchObject({ isComplete: true, start: START, calls: [{ number: 1, answer: { ok: true } }] });
  }
  expect(await store.read('open')).toMatchObject({ canWake: false });
  // What is put away again is as good as before.
  await store.hibernated('open', waitOf(), new Uint8Array(10));
  expect([await store.image('open'), (await store.read('open'))?.canWake]).toEqual([new Uint8Array(10), true]);
  db.close();
});

test.each([
  'DELETE FROM parts WHERE kind = 4 AND number = 0',
  'DELETE FROM parts WHERE kind = 3',
  'DELETE FROM parts WHERE kind = 1',
  "UPDATE executions SET principal = 'mallory'",
  "UPDATE executions SET status = 'completed', ended = 4000000000000 WHERE id = 'open'",
  "UPDATE executions SET record = 'hole'",
  'UPDATE parts SET number = 7 WHERE kind = 2',
  // One part cannot stand for another.
  'UPDATE parts SET content = (SELECT content FROM parts p WHERE p.execution = 2 AND p.kind = 2) WHERE execution = 1 AND kind = 2',
])('what SQLite takes for good is noticed too: %s', async (statement) => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await writeTwo(store);
  const db = new DatabaseSync(folder.file, { timeout: 5_000 });
  db.exec(statement);
  db.close();
  await expect(store.read('open')).rejects.toMatchObject({ code: 'ERR_EXECUTION_DAMAGED' });
});

test('after bits were flipped anywhere in the file nothing wrong is read', async () => {
  await using folder = new StoreFolder();
  const first = folder.open();
  await writeTwo(first);
  await first.close();
  const bytes = readFileSync(folder.file);
  const expected = readAll(folder.file);
  const draw = randomFrom('flips');
  let noticed = 0;
  for (let round = 0; round < 150; round++) {
    const copy = Buffer.from(bytes);
    for (let flip = 0; flip < 3; flip++) {
      const at = draw.below(copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << draw.below(8));
    }
    const file = `${folder.path}/flipped.db`;
    for (const end of ['', '-wal', '-shm']) rmSync(`${file}${end}`, { force: true });
    writeFileSync(file, copy);
    // Refused, gone, or as it was but for what nothing depends on: never another one.
    const read = [...readAll(file).entries()].filter(([, one]) => one !== undefined && !(one instanceof Error));
    expect(read.map(([, one]) => sealedOf(one, one))).toEqual(read.map(([index, one]) => sealedOf(expected[index], one)));
    noticed += expected.length - read.length;
  }
  expect(noticed).toBeGreaterThan(20);
});

/** What there is of both executions and of an image, or the errors. */
function readAll(file: string): unknown[] {
  let tables: ExecutionTables | undefined;
  const attempt = (work: () => unknown): unknown => {
    try {
      tables ??= new ExecutionTables({ file, group: '', limits: LIMITS });
      return work();
    } catch (error) {
      return error;
    }
  };
  const reads = [() => tables?.reads.read('open'), () => tables?.reads.read('done'), () => tables?.reads.image('open')].map(attempt);
  attempt(() => tables?.close());
  return reads;
}

/** Without counts that nothing depends on, and with a wait only where what was read believes it. */
function sealedOf(one: unknown, read: unknown): unknown {
  if (one === undefined || one instanceof Uint8Array) return one;
  const {
    hibernations: _1,
    restarts: _2,
    isComplete: _3,
    canWake: _5,
    wait,
    isCancelRequested: _4,
    status,
    ...rest
  } = one as StoredExecution;
  return { ...rest, isGoing: status === 'running' || status === 'waiting', wait: (read as StoredExecution).canWake ? wait : undefined };
}

test('a file of an older version is brought up to date, and one of a newer version is refused and left as it is', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await store.create(newExecution('one'));
  await store.close();
  const next = [...MIGRATIONS, "ALTER TABLE executions ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'"];
  const newer = openExecutionsDatabase(folder.file, next);
  expect(newer.prepare('SELECT id, colour FROM executions').all()).toEqual([{ id: 'one', colour: 'red' }]);
  newer.close();
  const before = readFileSync(folder.file);
  for (const open of [
    () => folder.open(),
    () => openServerExecutions({ file: folder.file, group: '', limits: LIMITS, log: { warn: () => undefined } }),
  ]) {
    expect(open).toThrow(
      expect.objectContaining({
        code: 'ERR_EXECUTION_STORE',
        message: expect.stringMatching(/newer version of Ampoule wrote it .*start that one, or set another "cacheDir"/),
      }),
    );
  }
  expect(readFileSync(folder.file).equals(before)).toBe(true);
});

interface Warning {
  readonly fields: object;
  readonly message: string;
}

/** As a server opens it. */
function serverStore(file: string): { readonly store: ExecutionStore | undefined; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = [];
  return {
    store: openServerExecutions({
      file,
      group: 'g',
      limits: LIMITS,
      log: { warn: (fields, message) => void warnings.push({ fields, message }) },
    }),
    warnings,
  };
}

test('a damaged file is put aside, and a server begins a new one', async () => {
  await using folder = new StoreFolder();
  writeFileSync(folder.file, 'no database at all '.repeat(1_000));
  expect(() => folder.open()).toThrow(expect.objectContaining({ code: 'ERR_EXECUTION_STORE' }));
  const { store, warnings } = serverStore(folder.file);
  expect(warnings).toEqual([
    { fields: expect.objectContaining({ file: expect.stringContaining('.damaged-') }), message: expect.stringContaining('put aside') },
  ]);
  await store?.create(newExecution('one'));
  await store?.close();
  expect(readdirSync(folder.path).filter((name) => name.includes('damaged'))).toHaveLength(1);
});

test.each([
  ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ['a folder', (file: string) => mkdirSync(file)],
])('with %s in its place a server runs without keeping anything, and says so', async (_name, make) => {
  await using folder = new StoreFolder();
  make(folder.file);
  expect(() => folder.open()).toThrow(expect.objectContaining({ code: 'ERR_EXECUTION_STORE' }));
  const { store, warnings } = serverStore(folder.file);
  expect([store, warnings.length]).toEqual([undefined, 1]);
  expect(readdirSync(folder.path)).toEqual(['executions.db']);
});

test('the file is for its owner alone', async () => {
  await using folder = new StoreFolder();
  await folder.open().create(newExecution('one'));
  expect([folder.file, `${folder.file}-wal`].filter(existsSync).map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600]);
  expect(statSync(`${folder.file}-owners`).mode & 0o777).toBe(0o700);
});

test('a text that is damaged is stored anew with the next execution that has it, and then all that have it are whole again', async () => {
  await using folder = new StoreFolder();
  const store = folder.open();
  await writeTwo(store);
  const db = new DatabaseSync(folder.file, { timeout: 5_000 });
  db.exec("UPDATE contents SET content = 'x' || content WHERE content LIKE '%a program%'");
  db.close();
  await expect(store.read('open')).rejects.toMatchObject({ code: 'ERR_EXECUTION_DAMAGED' });
  await expect(store.read('done')).rejects.toMatchObject({ code: 'ERR_EXECUTION_DAMAGED' });
  await store.create(newExecution('next'));
  await store.start('next', START);
  for (const id of ['next', 'open', 'done']) expect((await store.read(id))?.start).toEqual(START);
});

test('a damaged question keeps nobody from hearing what was decided about others', async () => {
  await using folder = new StoreFolder();
  using opened = new DisposableStack();
  const open = (): ExecutionTables => {
    const tables = new ExecutionTables({ file: folder.file, group: 'test', limits: LIMITS });
    opened.defer(() => tables.close());
    return tables;
  };
  const [owner, other] = [open(), open()];
  const asked = {
    executionId: 'one',
    principal: 'local',
    kind: 'approve',
    server: 'a',
    tool: 'b',
    arguments: '{}',
    text: '?',
    askedAt: 1,
  } as const;
  owner.transact(() => owner.writes.create(newExecution('one')));
  for (const call of [1, 2, 3]) owner.transact(() => owner.approvals.ask({ ...asked, id: `apr_${call}`, call }));
  owner.news();
  for (const call of [1, 2]) other.transact(() => other.approvals.decide(`apr_${call}`, { granted: true, by: 'operator', at: 2 }));
  using db = new DatabaseSync(folder.file);
  db.exec("UPDATE approvals SET content = zeroblob(9) WHERE id = 'apr_1'");
  expect(owner.news().decisions.map(({ id }) => id)).toEqual(['apr_2']);
  other.transact(() => other.approvals.decide('apr_3', { granted: false, by: 'operator', at: 3 }));
  expect(owner.news().decisions.map(({ id }) => id)).toEqual(['apr_3']);
});
