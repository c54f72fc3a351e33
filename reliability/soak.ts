import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describeMachine } from '../bench/machine.ts';
import { numberIn, parseOptions, textOf, UsageError } from './command-line.ts';
import { liveLine } from './live-line.ts';
import { writeFigures } from './soak/document.ts';
import { fifths, judge, type Judged } from './soak/figures.ts';
import { runSoak } from './soak/run-soak.ts';

/** `npm run soak`: very many runs, and a look at whether anything grows. */

const USAGE_EXIT_CODE = 2;
const RUNS: readonly [number, number] = [200, 100_000_000];
/** With fewer runs a fifth of them is so little that its 95th percentile moves by itself. */
const LEAST_RUNS_TO_JUDGE_DRIFT = 20_000;
const MOST_DRIFT = 0.1;
/** And so few runs do not fill the caches of the executor. */
const SHORT_SLACK = 2;
const HELP = `npm run soak -- [options]

  --runs N        runs after the warm-up (default: 100000)
  --json FILE     writes everything that was measured
  --document      writes the figures into docs/reliability.md
  --help

Exit code 1 when anything grew, when a run was answered wrongly, or when the 95th percentile of the last fifth of the runs is more
than ${MOST_DRIFT * 100} % above that of the first (judged from ${LEAST_RUNS_TO_JUDGE_DRIFT.toLocaleString('en')} runs on).
`;

const PAGE = fileURLToPath(new URL('../docs/reliability.md', import.meta.url));

const options = readOptions();
if (options === 'help') process.stdout.write(HELP);
else if (options) await soak(options);

async function soak({ runs, json, document }: Options): Promise<void> {
  const machine = describeMachine();
  const line = liveLine(process.stderr);
  const { samples, latencies, seconds, wrong, runsByKind } = await runSoak(runs, (text) => line.show(text));
  line.end();
  const isShort = runs < LEAST_RUNS_TO_JUDGE_DRIFT;
  const judged = judge(samples, isShort ? SHORT_SLACK : 1);
  const p95 = fifths(latencies);
  const drift = (p95[4] ?? 0) / (p95[0] ?? 1) - 1;
  const isDrifting = !isShort && drift > MOST_DRIFT;
  const growing = judged.filter(({ isFlat }) => !isFlat).length;
  const everything = { runs, seconds, p95, drift, judged, runsByKind, wrong, samples };
  if (json !== undefined) await writeFile(json, `${JSON.stringify(everything, null, 2)}\n`);
  const parts = [
    `${runs.toLocaleString('en')} runs in ${Math.round(seconds)} s`,
    `${wrong.length} wrong`,
    `${growing} of ${judged.length} figures grew`,
    `p95 drift ${(drift * 100).toFixed(1)} %${isShort ? ' (too few runs to judge)' : ''}`,
  ];
  const printed = [
    table(judged),
    `p95 of each fifth: ${p95.map((ms) => `${ms.toFixed(2)} ms`).join(', ')}\n`,
    ...wrong.map((text) => `wrong: ${text}\n`),
    `soak: ${parts.join(', ')}\n`,
  ].join('');
  process.stdout.write(printed);
  if (document) await writeFigures(PAGE, printed, machine, new Date());
  process.exitCode = wrong.length > 0 || growing > 0 || isDrifting ? 1 : 0;
}

function table(judged: readonly Judged[]): string {
  const shown = (value: number): string => (Math.abs(value) < 10_000 ? value.toFixed(1) : `${(value / 2 ** 20).toFixed(1)} MiB`);
  const rows = judged.map(({ figure, first, half, last, growth, bound, isFlat }) => [
    figure,
    ...[first, half, last, growth, bound].map(shown),
    isFlat ? 'flat' : 'GROWS',
  ]);
  const all = [['', 'first', 'half', 'last', 'growth of the second half', 'bound', ''], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return `${all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}

interface Options {
  readonly runs: number;
  readonly json: string | undefined;
  readonly document: boolean;
}

function readOptions(): Options | 'help' | undefined {
  try {
    const known = {
      runs: { type: 'string' },
      json: { type: 'string' },
      document: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    } as const;
    const { runs = '100000', json, document, help } = parseOptions(process.argv.slice(2), known);
    return help === true ? 'help' : { runs: Math.round(numberIn('runs', runs, RUNS)), json: textOf(json), document: document === true };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nTry npm run soak -- --help.\n`);
    process.exitCode = USAGE_EXIT_CODE;
    return undefined;
  }
}
