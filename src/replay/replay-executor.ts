import { join } from 'node:path';
import { programKey } from '../component/program-key.ts';
import type { Config } from '../config/schema.ts';
import type { EngineFiles } from '../engine/engine-files.ts';
import { findEngine } from '../engine/find-engine.ts';
import type { ProgramSource } from '../execute/run.ts';
import { startExecutor, type SupervisedExecutor } from '../execute/supervised-executor.ts';
import type { Log } from '../log.ts';

/** An executor of its own for replays: it has no upstream, and nobody else's runs. */
export interface ReplayExecutor extends AsyncDisposable {
  readonly executor: SupervisedExecutor;
  readonly engineHash: string;
  /** The program of a script on this engine. */
  readonly programFor: (script: string) => ProgramSource;
}

export interface ReplayExecutorOptions {
  readonly cacheDirectory: string;
  /** The engine that the run was recorded on. */
  readonly engineHash: string;
  /** The engine of this version, for when that is not there any more. */
  readonly present: () => Promise<EngineFiles>;
  readonly limits: Config['limits'];
  /** Virtual name to absolute folder. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly log: Log;
  /** Default: one. */
  readonly workers?: number | 'auto';
}

/** Starts the engine that a run was recorded on, or the present one. @throws SandboxError ERR_ENGINE_*, ERR_EXECUTE_LOST */
export async function openReplayExecutor(options: ReplayExecutorOptions): Promise<ReplayExecutor> {
  const { cacheDirectory, engineHash, present, limits, mounts, log, workers = 1 } = options;
  const engine = (await findEngine(cacheDirectory, engineHash)) ?? (await present());
  const init = {
    plan: engine.plan,
    modules: Object.fromEntries(engine.modules.map((name) => [name, join(engine.directory, name)])),
    mounts,
    workers,
    maxRunsPerWorker: limits.maxRunsPerWorker,
    maxQueuedRuns: limits.maxQueuedRuns,
  };
  // Programs are made anew: a replay does not rest on what was kept of the first run.
  const programs = { get: () => Promise.resolve(undefined), put: () => Promise.resolve() };
  const executor = await startExecutor({ init, programs, log });
  const programFor = (script: string): ProgramSource => ({ script, key: programKey({ script, engineHash: engine.hash }) });
  return { executor, engineHash: engine.hash, programFor, [Symbol.asyncDispose]: () => executor.close() };
}
