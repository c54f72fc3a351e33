import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { numberIn, parseOptions, textOf, UsageError } from './command-line.ts';
import { runKills } from './kills/run-kills.ts';
import { liveLine } from './live-line.ts';
import { randomFrom } from './random.ts';

/** `npm run kills`: a server is ended by SIGKILL in the middle of mixed runs, again and again, and then every run has to be right. */

const USAGE_EXIT_CODE = 2;
const KILLS: readonly [number, number] = [1, 100_000];
const HELP = `npm run kills -- [options]

  --kills N     how often the server is killed (default: 200)
  --seed TEXT   repeats the decisions of a run that printed this seed; when what happens is up to the machine
  --json FILE   writes everything that was counted
  --help

Exit code 1 when a run that was accepted did not complete with the right result, or a call that may not be made twice was.
`;

const options = readOptions();
if (options === 'help') process.stdout.write(HELP);
else if (options) await kill(options);

interface Options {
  readonly kills: number;
  readonly seed: string;
  readonly json: string | undefined;
}

async function kill({ kills, seed, json }: Options): Promise<void> {
  process.stdout.write(`seed ${seed}\n`);
  const began = performance.now();
  const line = liveLine(process.stderr);
  const report = await runKills({ kills, random: randomFrom(seed), onTick: (text) => line.show(text) });
  line.end();
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ seed, ...report }, null, 2)}\n`);
  for (const fault of report.faults) process.stdout.write(`${fault}\n`);
  const seconds = Math.round((performance.now() - began) / 1_000);
  const { accepted, endings, others, effects, counted, interrupted, settledMs, faults } = report;
  const also = Object.values(others).reduce((sum, count) => sum + count, 0);
  const told = [
    `${seconds} s`,
    `${kills} kills of a server and ${also} of something else`,
    `${accepted} runs accepted (${text(endings)})`,
    `${effects} effects`,
    `${counted} counted`,
    `${interrupted} interrupted`,
    `the last start took ${(settledMs / 1_000).toFixed(1)} s for what was left`,
    `${faults.length} faults`,
  ];
  process.stdout.write(`kills: ${told.join(', ')}\n`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

function text(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

function readOptions(): Options | 'help' | undefined {
  try {
    const known = {
      kills: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { kills = '200', seed, json, help } = parseOptions(process.argv.slice(2), known);
    if (help === true) return 'help';
    return { kills: numberIn('kills', kills, KILLS), seed: textOf(seed) ?? randomBytes(4).toString('hex'), json: textOf(json) };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nTry npm run kills -- --help.\n`);
    process.exitCode = USAGE_EXIT_CODE;
    return undefined;
  }
}
