import { resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { EngineFiles } from '../engine/engine-files.ts';
import type { StoredExecution } from '../execution/execution-store.ts';
import { createLog } from '../log.ts';
import { openEngine, resultsFolder, skillsFolder } from '../open-runtime.ts';
import type { Mounts } from '../replay/recorded-files.ts';
import { recordingOf, type Recording } from '../replay/recording.ts';
import { openReplayExecutor } from '../replay/replay-executor.ts';
import { replay, type Replayed, type ReplayedCall } from '../replay/replay.ts';
import { saveRecording } from '../replay/saved-recording.ts';
import { cacheDirectory, readConfig, type CommonOptions, type ProcessContext } from './command.ts';
import { findExecution, noStoreText, openRegister } from './execution-register-file.ts';
import { showBuildProgress } from './progress.ts';
import { callLine, verdict } from './replay-text.ts';

export interface ReplayCommandOptions extends CommonOptions {
  readonly until?: number;
  readonly trace?: boolean;
  readonly save?: string;
  readonly json?: boolean;
}

/** A replay, and the engine that it was on. */
interface Report extends Replayed {
  readonly executionId: string;
  readonly engineHash: string;
  readonly sameEngine: boolean;
  /** Every call, when they were asked for. */
  readonly calls?: readonly ReplayedCall[];
  /** The folder that it was saved to. */
  readonly saved?: string;
}

/**
 * `ampoule replay ID`. Needs no upstream server and no server that runs.
 * @returns the exit code: 0 when nothing differs
 * @throws SandboxError ERR_EXECUTION_UNKNOWN, ERR_EXECUTION_DAMAGED, ERR_EXECUTION_STORE, ERR_EXECUTION_DIVERGED, ERR_CLI_FILE
 */
export async function replayExecution(context: ProcessContext, id: string, options: ReplayCommandOptions): Promise<number> {
  const config = await readConfig(context, options);
  const cache = cacheDirectory(context, config);
  const execution = readExecution(context, config, id);
  const recording = recordingOf(execution);
  const mounts = mountsOf(config, cache);
  const replayed = await replayNow(context, config, { cache, recording, mounts }, options);
  const mayBeSaved = options.save !== undefined && replayed.status !== 'different';
  const directory = resolve(context.workingDirectory, options.save ?? '');
  const saved = mayBeSaved ? await saveRecording(recording, { directory, code: codeOf(execution), mounts }) : undefined;
  const report = { ...replayed, ...(saved !== undefined && { saved }) };
  context.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : textOf(report, options));
  return replayed.status === 'different' ? 1 : 0;
}

interface Replay {
  readonly cache: string;
  readonly recording: Recording;
  readonly mounts: Mounts;
}

async function replayNow(
  context: ProcessContext,
  config: Config,
  { cache, recording, mounts }: Replay,
  { until, trace, json }: ReplayCommandOptions,
): Promise<Report> {
  const { executionId, engineHash } = recording;
  const log = createLog({ ...config.log, level: 'warn' });
  const present = (): Promise<EngineFiles> => openPresentEngine(context, config, cache);
  await using opened = await openReplayExecutor({ cacheDirectory: cache, engineHash, present, limits: config.limits, mounts, log });
  const sameEngine = opened.engineHash === engineHash;
  const calls: ReplayedCall[] = [];
  const tell = (call: ReplayedCall): void => void (json === true ? calls.push(call) : context.stdout.write(`${callLine(call)}\n`));
  const replayed = await replay(recording, opened.executor, {
    until,
    sameEngine,
    programFor: opened.programFor,
    signal: context.signal,
    ...(trace === true && { onCall: tell }),
  });
  return { executionId, engineHash: opened.engineHash, sameEngine, ...replayed, ...(trace === true && json === true && { calls }) };
}

/** The engine of this version, built with a progress display when it is missing. */
export async function openPresentEngine(context: ProcessContext, config: Config, cache: string): Promise<EngineFiles> {
  const progress = showBuildProgress(context.stderr);
  try {
    return await openEngine(config, cache, { onBuild: progress.step, signal: context.signal });
  } finally {
    progress.end();
  }
}

function textOf(report: Report, { until, save }: ReplayCommandOptions): string {
  const lines = report.sameEngine ? [] : ['The engine of the recording is not there any more: replayed on the present one.'];
  if (until !== undefined && makesNot(report, until)) lines.push(`It makes no call ${until}.`);
  lines.push(...verdict(report));
  if (report.saved !== undefined) lines.push(`Saved as ${report.saved}`);
  else if (save !== undefined) lines.push('Not saved: a test has to give the same every time.');
  return `${lines.join('\n')}\n`;
}

function readExecution(context: ProcessContext, config: Config, id: string): StoredExecution {
  using register = openRegister(context, config);
  return findExecution(register, id, noStoreText(context, config));
}

/** A replay stops at a call right after it was made: then it is pending. */
function makesNot({ status, pending }: Report, until: number): boolean {
  return status === 'same' || (status === 'stopped' && pending.every(({ number }) => number !== until));
}

/** What programs can read, as the server mounts it. */
function mountsOf({ mounts, generatedDir, skills }: Config, cache: string): Mounts {
  return { ...mounts, servers: generatedDir, results: resultsFolder(cache), ...(skills !== 'off' && { skills: skillsFolder(cache) }) };
}

/** The agent's source; "" for what was sent otherwise. */
function codeOf({ request }: StoredExecution): string {
  const { code } = JSON.parse(request) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
