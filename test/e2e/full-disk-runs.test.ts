import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoredExecution } from '../../src/execution/execution-store.ts';
import { openExecutions } from '../../src/execution/store/sqlite-executions.ts';
import { LIMIT_DEFAULTS } from '../server/canned-port.ts';
import type { TestClient } from '../server/clients.ts';
import { NO_SMALL_DISK } from '../store/small-disk.ts';
import { begin, endOf, untilWaiting } from './executions.ts';
import { answerOf, temporary, type Ampoule } from './harness.ts';
import { until } from './processes.ts';
import { fill, onItsDisk, startWithSmallDisk } from './small-disk-server.ts';

const GATES = join(import.meta.dirname, '../fixtures/upstreams/gates.ts');
/** With the first answer it gets larger than any room that is left in a file. */
const CODE = `
import { look, make } from "servers/gates";
const run = input as string;
const names = [(await look({ name: run + " 1" })).name];
let last = 1;
const much = Uint32Array.from({ length: 100_000 }, () => (last = Math.imul(last, 1_664_525) + 1_013_904_223));
names.push((await look({ name: run + " 2" })).name);
const made = await make({ name: run + " once" }).then(({ name }) => name, ({ code }) => code);
await new Promise((resolve) => setTimeout(resolve, 300));
names.push((await look({ name: run + " 3" })).name);
return { names, made, isWhole: much.at(-1) === last >>> 0 };`;

const endingOf = (run: string, made = `${run} once`): object => {
  return { status: 'completed', result: { names: [1, 2, 3].map((n) => `${run} ${n}`), made, isWhole: true } };
};

const why = NO_SMALL_DISK === undefined ? '' : `: skipped, ${NO_SMALL_DISK}`;
describe.skipIf(NO_SMALL_DISK !== undefined)(`a run that waits while the disk gets full${why}`, () => {
  let gates: Awaited<ReturnType<typeof temporary>>;
  let ampoule: Ampoule;
  let client: TestClient;
  beforeAll(async () => {
    gates = await temporary();
    writeFileSync(join(gates.path, 'calls.log'), '');
    const mcpServers = { gates: { command: process.execPath, args: [GATES, gates.path] } };
    const config = { check: 'off', mcpServers, limits: { hibernateAfterMs: 50 } };
    ampoule = await startWithSmallDisk('16m', config, { onStart: (starting) => (ampoule = starting) });
    client = await ampoule.connect();
  });
  afterAll(async () => {
    await ampoule.stop();
    await gates[Symbol.asyncDispose]();
  });

  const open = (...names: string[]): void => names.forEach((name) => writeFileSync(join(gates.path, name), ''));
  const sent = (): string => readFileSync(join(gates.path, 'calls.log'), 'utf8');
  const logged = (text: string): string[] => ampoule.stderr.split('\n').filter((line) => line.includes(text));

  /** What is written, as the next server would find it. */
  async function written({ executionId }: { executionId: string }): Promise<StoredExecution | undefined> {
    await using copy = await temporary();
    const file = join(copy.path, 'executions.db');
    for (const end of ['', '-wal']) copyFileSync(onItsDisk(ampoule, `executions.db${end}`), file + end);
    const db = new DatabaseSync(file);
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();
    const store = openExecutions({ file, group: '', limits: LIMIT_DEFAULTS });
    try {
      const found = await store.read(executionId);
      // A half of an image would be damage.
      expect((await store.image(executionId)) !== undefined).toBe(found?.wait !== undefined && found.end === undefined);
      return found;
    } finally {
      await store.close();
    }
  }

  test('goes on in memory and ends right, and one warning says so; with room again runs are put away, and ends are written down', async () => {
    const full = await begin(client, CODE, { input: 'full' });
    const asleep = await begin(client, CODE, { input: 'asleep' });
    const sleeps = async (run: typeof full): Promise<boolean> => (await written(run))?.wait !== undefined;
    await until('both are put away', async () => (await sleeps(full)) && (await sleeps(asleep)));
    const filler = onItsDisk(ampoule, 'filler');
    fill(filler);

    open('full 1');
    await until('it cannot be put away', () => logged('it stays in memory').length > 0);
    // A call that may not be made twice is not made when that could not be written down before.
    open('full 2', 'full once');
    const reasons = async (): Promise<unknown> => (await untilWaiting(client, full)).waiting?.map(({ kind }) => kind);
    await until('it waits for the last time', async () => sent().includes('full 3') && String(await reasons()) === 'tool');
    open('full 3');
    expect(await endOf(client, full)).toMatchObject(endingOf('full', 'ERR_EXECUTION_STORE'));
    expect(sent()).not.toContain('once');
    expect(logged('it stays in memory')).toHaveLength(1);
    expect(logged('Executions cannot be written down at the moment')).toHaveLength(1);
    // The file says that it waits, as it did before, and whoever asks for its end gets it.
    expect(await written(full)).toMatchObject({ status: 'waiting', wait: { pending: [1], lastCall: 1 }, hibernations: 1 });
    const later = answerOf(await client.callTool('wait_execution', { executionId: full.executionId, timeoutMs: 0 }));
    expect(later.output).toMatchObject(endingOf('full', 'ERR_EXECUTION_STORE'));

    rmSync(filler);
    await until('its end is written down', async () => (await written(full))?.status === 'completed');
    open('asleep 1');
    await until('another one is put away again', async () => ((await written(asleep))?.hibernations ?? 0) > 1);
    open('asleep 2', 'asleep 3', 'asleep once');
    expect(await endOf(client, asleep)).toMatchObject(endingOf('asleep'));
  });
});
