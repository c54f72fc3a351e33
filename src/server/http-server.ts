import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { Authenticator } from '../access/authenticator.ts';
import { SandboxError } from '../errors.ts';
import { isLoopbackAddress } from '../loopback.ts';
import { createCancelBook } from './cancel-book.ts';
import { createChangeNotices } from './change-notices.ts';
import { describeTool } from './describe.ts';
import { createDirectLane } from './direct-lane.ts';
import { createHttpApp } from './http-app.ts';
import type { HttpAddress } from './http-guards.ts';
import { boundConnections, boundInARow, WIRE_OPTIONS } from './http-wire.ts';
import { createLastCall } from './last-call.ts';
import { createLegacyLane } from './legacy-lane.ts';
import { LogLevels } from './log-levels.ts';
import { accessRequired, demandLoopback } from './loopback-only.ts';
import { createMcpServer } from './mcp-server.ts';
import { createParking } from './create-parking.ts';
import { createOpenStreams } from './open-streams.ts';
import { principalReader } from './request-principal.ts';
import { closingError, createRunTracker } from './run-tracker.ts';
import { messageBytes } from './server-options.ts';
import type { ServerOptions } from './server-options.ts';
import { boundUnreadAnswers } from './unread-answers.ts';

/** Closing: so long for runs to end by themselves, then so long for their answers to leave. Together under 5 s. */
const RUNS_GRACE_MS = 4_000;
const ANSWERS_GRACE_MS = 500;
const POLL_MS = 10;
const HOST_FIELD = 'http.host';

export interface HttpServerOptions extends ServerOptions {
  readonly http: HttpAddress;
  /** Tells who requests come from. Without it only this machine may come, and everybody on it is `local`. */
  readonly auth?: Authenticator | undefined;
  /** What the host stands in, as the operator knows it. Default: `http.host`. */
  readonly hostField?: string;
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
 * @throws SandboxError ERR_SERVER_LISTEN when the address cannot be had; ERR_ACCESS_REQUIRED when others reach it and there is no
 * authentication.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServerHandle> {
  const { http, auth, log } = options;
  if (auth === undefined) await demandLoopback(http.host, options.hostField ?? HOST_FIELD);
  const closing = new AbortController();
  const runs = createRunTracker();
  const levels = new LogLevels();
  const parked = createParking(options.port, closing.signal);
  const readPrincipal = principalReader(auth !== undefined);
  const maxBodyBytes = messageBytes(options);
  const handler = createMcpHandler(
    ({ era, authInfo }) => {
      const principal = readPrincipal(authInfo);
      return createMcpServer({ ...options, runs, levels, parked, closing: closing.signal, listChanged: era === 'modern', principal })
        .server;
    },
    { maxRequestBodySize: maxBodyBytes, onerror: (error) => log.warn({ err: error }, 'MCP request refused') },
  );
  const book = createCancelBook();
  const streams = createOpenStreams([book, parked]);
  const direct = createDirectLane({ ...options, runs, levels, parked, closing: closing.signal, book });
  const lane = { fetch: createLegacyLane(handler.fetch, book, readPrincipal) };
  const { version } = options.serverInfo;
  const { limits } = options;
  const surface = { direct, handler: lane, http, auth, streams, readPrincipal };
  const app = createHttpApp({ ...surface, version, limits, maxBodyBytes, log, closing: closing.signal });
  const server = createServer(WIRE_OPTIONS, boundInARow(app));
  boundConnections(server);
  boundUnreadAnswers(server);
  const lastCall = createLastCall(server);
  const port = await listen(server, options);
  let described = describeTool(options.port.description());
  const notices = createChangeNotices(() => {
    const now = describeTool(options.port.description());
    if (now !== described) handler.notify.toolsChanged();
    described = now;
    handler.notify.resourcesChanged();
  });
  const close = once(async () => {
    notices.end();
    streams.end();
    closing.abort(closingError());
    await lastCall();
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

function listen(server: Server, { http: { host, port }, auth, hostField = HOST_FIELD }: HttpServerOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(host, port, cause)));
    server.listen(port, host, () => {
      const bound = server.address();
      if (typeof bound !== 'object' || bound === null) return resolve(port);
      // A name may have got another address since it was looked up.
      if (auth !== undefined || isLoopbackAddress(bound.address)) return resolve(bound.port);
      server.close();
      return reject(accessRequired(host, hostField));
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
