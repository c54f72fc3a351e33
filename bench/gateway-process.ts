import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '../src/config/load-config.ts';
import { createLog } from '../src/log.ts';
import { openSandbox } from '../src/open-sandbox.ts';
import { startHttpServer } from '../src/server/http-server.ts';
import type { Upstreams } from '../src/upstream/upstreams.ts';

/**
 * Makes this process a gateway with the upstream server that is given, and with the config in its first argument. What it keeps is in the folder of the
 * second one, else in one that it removes again. It tells the parent its address and is ended by the end of the channel.
 */
export async function serveGateway(upstreams: Upstreams): Promise<void> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const [, , own = '{}', kept] = process.argv;
  const directory = kept ?? (await mkdtemp(join(tmpdir(), 'ampoule-bench-')));
  const engine = join(directory, 'engine');
  if (!existsSync(engine)) await symlink(join(root, '.cache', 'engine'), engine);
  const text = JSON.stringify({ cacheDir: '.', log: { level: 'warn', format: 'json' }, ...(JSON.parse(own) as object) });
  const config = parseConfig(text, { file: join(directory, 'ampoule.json'), environment: {} });
  const log = createLog(config.log);
  const folders = { cacheDirectory: directory, installDirectory: directory };
  const sandbox = await openSandbox({ config, ...folders, environment: {}, log, version: '0.0.0', upstreams });
  const http = { ...config.http, host: '127.0.0.1', port: 0 };
  const serverInfo = { name: 'ampoule', version: '0.0.0' };
  const server = await startHttpServer({ port: sandbox.port, serverInfo, limits: config.limits, log, http });
  process.send?.({ url: server.url });
  const end = async (): Promise<void> => {
    await server.close();
    await sandbox.close();
    if (kept === undefined) await rm(directory, { recursive: true, force: true });
    process.exit();
  };
  process.once('disconnect', () => void end());
}
