import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ledger } from './chaos/ledger.ts';
import { runLoad } from './chaos/run-load.ts';
import { numberIn, parseOptions, textOf, UsageError } from './command-line.ts';
import { killWriters } from './disk/kill-writers.ts';
import { liveLine } from './live-line.ts';
import { randomFrom, type Random } from './random.ts';

/** `npm run chaos`: processes and threads are ended at random under a mixed load, and then everything has to be as it was. */

const USAGE_EXIT_CODE = 2;
const DISK_KILLS = 200;
const DISK_WRITERS = 4;
const MINUTES: readonly [number, number] = [0.05, 600];
const HELP = `npm run chaos -- [options]

  --minutes N     how long the load and the kills last (default: 1)
  --only PART     "load": processes and threads are ended under a load; "disk": processes are killed in the middle of their writes,
                  ${DISK_KILLS} times (default: both at the same time)
  --seed TEXT     repeats the decisions of a run that printed this seed; when what happens is up to the machine
  --json FILE     writes everything that was counted
  --help

Exit code 1 when anything was not as it has to be.
`;

const options = readOptions();
if (options === 'help') process.stdout.write(HELP);
else if (options) await chaos(options);

interface Options {
  readonly minutes: number;
  readonly seed: string;
  readonly only: 'load' | 'disk' | undefined;
  readonly json: string | undefined;
}

async function chaos({ minutes, seed, only, json }: Options): Promise<void> {
  process.stdout.write(`seed ${seed}\n`);
  const began = performance.now();
  const ledger = new Ledger();
  const line = liveLine(process.stderr);
  const random = randomFrom(seed);
  const load = { ms: minutes * 60_000, random, ledger, onTick: (text: string) => line.show(text) };
  const [disk, report] = await Promise.all([
    only === 'load' ? undefined : onDisk(random.fork('disk'), ledger),
    only === 'disk' ? undefined : runLoad(load),
  ]);
  line.end();
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ seed, minutes, ...resultOf(ledger), disk, ...report }, null, 2)}\n`);
  for (const { what, detail } of ledger.faults) process.stdout.write(`${what}\n    ${detail}\n`);
  const { requests, killCount, faultCount } = ledger;
  const seconds = Math.round((performance.now() - began) / 1_000);
  const writes = disk === undefined ? '' : ` (${disk.kills} in the middle of ${disk.writes.toLocaleString('en')} writes)`;
  process.stdout.write(
    `chaos: ${seconds} s, ${requests.toLocaleString('en')} requests, ${killCount} kills${writes}, ${faultCount} faults\n`,
  );
  process.exitCode = faultCount > 0 ? 1 : 0;
}

/** In memory where there is such a disk: what is looked at is what a process leaves behind, not what a machine does. */
async function onDisk(random: Random, ledger: Ledger): Promise<{ kills: number; writes: number }> {
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ampoule-chaos-'));
  try {
    const { kills, acknowledged, faults } = await killWriters(folder, DISK_KILLS, DISK_WRITERS, random);
    for (const fault of faults) ledger.fault('A store has lost or damaged something', fault);
    for (let kill = 0; kill < kills; kill++) ledger.kill('writer');
    return { kills, writes: Object.values(acknowledged).reduce((sum, count) => sum + count, 0) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function resultOf({ requests, longest, kills, endings, faults, effects }: Ledger): object {
  return {
    requests,
    longest,
    kills,
    endings,
    faults,
    effects: { started: effects.started.size, completed: effects.completed.size },
  };
}

function readOptions(): Options | 'help' | undefined {
  try {
    const known = {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { minutes = '1', seed, only, json, help } = parseOptions(process.argv.slice(2), known);
    if (help === true) return 'help';
    if (only !== undefined && only !== 'load' && only !== 'disk') {
      throw new UsageError(`--only expects load or disk, got "${String(only)}".`);
    }
    const own = textOf(seed) ?? randomBytes(4).toString('hex');
    return { minutes: numberIn('minutes', minutes, MINUTES), seed: own, only, json: textOf(json) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nTry npm run chaos -- --help.\n`);
    process.exitCode = USAGE_EXIT_CODE;
    return undefined;
  }
}
