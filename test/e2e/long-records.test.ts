import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import { cli, type CliResult } from '../cli/run-cli.ts';
import { begin, endOf, kill, Place, untilWaiting } from './executions.ts';
import { answerOf, type Ampoule } from './harness.ts';
import { until } from './processes.ts';

/** A server that keeps a mebibyte of each run, is killed, and is started again. */

const CONFIG = { limits: { maxRecordBytes: 1024 * 1024, hibernateAfterMs: 8_000 } };
/** A call that may not be made twice, answers of 1.5 MB, and a wait. */
const CODE = `
import { list, make, look } from "servers/gates";
const { name, calls, sleepMs } = input as { name: string; calls: number; sleepMs: number };
const made = (await make({ name })).name;
let rows = 0;
for (let n = 0; n < calls; n++) rows += (await list({ n: 20_000 })).rows.length;
console.log("rows", rows);
await new Promise((resolve) => setTimeout(resolve, sleepMs));
return { made, rows, looked: (await look({ name })).name };`;

let place: Place;
const runs = {} as Record<'short' | 'attached' | 'asleep' | 'awake', ExecuteOutput>;
let server: Ampoule;
beforeAll(async () => {
  place = await Place.open();
  const first = await place.start(CONFIG);
  const client = await first.connect();
  for (const name of ['short', 'attached', 'asleep']) place.open(name);
  const whole = async (name: string, calls: number): Promise<ExecuteOutput> =>
    answerOf(await client.call({ code: CODE, input: { name, calls, sleepMs: 0 } })).output;
  [runs.short, runs.attached] = await Promise.all([whole('short', 2), whole('attached', 8)]);
  runs.asleep = await begin(client, CODE, { input: { name: 'asleep', calls: 8, sleepMs: 9_000 } });
  await until('it sleeps', async () => (await untilWaiting(client, runs.asleep)).waiting?.[0]?.kind === 'timer');
  // This one has called a tool whose name it has not made, and is not put away yet.
  const code = CODE.replace('looked: (await look({ name })).name', 'looked: (await look({ name: "never" })).name');
  place.open('awake');
  runs.awake = await begin(client, code, { input: { name: 'awake', calls: 8, sleepMs: 0 } });
  await until('it waits for an answer', () => place.sent('never').length === 1);
  await kill(first);
  server = await place.start(CONFIG);
});
afterAll(async () => {
  await server.stop();
  await place[Symbol.asyncDispose]();
});

const ampoule = (...args: string[]): Promise<CliResult> => cli([...args, '--config', join(place.directory, 'ampoule.json')]);
const ending = (made: string, rows: number): object => ({ status: 'completed', result: { made, rows, looked: made } });

describe('the record of a run', () => {
  test('that is within maxRecordBytes is whole', async () => {
    expect(runs.short).toMatchObject(ending('short', 40_000));
    expect((await ampoule('replay', runs.short.executionId)).stdout).toMatch(/^Same: completed, 4 calls/);
    expect((await ampoule('executions', 'show', runs.short.executionId)).stdout).toMatch(/record +whole/);
  });

  test('that is longer is dropped but for what the run needs to go on, and that is told', async () => {
    expect(runs.attached).toMatchObject(ending('attached', 160_000));
    const client = await server.connect();
    expect(await endOf(client, runs.asleep)).toMatchObject({ ...ending('asleep', 160_000), logs: [{ message: 'rows 160000' }] });
    expect(await endOf(client, runs.awake)).toMatchObject({ status: 'failed', error: { code: 'ERR_EXECUTION_DAMAGED' } });
    expect(['asleep', 'awake'].map((name) => place.sent(name).join())).toEqual(['make,look', 'make']);
    expect(place.sent('never')).toEqual(['look']);
    for (const [run, dropped] of [
      [runs.attached, '7 of 10'],
      [runs.asleep, '9 of 10'],
      // The last one may have been sent before it was written down: it may be made again.
      [runs.awake, '7 of (?:9|10)'],
    ] as const) {
      const [shown, replayed] = await Promise.all([ampoule('executions', 'show', run.executionId), ampoule('replay', run.executionId)]);
      expect(shown.stdout).toMatch(
        new RegExp(`record +not whole: .*cannot be replayed; ${dropped} calls were dropped with their answers\\n`),
      );
      expect(replayed.code).toBe(1);
      expect(replayed.stderr).toMatch(/ERR_EXECUTION_DAMAGED[^]*limits\.maxRecordBytes/);
    }
  });
});
