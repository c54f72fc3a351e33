import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli } from '../cli/run-cli.ts';
import type { TestClient } from '../server/clients.ts';
import { begin, endOf, kill, Place } from './executions.ts';
import type { Ampoule } from './harness.ts';
import { until } from './processes.ts';

/** Runs read files, and a process is killed before they are put away: they are begun again from the start, and the files have changed meanwhile or not. */

/** What it reads decides what it does after its calls, which are the same. */
const PROGRAM = `
import { look } from "servers/gates";
import { readFile } from "ampoule";
const { name, file } = input as { name: string; file: string };
const plan = await readFile(file).catch(() => "none");
await look({ name });
await look({ name: name + "-2" });
return look({ name: plan.startsWith("careful") ? name + "-careful" : name + "-bold" });`;

let place: Place;
let server: Ampoule;
let client: TestClient;
let tries = 0;

async function start(): Promise<void> {
  server = await place.start({ mounts: { docs: 'docs' }, limits: { hibernateAfterMs: 3_600_000 } });
  client = await server.connect();
}

function write(file: string, text: string): void {
  writeFileSync(join(place.directory, 'docs', file), text);
}

beforeAll(async () => {
  place = await Place.open();
  mkdirSync(join(place.directory, 'docs'));
  await start();
});
afterAll(async () => {
  await server.stop();
  await place[Symbol.asyncDispose]();
});

test.each([
  ['server', () => kill(server).then(start)],
  ['executor', () => kill({ pid: server.executor() })],
])(
  'after a kill of the %s a run ends by the name of the file that has changed, and goes on where none has',
  async (killed, lose) => {
    const files = { same: 'careful', changed: 'careful', gone: 'careful', late: undefined };
    const runs = [];
    for (const [file, text] of Object.entries(files)) {
      const name = `${killed}-${++tries}-${file}`;
      if (text === undefined) rmSync(join(place.directory, 'docs', file), { force: true });
      else write(file, text);
      place.open(name);
      const run = await begin(client, PROGRAM, { input: { name, file: `docs/${file}` } });
      await until('its second call is made', () => place.sent(`${name}-2`).length === 1);
      runs.push([name, run] as const);
    }
    write('changed', 'bold');
    write('late', 'bold');
    rmSync(join(place.directory, 'docs', 'gone'));
    await lose();
    for (const [name] of runs) for (const then of ['2', 'careful', 'bold']) place.open(`${name}-${then}`);
    const ends = [];
    for (const [, run] of runs) ends.push(await endOf(client, run));
    const changed = (file: string, how: string): object => ({
      status: 'failed',
      // What was sent is told, however far it came the second time.
      calls: [{ tool: 'look', ok: true }, { tool: 'look' }],
      error: {
        code: 'ERR_EXECUTION_DIVERGED',
        message: expect.stringContaining(`The file "docs/${file}", which it reads, has changed since: it ${how}.`),
      },
    });
    expect(ends).toMatchObject([
      { status: 'completed', result: { name: expect.stringMatching(/-same-careful$/) } },
      changed('changed', 'had 7 bytes, and has 4 bytes now'),
      changed('gone', 'had 7 bytes, and cannot be read any more'),
      changed('late', 'could not be read, and has 4 bytes now'),
    ]);
    // Nothing was made that would not have been.
    expect(runs.flatMap(([name]) => place.sent(`${name}-bold`))).toEqual([]);
    const { executionId } = runs[1]?.[1] ?? { executionId: '' };
    write('changed', 'careful');
    const replayed = await cli(['replay', executionId, '--config', join(place.directory, 'ampoule.json')]);
    expect(replayed).toMatchObject({ code: 0, stdout: expect.stringContaining('ended from outside (ERR_EXECUTION_DIVERGED)') });
  },
  120_000,
);
