import { availableParallelism } from 'node:os';
import { relative, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { toSandboxError } from '../errors.ts';
import { createLog } from '../log.ts';
import { openReplayExecutor, type ReplayExecutor } from '../replay/replay-executor.ts';
import { replay, type Replayed } from '../replay/replay.ts';
import { readRecordings, type SavedRecording } from '../replay/saved-recording.ts';
import { harmlessLine } from '../result/harmless-text.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { differenceLines } from './replay-text.ts';
import { openPresentEngine } from './replay.ts';

export interface TestCommandOptions extends CommonOptions {
  readonly json?: boolean;
}

/** How one recording did. With `error` it could not be replayed at all. */
interface Tested extends Omit<Replayed, 'pending' | 'outcome'> {
  readonly recording: string;
  readonly sameEngine: boolean;
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * `ampoule test DIR`: each recording on the engine of this version, so that a new one can be tried before it is used.
 * @returns the exit code: 0 when each gives the recorded result
 * @throws SandboxError ERR_CLI_FILE
 */
export async function testRecordings(context: ProcessContext, folder: string, options: TestCommandOptions): Promise<number> {
  const config = await readConfig(context, options);
  const saved = await readRecordings(resolve(context.workingDirectory, folder));
  const progress = showProgress(context.stderr, saved.length);
  const tested = await testAll(context, config, saved, progress.step).finally(progress.end);
  const failed = tested.filter(({ status }) => status !== 'same');
  context.stdout.write(options.json === true ? `${JSON.stringify(tested)}\n` : report(tested, failed));
  return failed.length === 0 ? 0 : 1;
}

/** As many at once as there are workers; in the order of the recordings. */
async function testAll(context: ProcessContext, config: Config, saved: readonly SavedRecording[], onTested: () => void): Promise<Tested[]> {
  await using executors = await openExecutors(context, config);
  const results: Tested[] = [];
  const queue = saved.entries();
  const work = async (): Promise<void> => {
    for (const [index, one] of queue) {
      results[index] = await executors.with(one.mounts, (opened) => testOne(context, opened, one));
      onTested();
    }
  };
  await Promise.all(Array.from({ length: workersOf(config) }, work));
  return results;
}

function workersOf({ workers }: Config): number {
  return workers === 'auto' ? availableParallelism() : workers;
}

interface TestExecutors extends AsyncDisposable {
  /** Lends an executor that can read these folders and no others. */
  with<T>(mounts: SavedRecording['mounts'], use: (opened: ReplayExecutor) => Promise<T>): Promise<T>;
}

/** One for all recordings that read no files, and one for each of the others. */
async function openExecutors(context: ProcessContext, config: Config): Promise<TestExecutors> {
  const cache = cacheDirectory(context, config);
  const engine = await openPresentEngine(context, config, cache);
  const log = createLog({ ...config.log, level: 'warn' });
  const options = { cacheDirectory: cache, engineHash: engine.hash, present: () => Promise.resolve(engine), limits: config.limits, log };
  let plain: Promise<ReplayExecutor> | undefined;
  return {
    with: async (mounts, use) => {
      if (Object.keys(mounts).length === 0) {
        return use(await (plain ??= openReplayExecutor({ ...options, mounts, workers: config.workers })));
      }
      await using opened = await openReplayExecutor({ ...options, mounts });
      return await use(opened);
    },
    [Symbol.asyncDispose]: async () => (await plain?.catch(() => undefined))?.[Symbol.asyncDispose](),
  };
}

async function testOne(context: ProcessContext, opened: ReplayExecutor, { folder, recording }: SavedRecording): Promise<Tested> {
  const { executor, engineHash, programFor } = opened;
  const sameEngine = engineHash === recording.engineHash;
  const known = { recording: relative(context.workingDirectory, folder) || '.', sameEngine };
  try {
    const {
      pending: _pending,
      outcome: _outcome,
      ...rest
    } = await replay(recording, executor, {
      sameEngine,
      programFor,
      signal: context.signal,
    });
    return { ...known, ...rest };
  } catch (thrown) {
    context.signal.throwIfAborted();
    const { code, message } = toSandboxError(thrown);
    return { ...known, status: 'different', differences: [], error: { code, message } };
  }
}

/** Only what is wrong, and how many are right. */
function report(tested: readonly Tested[], failed: readonly Tested[]): string {
  const onOther = tested.filter(({ sameEngine }) => !sameEngine).length;
  const [all, good] = [tested.length.toLocaleString('en'), (tested.length - failed.length).toLocaleString('en')];
  const summary = tested.length === 1 ? (failed.length === 0 ? '1 recording: as recorded.' : '1 recording: different.') : '';
  const other = onOther === 0 ? [] : [`${onOther.toLocaleString('en')} of them on another engine than the recorded one: fuel may differ.`];
  return `${[...failed.flatMap(linesOf), summary || `${good} of ${all} recordings as recorded.`, ...other].join('\n')}\n`;
}

function linesOf({ recording, differences, error }: Tested): string[] {
  const why = error === undefined ? [] : [`  ${error.code}: ${harmlessLine(error.message)}`];
  return [`✗ ${recording}`, ...differences.flatMap(differenceLines), ...why];
}

/** How far it is, on one line of a terminal; nothing elsewhere. */
function showProgress(stream: NodeJS.WriteStream, all: number): { step: () => void; end: () => void } {
  let done = 0;
  const write = (text: string): void => void (stream.isTTY && all > 1 && stream.write(`\r\u001B[2K${text}`));
  return { step: () => write(`${++done} of ${all}`), end: () => write('') };
}
