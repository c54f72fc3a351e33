import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import { cli, type CliResult } from '../cli/run-cli.ts';
import type { TestClient } from '../server/clients.ts';
import { begin, endOf, Place, untilWaiting } from './executions.ts';
import { answerOf, type Ampoule } from './harness.ts';
import { until } from './processes.ts';

/** One store, and servers that come and go: the disk has changed a byte meanwhile, or somebody the clock. */

const HOUR_MS = 3_600_000;
const LIMITS = { hibernateAfterMs: 0 };
const GATES = 'import { look, make } from "servers/gates"; const name = input as string; const made = (await make({ name })).name;';
const LOOK = `${GATES} const seen = new Map([[made, 1]]); console.log("made"); return [made, (await look({ name: name + "-look" })).name, seen.size];`;
const sleeping = (ms: number): string => `
const [began, clock] = [Date.now(), performance.now()];
await new Promise((resolve) => setTimeout(resolve, ${ms}));
return { waited: Date.now() - began, ticked: performance.now() - clock };`;

let place: Place;
let server: Ampoule;
let client: TestClient;

/** @param offsetMs of the machine's clock: what is asked is that clock, wherever in the process */
async function start(offsetMs = 0, more: object = {}): Promise<void> {
  const clock = `const now = Date.now; Date.now = () => now() + ${offsetMs};`;
  const env = offsetMs === 0 ? {} : { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(clock)}` };
  server = await place.start({ limits: { ...LIMITS, ...more } }, { env });
  client = await server.connect();
}

beforeAll(async () => {
  place = await Place.open();
  await start();
});
afterAll(async () => {
  await server.stop();
  await place[Symbol.asyncDispose]();
});

const ampoule = (...args: string[]): Promise<CliResult> => cli([...args, '--config', join(place.directory, 'ampoule.json')]);

async function untilAsleep(run: ExecuteOutput, kind: string): Promise<void> {
  await until('it sleeps', async () => (await untilWaiting(client, run)).waiting?.[0]?.kind === kind && stored(run).imageBytes > 0);
}

function stored({ executionId }: ExecuteOutput): { imageBytes: number; restarts: number } {
  const db = new DatabaseSync(join(place.directory, 'cache', 'executions.db'), { readOnly: true });
  try {
    const row = db.prepare('SELECT imageBytes, restarts FROM executions WHERE id = ?').get(executionId);
    return { imageBytes: Number(row?.['imageBytes']), restarts: Number(row?.['restarts']) };
  } finally {
    db.close();
  }
}

function flipImage({ executionId }: ExecuteOutput): void {
  const db = new DatabaseSync(join(place.directory, 'cache', 'executions.db'));
  const row = db.prepare('SELECT n, images.content FROM images JOIN executions ON n = execution WHERE id = ?').get(executionId);
  const image = Uint8Array.from(row?.['content'] as Uint8Array);
  const middle = image.length >> 1;
  image[middle] = (image[middle] ?? 0) ^ 1;
  db.prepare('UPDATE images SET content = ? WHERE execution = ?').run(image, Number(row?.['n']));
  db.close();
}

test('runs end right whose stored delta has changed by a bit, and whose machine has another clock', async () => {
  for (const name of ['flipped', 'whole']) place.open(name);
  const flipped = await begin(client, LOOK, { input: 'flipped' });
  const whole = await begin(client, LOOK, { input: 'whole' });
  const back = await begin(client, sleeping(2_000));
  for (const run of [flipped, whole]) await untilAsleep(run, 'tool');
  await untilAsleep(back, 'timer');
  await server.stop();
  flipImage(flipped);

  await start(-HOUR_MS);
  for (const name of ['flipped-look', 'whole-look']) place.open(name);
  const ended = async (run: ExecuteOutput): Promise<ExecuteOutput> => endOf(client, run);
  expect(await ended(flipped)).toMatchObject({ status: 'completed', result: ['flipped', 'flipped-look', 1], logs: [{ message: 'made' }] });
  expect(await ended(whole)).toMatchObject({ status: 'completed', result: ['whole', 'whole-look', 1], logs: [{ message: 'made' }] });
  // It had its answer: it is not made again, although the run was begun again from its start.
  expect([place.sent('flipped'), stored(flipped).restarts, stored(whole).restarts]).toEqual([['make'], 1, 0]);
  expect(server.stderr).toMatch(/stored of a sleeping run is damaged: it begins again from its start/);
  // No time of the run has passed while nobody could say how much, and none that has passed is lost.
  const { result } = await ended(back);
  const { waited, ticked } = result as { waited: number; ticked: number };
  expect(waited).toBeGreaterThanOrEqual(2_000);
  expect(waited).toBeLessThan(60_000);
  expect(Math.abs(ticked - waited)).toBeLessThan(2);
  const listed = JSON.parse((await ampoule('executions', 'list', '--json')).stdout) as { id: string; status: string }[];
  expect(listed.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);

  const forward = await begin(client, sleeping(HOUR_MS / 2));
  await untilAsleep(forward, 'timer');
  await server.stop();
  await start();
  const late = (await ended(forward)).result as { waited: number };
  expect(late.waited).toBeGreaterThanOrEqual(HOUR_MS);
  expect(late.waited).toBeLessThan(HOUR_MS + 120_000);
});

test('the handle of a run whose time is over is as unknown as one that never was', async () => {
  await server.stop();
  await start(0, { executionTtlMs: 1_000 });
  const { executionId } = answerOf(await client.call({ code: 'return 1;' })).output;
  for (const tool of ['wait_execution', 'cancel_execution']) {
    const error = async (): Promise<unknown> => answerOf(await client.callTool(tool, { executionId })).output.error?.code;
    await until('it is forgotten', async () => (await error()) === 'ERR_EXECUTION_UNKNOWN');
  }
  const shown = await ampoule('executions', 'show', executionId);
  expect([shown.code, shown.stderr]).toEqual([1, expect.stringMatching(/ERR_EXECUTION_UNKNOWN[^]*not kept any more/)]);
});
