import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../src/config/load-config.ts';
import { SandboxError } from '../src/errors.ts';
import { openEngine } from '../src/open-sandbox.ts';
import { helpText, parseCommandLine, UsageError, type Options } from './command-line.ts';
import { ENGINES } from './engines.ts';
import { readHistory, writeHistory } from './history.ts';
import { PARTS } from './parts.ts';
import { showProgress } from './progress.ts';
import { reportPage } from './report/page.ts';
import { standalonePlot } from './report/standalone.ts';
import { runSuite } from './suite.ts';
import { resultTable } from './table.ts';

/** `npm run bench`: what was measured, beside what is promised and beside what others do. */

const USAGE_EXIT_CODE = 2;
const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const cacheDirectory = place('../.cache');
const reportFile = place('report.html');
const plotFile = place('../docs/benchmark.svg');

const options = readOptions();
if (options?.help === true) process.stdout.write(helpText(PARTS, ENGINES));
else if (options) await bench(options);

async function bench({ only, quick, check, json, report, plot, engine }: Options): Promise<void> {
  const progress = showProgress(process.stderr);
  const config = parseConfig('{}', { file: reportFile, environment: {} });
  const engineKind = ENGINES.find((kind) => kind === engine) ?? config.engine;
  const historyFile = join(cacheDirectory, 'bench', `${engineKind}-${quick ? 'quick' : 'full'}.json`);
  const parts = only.length === 0 ? PARTS : PARTS.filter(({ name }) => only.includes(name));
  try {
    progress.part(`the engine ${engineKind}`, 0, parts.length);
    const files = await openEngine({ ...config, engine: engineKind }, cacheDirectory, { onBuild: (step) => progress.step(step) });
    const common = { engine: files, engineKind, cacheDirectory, quick, parts, progress };
    const { result, history, failed } = await runSuite({ ...common, history: await readHistory(historyFile) });
    progress.end();
    process.stdout.write(resultTable(result));
    await writeHistory(historyFile, history);
    const whole = only.length === 0 && !quick;
    await write(json, `${JSON.stringify(result, null, 2)}\n`);
    await write(report ?? (whole ? reportFile : undefined), reportPage(result));
    await write(plot ?? (whole ? plotFile : undefined), standalonePlot(result));
    if (failed || (check && result.rows.some(({ verdict }) => verdict === 'miss'))) process.exitCode = 1;
    // What a part left behind that hangs must not keep the process.
    if (failed) process.stdout.write('', () => process.exit());
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    progress.end();
    process.stderr.write(`${error.code}: ${error.message} ${error.details.hint ?? ''}\n`);
    process.exitCode = 1;
  } finally {
    progress.end();
  }
}

async function write(file: string | undefined, text: string | undefined): Promise<void> {
  if (file !== undefined && text !== undefined) await writeFile(file, text);
}

function readOptions(): Options | undefined {
  try {
    return parseCommandLine(
      process.argv.slice(2),
      PARTS.map(({ name }) => name),
      ENGINES,
    );
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nTry npm run bench -- --help.\n`);
    process.exitCode = USAGE_EXIT_CODE;
    return undefined;
  }
}
