import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ToolAnswer } from '../src/execute/run.ts';
import { parseConfig } from '../src/config/load-config.ts';
import { createLog } from '../src/log.ts';
import { openSandbox } from '../src/open-sandbox.ts';
import { startHttpServer } from '../src/server/http-server.ts';
import { inProcessUpstreams } from './over-http-upstream.ts';

// A gateway whose tools answer when the parent says so. It is ended by the end of the channel.

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = await mkdtemp(join(tmpdir(), 'ampoule-bench-'));
await symlink(join(root, '.cache', 'engine'), join(directory, 'engine'));
const text = JSON.stringify({ cacheDir: '.', log: { level: 'warn', format: 'json' }, ...(JSON.parse(process.argv[2] ?? '{}') as object) });
const config = parseConfig(text, { file: join(directory, 'ampoule.json'), environment: {} });
const log = createLog(config.log);
const held: (() => void)[] = [];
let isReleased = false;
const hold = ({ arguments: { repo } }: { arguments: Readonly<Record<string, unknown>> }): Promise<ToolAnswer> =>
  new Promise((resolve) => {
    held.push(() => resolve({ ok: true, value: JSON.stringify({ items: [], repo }) }));
    // A run that slept may come only now.
    if (isReleased) release();
  });
const release = (): void => {
  isReleased = true;
  for (const answer of held.splice(0)) answer();
};
const sandbox = await openSandbox({
  config,
  cacheDirectory: directory,
  installDirectory: directory,
  environment: {},
  log,
  version: '0.0.0',
  upstreams: { ...inProcessUpstreams(), call: hold },
});
const http = { ...config.http, host: '127.0.0.1', port: 0 };
const server = await startHttpServer({
  port: sandbox.port,
  serverInfo: { name: 'ampoule', version: '0.0.0' },
  limits: config.limits,
  log,
  http,
});
process.send?.({ url: server.url });
process.on('message', release);
process.once('disconnect', () => void end());

async function end(): Promise<void> {
  await server.close();
  await sandbox.close();
  await rm(directory, { recursive: true, force: true });
  process.exit();
}
