import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { defaultConfig } from '../config/default-config.ts';
import { loadConfig, parseConfig } from '../config/load-config.ts';
import type { Config } from '../config/schema.ts';
import { SandboxError } from '../errors.ts';
import { createLog, type Log } from '../log.ts';
import { makeFolder } from '../make-folder.ts';
import type { OpenOptions } from '../open-options.ts';
import type { OpenSandbox } from '../open-sandbox.ts';
import { cacheRoot } from './cache-folder.ts';
import { showBuildProgress } from './progress.ts';

/** What a command knows of the process it runs in. `main.ts` is the only file that asks the process itself. */
export interface ProcessContext {
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** Where Ampoule is installed: its package's folder. */
  readonly packageDirectory: string;
  readonly nodePath: string;
  readonly version: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Fires at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

export interface CommonOptions {
  readonly config?: string;
}

/**
 * The config of `--config`, else of `ampoule.json` in the working directory, else the embedded default. Over stdio a client has
 * chosen the working directory, often a project of somebody else's, and a config starts commands: there the implicit file is the
 * one beside the installed package.
 */
export async function readConfig(context: ProcessContext, { config, stdio }: CommonOptions & { stdio?: boolean }): Promise<Config> {
  const { workingDirectory, environment } = context;
  const implicit = join(stdio === true ? context.packageDirectory : workingDirectory, 'ampoule.json');
  const file = config === undefined ? implicit : resolve(workingDirectory, config);
  try {
    return await loadConfig({ file, environment });
  } catch (error) {
    if (config === undefined && error instanceof SandboxError && error.code === 'ERR_CONFIG_NOT_FOUND') return embeddedConfig(context);
    throw error;
  }
}

async function embeddedConfig({ environment, nodePath, packageDirectory }: ProcessContext): Promise<Config> {
  const dataDir = join(cacheRoot(environment, packageDirectory), 'data');
  await makeFolder(dataDir);
  // A `$` in a path of this machine is not a variable of the config language.
  const raw = JSON.stringify(defaultConfig({ nodePath, resolveFrom: packageDirectory, dataDir })).replaceAll('${', '$${');
  return parseConfig(raw, { file: join(packageDirectory, 'ampoule.json'), environment });
}

/** The config's cache folder, else the user's. */
export function cacheDirectory(context: ProcessContext, config: Pick<Config, 'cacheDir'>): string {
  return config.cacheDir ?? cacheRoot(context.environment, context.packageDirectory);
}

/** Starts everything that a config asks for, with a progress display on stderr. @throws the signal's reason when it fires meanwhile */
export async function open(
  context: ProcessContext,
  config: Config,
  log: Log = createLog(config.log),
  more: Pick<OpenOptions, 'executions'> = {},
): Promise<OpenSandbox> {
  // Commands that only read a store come without all this.
  const { openSandbox } = await import('../open-sandbox.ts');
  const progress = showBuildProgress(context.stderr);
  try {
    return await openSandbox({
      config,
      cacheDirectory: cacheDirectory(context, config),
      installDirectory: dirname(config.file),
      environment: context.environment,
      log,
      version: context.version,
      onBuild: progress.step,
      signal: context.signal,
      ...more,
    });
  } finally {
    progress.end();
  }
}

/** A program's text, from a file or, with `-`, from standard input. @throws SandboxError ERR_CLI_FILE */
export async function readProgram({ workingDirectory, stdin }: ProcessContext, file: string): Promise<string> {
  try {
    if (file !== '-') return await readFile(resolve(workingDirectory, file), 'utf8');
    return Buffer.concat(await Array.fromAsync(stdin as AsyncIterable<Buffer>)).toString('utf8');
  } catch (cause) {
    throw new SandboxError('ERR_CLI_FILE', `The program ${file} cannot be read.`, {
      hint: 'Name a TypeScript file, or - for standard input.',
      cause,
    });
  }
}
