import type { RequestListener } from 'node:http';
import { toNodeHandler, type FetchLikeMcpHandler } from '@modelcontextprotocol/node';
import type { AuthInfo } from '@modelcontextprotocol/server';
import express from 'express';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import type { Authenticator } from '../access/authenticator.ts';
import type { DirectLane } from './direct-lane.ts';
import { demandIdentity } from './http-auth.ts';
import { guardHost, guardOrigin } from './http-guards.ts';
import type { Guard, HttpAddress } from './http-guards.ts';
import { refuseAmbiguous } from './http-wire.ts';
import { RPC_CODES, sendRpcError } from './json-rpc-error.ts';
import { boundListening } from './listen-bound.ts';
import { measureJson } from './measure-json.ts';
import type { OpenStreams } from './open-streams.ts';
import type { ReadPrincipal } from './request-principal.ts';
import { resourceMetadata } from './resource-metadata.ts';
import { sendJson } from './send-json.ts';
import type { ServerLimits, ServerLog } from './server-options.ts';

/** A message may be this many times deeper and larger than an input, which is only a part of it. */
const SLACK = 2;

export interface HttpAppOptions {
  /** Answers plain calls of the tool. */
  readonly direct: DirectLane;
  /** Answers everything else that MCP has. */
  readonly handler: FetchLikeMcpHandler;
  readonly http: HttpAddress;
  /** Absent where everybody may come. */
  readonly auth?: Authenticator | undefined;
  readonly streams: OpenStreams;
  readonly readPrincipal: ReadPrincipal;
  readonly version: string;
  readonly limits: ServerLimits;
  readonly maxBodyBytes: number;
  readonly log: ServerLog;
  readonly closing: AbortSignal;
}

/**
 * The HTTP surface: `GET /health`, MCP by POST on one path, and with OAuth the document that says whose tokens are good. Everything goes
 * through the Host and Origin checks, and all of MCP through authentication, where there is some.
 */
export function createHttpApp(options: HttpAppOptions): RequestListener {
  const { direct, handler, http, auth, streams, readPrincipal, maxBodyBytes, log } = options;
  const onerror = (error: Error): void => log.error({ err: error }, 'MCP request failed');
  const serve = toNodeHandler(handler, { onerror, maxRequestBodySize: maxBodyBytes });
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(refuseAmbiguous, guarded(guardHost(http)), guarded(guardOrigin(http)));
  app.get('/health', health(options));
  if (auth?.oauth) app.use(resourceMetadata(auth.oauth, http.path));
  app.all(
    http.path,
    refuseWhenClosing(options),
    ...(auth ? [demandIdentity({ auth, path: http.path, streams })] : []),
    postOnly,
    express.json({ limit: maxBodyBytes, inflate: false }),
    oneMessage,
    boundedMessage(options),
    ...(auth ? [boundListening((req) => readPrincipal(authOf(req)))] : []),
    (req, res, next) => (isObject(req.body) && direct.serve(req, res, req.body, readPrincipal(authOf(req))) ? undefined : next()),
    (req, res) => serve(req, res, req.body),
  );
  app.use((_req, res) => sendRpcError(res, 404, RPC_CODES.server, `Nothing is here. The MCP endpoint is POST ${http.path}`));
  app.use(failed(options));
  return app;
}

function authOf(req: Request): AuthInfo | undefined {
  return (req as Request & { auth?: AuthInfo }).auth;
}

function isObject(body: unknown): body is object {
  return typeof body === 'object' && body !== null;
}

function guarded(guard: Guard): RequestHandler {
  return (req, res, next) => {
    const refusal = guard(req);
    if (refusal === undefined) return next();
    sendRpcError(res, 403, RPC_CODES.server, refusal);
  };
}

function health({ version, closing }: HttpAppOptions): RequestHandler {
  return (_req, res) => sendJson(res, closing.aborted ? 503 : 200, { status: closing.aborted ? 'closing' : 'ok', version });
}

function refuseWhenClosing({ closing }: HttpAppOptions): RequestHandler {
  return (_req, res, next) => {
    if (!closing.aborted) return next();
    sendRpcError(res, 503, RPC_CODES.server, 'ERR_SERVER_CLOSING: the server is shutting down', { connection: 'close' });
  };
}

const postOnly: RequestHandler = (req, res, next) => {
  if (req.method === 'POST') return next();
  sendRpcError(res, 405, RPC_CODES.server, `Method ${req.method} is not allowed here; send JSON-RPC by POST`, { allow: 'POST' });
};

const oneMessage: RequestHandler = (req, res, next) => {
  if (!Array.isArray(req.body)) return next();
  sendRpcError(res, 400, RPC_CODES.invalidRequest, 'Batches are not supported: send one JSON-RPC message for each POST');
};

/**
 * The SDK walks messages recursively, so one that is far deeper than any input may be never reaches it. What is only a
 * little over the limits does, and is answered with a code by the tool.
 */
function boundedMessage({ limits }: HttpAppOptions): RequestHandler {
  const maxDepth = limits.maxJsonDepth * SLACK;
  const maxNodes = limits.maxJsonNodes * SLACK;
  return (req, res, next) => {
    const { depth, nodes } = measureJson(req.body, maxDepth, maxNodes);
    if (depth <= maxDepth && nodes <= maxNodes) return next();
    sendRpcError(res, 400, RPC_CODES.invalidRequest, 'ERR_SERVER_INPUT: the message is nested too deeply or has too many values');
  };
}

/** What express and its body parser throw; `type` names the parser's reasons. */
interface HttpError extends Error {
  readonly status?: number;
  readonly type?: string;
}

function failed({ maxBodyBytes, log }: HttpAppOptions): ErrorRequestHandler {
  return (error: HttpError, _req, res, next) => {
    if (res.headersSent) return next(error);
    const { status = 500, type } = error;
    if (type === 'entity.too.large') {
      // What is still coming in is not read, so the connection cannot be used again.
      const message = `The request body is over the limit of ${maxBodyBytes} bytes`;
      return sendRpcError(res, 413, RPC_CODES.invalidRequest, message, { connection: 'close' });
    }
    if (type === 'entity.parse.failed') return sendRpcError(res, 400, RPC_CODES.parse, 'Parse error: the request body is not valid JSON');
    if (status >= 400 && status < 500) return sendRpcError(res, status, RPC_CODES.invalidRequest, 'The request cannot be read');
    log.error({ err: error }, 'HTTP request failed');
    return sendRpcError(res, 500, RPC_CODES.internal, 'Internal error');
  };
}
