import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { RPC_CODES, sendRpcError } from './json-rpc-error.ts';

/** A request has to have its headers in so long, and be there whole in so long, in milliseconds: slow ones must not collect. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
const CHECK_MS = 5_000;
/** Open connections. Each run holds one, and a queue of them may wait. */
const MAX_CONNECTIONS = 10_000;
/** The part of the process's descriptors that connections may take. The rest is for files, processes and upstream servers. */
const DESCRIPTORS_SHARE = 0.5;
/** A client that reads nothing of an answer for so long is gone, in milliseconds: what it does not read stays in memory. */
const STALLED_MS = 60_000;
const UTF_8 = /^utf-?8$/i;
/** Headers of which two are two opinions about one thing, with which a proxy in front could agree differently. */
const SINGLE = ['host', 'origin', 'content-type', 'mcp-session-id', 'mcp-protocol-version', 'mcp-method', 'mcp-name'];

/** What `createServer` is given: RFC 9112's bounds that Node leaves wide. */
export const WIRE_OPTIONS = {
  // Answers are small and complete: to wait for more to send with them only makes them late.
  noDelay: true,
  headersTimeout: HEADERS_MS,
  requestTimeout: REQUEST_MS,
  connectionsCheckingInterval: CHECK_MS,
} as const;

/** Bounds connections, ends those that nobody reads from or uses again, and has no header dropped unseen: their bytes are bounded already. */
export function boundConnections(server: Server, stalledMs = STALLED_MS): void {
  server.maxHeadersCount = 0;
  server.maxConnections = Math.min(MAX_CONNECTIONS, Math.floor(maxDescriptors() * DESCRIPTORS_SHARE));
  server.on('request', ({ socket }, res) => {
    // Not where nothing waits to be read: the run that the client waits for may take its time.
    res.setTimeout(stalledMs, () => socket.writableLength > 0 && socket.destroy());
    // Streams of events say "keep-alive" of themselves, also to a client that waits for the end of the connection.
    if (!res.shouldKeepAlive) res.once('finish', () => socket.end());
  });
}

/** Requests that one connection may have under way. Each piece that is read could hold hundreds, all of which would begin at once. */
const MAX_IN_A_ROW = 16;

/** Ends connections that send request after request without waiting for an answer, before those are looked at. */
export function boundInARow(listener: RequestListener): RequestListener {
  const open = new WeakMap<Socket, number>();
  return (req, res) => {
    const { socket } = req;
    const count = (open.get(socket) ?? 0) + 1;
    if (count > MAX_IN_A_ROW) return void socket.destroy();
    open.set(socket, count);
    res.once('close', () => open.set(socket, (open.get(socket) ?? 1) - 1));
    return listener(req, res);
  };
}

/** How many files and connections this process may have open (`ulimit -n`). */
function maxDescriptors(): number {
  // Node's declarations do not have the switch yet.
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  const wasExcluded = report.excludeNetwork;
  // It would look up the names of all that is connected.
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  report.excludeNetwork = wasExcluded;
  const soft = userLimits?.open_files?.soft;
  return typeof soft === 'number' ? soft : Infinity;
}

/**
 * Refuses with 400 what HTTP/1.1 lets two readers understand differently: no version, a target that names a host of its own, a header
 * twice that there can be one of; and with 415 text that is not UTF-8, as RFC 8259 (section 8.1) has JSON.
 */
export const refuseAmbiguous: RequestHandler = (req, res, next) => {
  const { httpVersion, url, headersDistinct } = req;
  const twice = SINGLE.find((name) => (headersDistinct[name]?.length ?? 0) > 1);
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return refuse('The request names no version of HTTP that is known here');
  if (!url.startsWith('/') && url !== '*') return refuse('The target of the request has to be a path');
  if (twice !== undefined) return refuse(`The header ${twice} stands there more than once`);
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(req.headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !UTF_8.test(charset)) {
    return sendRpcError(res, 415, RPC_CODES.invalidRequest, `JSON has to be UTF-8, not ${charset.slice(0, 32)}`, { connection: 'close' });
  }
  return next();

  function refuse(message: string): void {
    // What else stands on this connection cannot be trusted to be what its sender means.
    sendRpcError(res, 400, RPC_CODES.invalidRequest, message, { connection: 'close' });
  }
};
