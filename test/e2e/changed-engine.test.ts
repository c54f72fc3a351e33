import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ExecuteOutput } from '../../src/result/output-schema.ts';
import { cli } from '../cli/run-cli.ts';
import { begin, endOf, kill, Place, untilWaiting } from './executions.ts';
import { answerOf, type Ampoule } from './harness.ts';
import { until } from './processes.ts';

/** Servers of one folder, of which the first runs programs on another engine than those that come after it. */

const LIMITS = { hibernateAfterMs: 0 };
/** In its memory are things that its steps alone do not give back. */
const CODE = `
import { look, make } from "servers/gates";
const run = input as string;
const known = new Map([[run, new Set(Array.from({ length: 1_000 }, (_, n) => n))]]);
const made = (await make({ name: "made" })).name;
console.log("made", made);
const looked = (await look({ name: run })).name;
return { made, looked, size: known.get(run)?.size };`;

let place: Place;
let first: Ampoule;
beforeAll(async () => {
  place = await Place.open();
  first = await place.start({ engine: 'quickjs', limits: LIMITS });
});
afterAll(() => place[Symbol.asyncDispose]());

interface Shown {
  readonly engineHash: string;
  readonly status: string;
  readonly answer?: ExecuteOutput;
}

async function show({ executionId }: ExecuteOutput): Promise<Shown> {
  const { stdout } = await cli(['executions', 'show', executionId, '--json', '--config', join(place.directory, 'ampoule.json')]);
  return JSON.parse(stdout) as Shown;
}

test('runs that sleep on an engine that was replaced end on it, in a process that is there for them alone, or with a code, as the operator says', async () => {
  place.open('made');
  place.open('never');
  const client = await first.connect();
  const never = answerOf(await client.call({ code: CODE, input: 'never' })).output;
  const [kept, ended] = [await begin(client, CODE, { input: 'kept0' }), await begin(client, CODE, { input: 'ended' })];
  for (const run of [kept, ended]) await until('it sleeps', async () => (await untilWaiting(client, run)).waiting?.[0]?.kind === 'tool');
  await until('their calls are sent', () => ['kept0', 'ended'].every((name) => place.sent(name).length === 1));
  await kill(first);

  const second = await place.start({ engine: 'starlingmonkey', limits: LIMITS });
  const other = await second.connect();
  // What has nothing to do starts nothing.
  expect(second.executors()).toHaveLength(1);
  place.open('kept0');
  const { status, result, logs, usage } = await endOf(other, kept);
  expect({ status, result, logs }).toMatchObject({
    status: 'completed',
    result: { made: 'made', looked: 'kept0', size: 1_000 },
    logs: [{ message: 'made made' }],
  });
  // To the last unit what a run uses that never slept, which another engine would not.
  expect(usage.fuel).toBe(never.usage.fuel);
  expect(second.executors()).toHaveLength(2);
  const fresh = answerOf(await other.call({ code: CODE, input: 'never' })).output;
  expect(fresh.result).toEqual({ made: 'made', looked: 'never', size: 1_000 });
  expect(fresh.usage.fuel).not.toBe(never.usage.fuel);
  const engines = await Promise.all([kept, fresh].map(async (run) => (await show(run)).engineHash));
  expect([engines[0], engines[0] === engines[1]]).toEqual([inject('engine').hash, false]);
  const replayed = await cli(['replay', kept.executionId, '--config', join(place.directory, 'ampoule.json')]);
  expect([replayed.code, replayed.stdout]).toEqual([0, expect.stringMatching(/^Same: completed, 2 calls/)]);
  await until('the process of the old engine is gone', () => second.executors().length === 1, 60_000);
  await second.stop();

  const third = await place.start({ engine: 'starlingmonkey', limits: LIMITS, executions: { engineChanged: 'fail' } });
  try {
    const failed = { status: 'failed', error: { code: 'ERR_EXECUTION_ENGINE' } };
    expect(await endOf(await third.connect(), ended)).toMatchObject(failed);
    expect(await show(ended)).toMatchObject({ status: 'failed', engineHash: inject('engine').hash, answer: failed });
    expect(third.executors()).toHaveLength(1);
    // Each server that could go on with it has sent the call that only looks; this one did not.
    expect([place.sent('ended').length, place.sent('made').length]).toEqual([2, 4]);
  } finally {
    await third.stop();
  }
});
