import { fork } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES, SandboxError, type ErrorCode } from '../errors.ts';
import { makeFolder, OWNER_ONLY } from '../make-folder.ts';
import { BUILD_PREFIX, removeAbandonedBuilds } from './abandoned-builds.ts';
import type { BuildMessage, BuildRequest, BuildStep } from './build-process.ts';
import { fingerprint, readEngineFiles, type EngineFiles } from './engine-files.ts';
import { METER_VERSION } from './meter/meter.ts';
import { MAXIMUM_PAGES, recipeOf, type EngineKind } from './recipe.ts';
import { WARM_UP_PROGRAM } from './warm-up-program.ts';
import { toolVersions } from './tool-versions.ts';

/** Changes when the build itself does: the snapshot, the files, their layout. */
const BUILD_VERSION = 9;

/** How long another process may take to move its own engine into place. */
const SWAP_MS = 100;

/** The slowest build on the slowest machine takes a few minutes. */
const BUILD_MS = 900_000;
/** The tools of a build are native code, threads and programs of their own; what they write is in two folders. */
const BUILD_NEEDS = ['--allow-child-process', '--allow-worker', '--allow-addons', '--allow-wasi', '--no-warnings'];

export interface EngineSources {
  readonly kind: EngineKind;
  /** The guest runtime, bundled to one ES module. */
  readonly guest: string;
  /** The text of `host-functions/world.wit`. */
  readonly wit: string;
}

export interface EngineOptions {
  /** Built engines live in `<cacheDirectory>/engine/<hash>`. */
  readonly cacheDirectory: string;
  /** Build even if a good one is there. */
  readonly rebuild?: boolean;
  readonly onProgress?: (step: BuildStep) => void;
}

/**
 * The engine for these sources: from the cache when a good one is there, else built (a few seconds, in a child process).
 * Safe when two processes do it at once.
 *
 * @throws SandboxError ERR_ENGINE_BUILD, ERR_ENGINE_METER, ERR_ENGINE_CONTRACT, ERR_ENGINE_CACHE when the folder cannot be written
 */
export async function ensureEngine(sources: EngineSources, options: EngineOptions, signal?: AbortSignal): Promise<EngineFiles> {
  const hash = engineHash(sources);
  const directory = join(options.cacheDirectory, 'engine', hash.slice(0, 32));
  if (options.rebuild !== true) {
    const cached = await readGood(directory, hash);
    if (cached) return cached;
  }
  // What is in it is executed: nobody but its owner may write there.
  const engines = join(options.cacheDirectory, 'engine');
  const fresh = await beginBuild(engines);
  const work = await mkdtemp(join(tmpdir(), 'ampoule-engine-'));
  try {
    await runBuild(sources, hash, work, fresh, options, signal);
    // A good one that another process put there meanwhile is the same, and may be in use.
    const isThere = options.rebuild !== true && (await readGood(directory, hash)) !== undefined;
    if (!isThere) await replaceDirectory(fresh, directory);
  } finally {
    await Promise.all([fresh, work].map((path) => rm(path, { recursive: true, force: true })));
  }
  const built = (await readGood(directory, hash)) ?? (await sleep(SWAP_MS).then(() => readGood(directory, hash)));
  if (!built) {
    throw new SandboxError('ERR_ENGINE_CACHE', 'The engine was built but cannot be read back.', {
      hint: 'Check that the cache folder is writable and not cleaned meanwhile.',
    });
  }
  return built;
}

async function readGood(directory: string, hash: string): Promise<EngineFiles | undefined> {
  return readEngineFiles(directory, hash).catch(() => undefined);
}

/** A fresh folder for a build. @throws SandboxError ERR_ENGINE_CACHE */
async function beginBuild(engines: string): Promise<string> {
  try {
    await makeFolder(engines, OWNER_ONLY);
    await removeAbandonedBuilds(engines);
    return await mkdtemp(join(engines, BUILD_PREFIX));
  } catch (cause) {
    const hint = 'Name a folder that can be written with `cacheDir` in the config file.';
    throw new SandboxError('ERR_ENGINE_CACHE', `The engine's folder ${engines} cannot be written.`, { hint, cause });
  }
}

/** Blake3 over everything that an engine depends on, in hexadecimal. */
export function engineHash(sources: EngineSources): string {
  const inputs = [
    BUILD_VERSION,
    toolVersions(),
    METER_VERSION,
    MAXIMUM_PAGES,
    recipeOf(sources.kind),
    WARM_UP_PROGRAM,
    sources.wit,
    sources.guest,
  ];
  return fingerprint(JSON.stringify(inputs));
}

async function runBuild(
  sources: EngineSources,
  hash: string,
  work: string,
  output: string,
  options: EngineOptions,
  signal?: AbortSignal,
): Promise<void> {
  const guestPath = join(work, 'guest.js');
  const witPath = join(work, 'world.wit');
  await Promise.all([writeFile(guestPath, sources.guest), writeFile(witPath, sources.wit)]);
  const request: BuildRequest = { kind: sources.kind, hash, guestPath, witPath, workDirectory: work, output };
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const child = fork(fileURLToPath(new URL(`./build-process${extension}`, import.meta.url)), [], {
    // componentize-js leaves its temporary files behind when it fails: they end with our folder.
    env: { TMPDIR: work },
    // componentize-js mistakes paths when its sources are below the working directory.
    cwd: output,
    execArgv: [
      '--permission',
      '--allow-fs-read=*',
      ...[work, output].map((folder) => `--allow-fs-write=${join(folder, '*')}`),
      ...BUILD_NEEDS,
    ],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: BUILD_MS,
    killSignal: 'SIGKILL',
    ...(signal ? { signal } : {}),
  });
  let errorOutput = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errorOutput = (errorOutput + text).slice(-16_384)));
  await new Promise<void>((resolve, reject) => {
    const failed = (code: ErrorCode, message: string, cause: string): void =>
      reject(new SandboxError(code, message, { cause: new Error(cause) }));
    child.on('message', (message: BuildMessage) => {
      if ('step' in message) options.onProgress?.(message.step);
      else if ('done' in message) resolve();
      else failed(asCode(message.failed.code), message.failed.message, message.failed.cause);
    });
    child.once('error', (error) => failed('ERR_ENGINE_BUILD', `The engine's build could not run: ${error.message}`, String(error.stack)));
    child.once('exit', (code, by) =>
      failed('ERR_ENGINE_BUILD', `The engine's build ended early (${by ?? `exit code ${code}`}).`, errorOutput),
    );
    child.send(request);
  });
}

function asCode(code: string): ErrorCode {
  return ERROR_CODES.find((known) => known === code) ?? 'ERR_ENGINE_BUILD';
}

/** Moves a finished folder into place. Of two processes that do it at once either may win: their engines are the same. */
async function replaceDirectory(from: string, to: string): Promise<void> {
  const old = `${from}-old`;
  await rename(to, old).catch(() => undefined);
  await rename(from, to).catch(() => undefined);
  await rm(old, { recursive: true, force: true });
}
