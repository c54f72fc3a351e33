import { startHttpServer } from '../../src/server/http-server.ts';
import type { HttpServerHandle, HttpServerOptions } from '../../src/server/http-server.ts';
import { createCannedPort, LIMIT_DEFAULTS } from './canned-port.ts';
import type { CannedPort } from './canned-port.ts';

export const ADDRESS = { host: '127.0.0.1', port: 0, path: '/mcp', allowedHosts: [], allowedOrigins: [] };

export interface HttpFixture {
  readonly server: HttpServerHandle;
  readonly port: CannedPort;
  /** Everything that was written to the log. */
  readonly logged: string[];
}

/** A real server on a free port of the loopback. */
export async function startFixture(options: Partial<HttpServerOptions> = {}): Promise<HttpFixture> {
  const port = createCannedPort();
  const logged: string[] = [];
  const write = (fields: object, message: string): void => void logged.push(`${message} ${String(Object.values(fields)[0])}`);
  const server = await startHttpServer({
    port,
    http: ADDRESS,
    serverInfo: { name: 'ampoule', version: '9.9.9' },
    limits: LIMIT_DEFAULTS,
    log: { info: write, warn: write, error: write },
    ...options,
  });
  return { server, port, logged };
}

/** Asks until it is so; fails after five seconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('It did not become so within five seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
