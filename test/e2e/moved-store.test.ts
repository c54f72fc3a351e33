import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hash } from 'blake3';
import { expect, inject, test } from 'vitest';
import type { StoredExecution } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { cli } from '../cli/run-cli.ts';
import { LIMIT_DEFAULTS } from '../server/canned-port.ts';
import { begin, endOf, kill, Place, untilWaiting } from './executions.ts';
import type { Ampoule } from './harness.ts';
import { until } from './processes.ts';

const CONFIG = { executions: { group: 'moving' }, limits: { hibernateAfterMs: 0 } };
const CODE = `
import { make, look } from "servers/gates";
const began = Date.now();
const numbers = new Map([["random", Math.random()]]);
const first = await make({ name: "first" });
console.log("made", first.name);
await new Promise((resolve) => setTimeout(resolve, 3_000));
const second = await look({ name: "second" });
return { first: first.name, second: second.name, slept: Date.now() - began >= 3_000, numbers: numbers.size };`;

/** All that another machine gets: the store as a machine that died has left it. */
async function copyStore(from: Place, to: Place, ends: readonly string[] = ['', '-wal']): Promise<string> {
  await mkdir(join(to.directory, 'cache'), { recursive: true });
  const [source, target] = [from, to].map(({ directory }) => join(directory, 'cache', 'executions.db')) as [string, string];
  for (const end of ends) await copyFile(source + end, target + end);
  return target;
}

async function stored(file: string, id: string): Promise<StoredExecution | undefined> {
  const store = openExecutions({ file, group: '', limits: LIMIT_DEFAULTS });
  try {
    return await store.read(id);
  } finally {
    await store.close();
  }
}

/** The suite's engine as another machine may have built it: it does the same, and is not the same byte for byte. */
async function buildDifferently({ directory }: Place): Promise<void> {
  const source = inject('engine').directory;
  const engine = join(directory, 'cache', 'engine', basename(source));
  await cp(source, engine, { recursive: true, dereference: true });
  const manifestFile = join(engine, 'manifest.json');
  const manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as { files: Record<string, string> };
  // A custom section that is empty but for its name.
  const component = Buffer.concat([await readFile(join(engine, 'engine.component.wasm')), Buffer.from([0, 2, 1, 0x78])]);
  manifest.files['engine.component.wasm'] = hash(component).toString('hex');
  await writeFile(join(engine, 'engine.component.wasm'), component);
  await writeFile(manifestFile, JSON.stringify(manifest));
}

test.each([
  ['goes on from its image', 'the same', 'resumed'],
  ['is begun again from its answers', 'another', 'restarted'],
])('a sleeping run %s on another machine, with %s build of the engine, when its own is gone', async (_how, build, kind) => {
  await using first = await Place.open();
  await using second = await Place.open();
  const server = await first.start(CONFIG);
  const client = await server.connect();
  first.open('first');
  const begun = await begin(client, CODE, { wait: 'return-when-waiting', answerAfterMs: 30_000 });
  await until('it sleeps', async () => (await untilWaiting(client, begun)).waiting?.[0]?.kind === 'timer');
  await kill(server);
  const file = await copyStore(first, second);
  await rm(first.directory, { recursive: true, force: true });
  if (build === 'another') await buildDifferently(second);

  second.open('second');
  const other = await second.start(CONFIG);
  try {
    const ended = await endOf(await other.connect(), begun);
    const result = { first: 'first', second: 'second', slept: true, numbers: 1 };
    expect(ended).toMatchObject({ status: 'completed', result, logs: [{ message: 'made first' }] });
    // The call that was answered on the first machine is not made again on the second.
    expect([second.sent('first'), second.sent('second')]).toEqual([[], ['look']]);
    const { events = [], restarts } = (await stored(file, begun.executionId)) ?? {};
    expect(events.map((event) => event.kind)).toContain(kind);
    expect(restarts).toBe(build === 'another' ? 1 : 0);
  } finally {
    await other.stop();
  }
  const config = ['--config', join(second.directory, 'ampoule.json')];
  expect(await cli(['replay', begun.executionId, ...config])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Same: completed, 2 calls, 1 log line/),
  });
});

test('of two machines that go on with copies of one store each ends every run right, and makes each call that was left to be made', async () => {
  await using first = await Place.open();
  await using second = await Place.open();
  const before = await first.start(CONFIG);
  const client = await before.connect();
  first.open('first');
  const asleep = await begin(client, CODE, { wait: 'return-when-waiting', answerAfterMs: 30_000 });
  const pending = await begin(client, 'import { make } from "servers/gates"; return make({ name: "pending" }).catch(({ code }) => code);');
  await until('one sleeps, and one has made its call', async () => {
    return first.sent('pending').length === 1 && (await untilWaiting(client, asleep)).waiting?.[0]?.kind === 'timer';
  });
  await before.stop();
  // After an end in order the file alone is enough.
  await copyStore(first, second, ['']);
  const servers = await Promise.all([first, second].map((place) => place.start(CONFIG)));
  try {
    for (const [index, place] of [first, second].entries()) {
      place.open('second');
      const other = await (servers[index] as Ampoule).connect();
      expect(await endOf(other, asleep)).toMatchObject({ status: 'completed', result: { first: 'first', second: 'second', slept: true } });
      expect(await endOf(other, pending)).toMatchObject({ status: 'completed', result: 'ERR_CALL_INTERRUPTED' });
    }
    // What was left to be made is made on each machine; what had been sent before the copy, on none.
    expect([first, second].map((place) => ['first', 'second', 'pending'].map((name) => place.sent(name).join()))).toEqual([
      ['make', 'look', 'make'],
      ['', 'look', ''],
    ]);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
});

test('a store of a newer version is left alone, and says so', async () => {
  await using place = await Place.open();
  const server = await place.start(CONFIG);
  await server.stop();
  const file = join(place.directory, 'cache', 'executions.db');
  const db = new DatabaseSync(file);
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  db.exec(`PRAGMA user_version = ${version + 1}`);
  db.close();
  const refused = { code: 1, stderr: expect.stringMatching(/ERR_EXECUTION_STORE[^]*newer version of Ampoule/) };
  const config = ['--config', join(place.directory, 'ampoule.json')];
  expect(await cli(['replay', 'exe_1', ...config])).toMatchObject(refused);
  expect(await cli(['serve', '--http', '127.0.0.1:0', ...config])).toMatchObject(refused);
});
