import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachedGuest } from './bundle/guest-cache.ts';
import { openDiskCache } from './component/disk-cache.ts';
import type { Config } from './config/schema.ts';
import type { BuildStep } from './engine/build-process.ts';
import { ensureEngine } from './engine/engine.ts';
import type { EngineFiles } from './engine/engine-files.ts';
import type { ExecutorInit } from './execute/executor-supervisor.ts';
import { startExecutors, type Executors, type ExecutorsOptions } from './execute/executors.ts';
import type { OpenOptions } from './open-options.ts';

/** An engine, what runs it, and the cache of programs that are made for it. */
export interface Runtime {
  readonly engine: EngineFiles;
  readonly executor: Executors;
  readonly programs: ExecutorsOptions['programs'];
}

/**
 * The engine of a kind for this version of the guest runtime and the locales that it knows, built when it is missing.
 * @throws SandboxError ERR_ENGINE_*
 */
export async function openEngine(
  { engine: kind, language }: Pick<Config, 'engine' | 'language'>,
  cacheDirectory: string,
  options: { rebuild?: boolean; onBuild?: (step: BuildStep) => void; signal?: AbortSignal } = {},
): Promise<EngineFiles> {
  const wit = await readFile(fileURLToPath(new URL('../host-functions/world.wit', import.meta.url)), 'utf8');
  const { rebuild = false, onBuild, signal } = options;
  const sources = { kind, guest: await cachedGuest(kind, language, join(cacheDirectory, 'engine')), wit };
  return ensureEngine(sources, { cacheDirectory, rebuild, ...(onBuild ? { onProgress: onBuild } : {}) }, signal);
}

/** The engine, built when it is missing, and the process that runs it. */
export async function openRuntime(options: OpenOptions): Promise<Runtime> {
  const { config, cacheDirectory, onBuild, signal } = options;
  const opening = openEngine(config, cacheDirectory, { ...(onBuild && { onBuild }), ...(signal && { signal }) });
  // The process starts while its engine is looked for: both take a while.
  const init = opening.then((files) => executorInit(options, files));
  init.catch(() => undefined);
  const programs = await openPrograms(options);
  const { executors, executorMemoryMb } = config;
  const executor = await startExecutors({ init, programs, log: options.log, executors, executorMemoryMb }, signal);
  return { engine: await opening, executor, programs };
}

/** One more process, with another engine. */
export function openFurther(options: OpenOptions, engine: EngineFiles, programs: Runtime['programs']): Promise<Executors> {
  const { config, log } = options;
  const init = Promise.resolve(executorInit(options, engine));
  return startExecutors({ init, programs, log, executors: 1, executorMemoryMb: config.executorMemoryMb });
}

function openPrograms({ config, cacheDirectory, log }: OpenOptions): ReturnType<typeof openDiskCache> {
  return openDiskCache({
    directory: join(cacheDirectory, 'programs'),
    maxBytes: config.limits.maxCacheBytes,
    log: (message) => log.warn(message),
  });
}

function executorInit({ config, cacheDirectory }: OpenOptions, { plan, modules, directory }: EngineFiles): ExecutorInit {
  return {
    plan,
    modules: Object.fromEntries(modules.map((name) => [name, join(directory, name)])),
    mounts: {
      ...config.mounts,
      servers: config.generatedDir,
      results: resultsFolder(cacheDirectory),
      ...(config.skills !== 'off' && { skills: skillsFolder(cacheDirectory) }),
    },
    workers: config.workers,
    maxRunsPerWorker: config.limits.maxRunsPerWorker,
    maxQueuedRuns: config.limits.maxQueuedRuns,
  };
}

export function resultsFolder(cacheDirectory: string): string {
  return join(cacheDirectory, 'results');
}

/** Where the skills of each principal are as files. */
export function skillsFolder(cacheDirectory: string): string {
  return join(cacheDirectory, 'skills');
}
