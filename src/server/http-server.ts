import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { SandboxError } from '../errors.ts';
import { createCancelBook } from './cancel-book.ts';
import { createChangeNotices } from './change-notices.ts';
import { describeTool } from './describe.ts';
import { createDirectLane } from './direct-lane.ts';
import { createHttpApp } from './http-app.ts';
import type { HttpAddress } from './http-guards.ts';
import { createLegacyLane } from './legacy-lane.ts';
import { LogLevels } from './log-levels.ts';
import { createMcpServer } from './mcp-server.ts';
import { ParkedRuns } from './parked-runs.ts';
import { closingError, createRunTracker } from './run-tracker.ts';
import { messageBytes } from './server-options.ts';
import type { ServerOptions } from './server-options.ts';

/** Closing: so long for runs to end by themselves, then so long for their answers to leave. Together under 5 s. */
const RUNS_GRACE_MS = 4_000;
const ANSWERS_GRACE_MS = 500;
const POLL_MS = 10;

export interface HttpServerOptions extends ServerOptions {
  readonly http: HttpAddress;
  /** Closes the server when it fires. */
  readonly signal?: AbortSignal;
}

export interface HttpServerHandle {
  /** Of the MCP endpoint, with the port that was really taken. */
  readonly url: string;
  /** Tells clients that listen that tools and wrappers may have changed, at a bounded rate. */
  toolsChanged(): void;
  /** Takes no more requests, cancels runs, and ends within 5 s. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Serves MCP over HTTP: both protocol eras on one path.
 * @throws SandboxError ERR_SERVER_LISTEN when the address cannot be had.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServerHandle> {
  const { http, log } = options;
  const closing = new AbortController();
  const runs = createRunTracker();
  const levels = new LogLevels();
  const parked = new ParkedRuns();
  const maxBodyBytes = messageBytes(options);
  const handler = createMcpHandler(
    ({ era }) => createMcpServer({ ...options, runs, levels, parked, closing: closing.signal, listChanged: era === 'modern' }).server,
    { maxRequestBodySize: maxBodyBytes, onerror: (error) => log.warn({ err: error }, 'MCP request refused') },
  );
  const book = createCancelBook();
  const direct = createDirectLane({ ...options, runs, levels, parked, closing: closing.signal, book });
  const lane = { fetch: createLegacyLane(handler.fetch, book) };
  const { version } = options.serverInfo;
  const app = createHttpApp({ direct, handler: lane, http, version, limits: options.limits, maxBodyBytes, log, closing: closing.signal });
  // Answers are small and complete: to wait for more to send with them only makes them late.
  const server = createServer({ noDelay: true }, app);
  const port = await listen(server, http);
  let described = describeTool(options.port.description());
  const notices = createChangeNotices(() => {
    const now = describeTool(options.port.description());
    if (now !== described) handler.notify.toolsChanged();
    described = now;
    handler.notify.resourcesChanged();
  });
  const close = once(async () => {
    notices.end();
    closing.abort(closingError());
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await runs.idle(RUNS_GRACE_MS);
    await drain(server, closed);
    book.cancelAll();
    await handler.close();
    server.closeAllConnections();
    await closed;
  });
  options.signal?.addEventListener('abort', () => void close(), { once: true });
  const host = http.host.includes(':') ? `[${http.host}]` : http.host;
  return { url: `http://${host}:${port}${http.path}`, toolsChanged: () => notices.changed(), close };
}

function listen(server: Server, { host, port }: HttpAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(host, port, cause)));
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function listenError(host: string, port: number, cause: NodeJS.ErrnoException): SandboxError {
  const reasons = new Map([
    [
      'EADDRINUSE',
      [
        'is in use by another program',
        'Stop that program, or choose another port: http.port in the config, or --http HOST:PORT (port 0 takes a free one).',
      ],
    ],
    ['EACCES', ['may not be used without more rights', 'Choose a port of 1024 or more with http.port or --http HOST:PORT.']],
    ['EADDRNOTAVAIL', ['is not an address of this machine', 'Set http.host to 127.0.0.1, or to an address that this machine has.']],
    ['ENOTFOUND', ['is a host name that does not resolve', 'Set http.host to 127.0.0.1, or to an address that this machine has.']],
  ]);
  const [reason = 'cannot be listened on', hint = 'Choose another address with http.host and http.port.'] =
    reasons.get(cause.code ?? '') ?? [];
  return new SandboxError('ERR_SERVER_LISTEN', `The address ${host}:${port} ${reason}.`, { hint, cause });
}

/** Waits for the last answers to leave, and closes each connection as soon as it has nothing more to say. */
async function drain(server: Server, closed: Promise<void>): Promise<void> {
  const timer = setInterval(() => server.closeIdleConnections(), POLL_MS);
  await Promise.race([closed, delay(ANSWERS_GRACE_MS)]);
  clearInterval(timer);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
