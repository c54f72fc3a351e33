import { mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../src/config/load-config.ts';
import { createLog } from '../src/log.ts';
import { openSandbox, type OpenSandbox } from '../src/open-sandbox.ts';
import type { Upstreams } from '../src/upstream/upstreams.ts';
import { inProcessUpstreams } from './over-http-upstream.ts';
import type { Bench } from './part.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** A temporary folder with the built engines in it, as a cache folder of its own. */
export async function cacheFolder({ cacheDirectory }: Pick<Bench, 'cacheDirectory'>): Promise<{ path: string } & AsyncDisposable> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'ampoule-bench-')));
  await symlink(join(cacheDirectory, 'engine'), join(path, 'engine'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The config that selects the engine, and what else a part needs. */
export function configOf({ engineKind }: Pick<Bench, 'engineKind'>, more: object = {}): object {
  return { engine: engineKind, log: { level: 'warn', format: 'json' }, ...more };
}

export interface SandboxOptions {
  readonly config?: object;
  /** Default: one server in this process with twenty tools. */
  readonly upstreams?: Upstreams;
}

/** The whole product without its HTTP server: the gateway is this process. Programs are cached in memory and in a temporary folder. */
export async function openBenchSandbox(bench: Bench, options: SandboxOptions = {}): Promise<OpenSandbox & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const { path } = started.use(await cacheFolder(bench));
  const text = JSON.stringify({ cacheDir: '.', ...configOf(bench, options.config) });
  const config = parseConfig(text, { file: join(path, 'ampoule.json'), environment: {} });
  const sandbox = await openSandbox({
    config,
    cacheDirectory: path,
    installDirectory: ROOT,
    environment: {},
    log: createLog(config.log),
    version: '0.0.0',
    upstreams: options.upstreams ?? inProcessUpstreams(),
  });
  started.defer(() => sandbox.close());
  const running = started.move();
  return { ...sandbox, close: () => running.disposeAsync(), [Symbol.asyncDispose]: () => running.disposeAsync() };
}
