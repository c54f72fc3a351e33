import { localhostAllowedHostnames, localhostAllowedOrigins, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import type { RequestHandler } from 'express';
import { RPC_CODES, sendRpcError } from './json-rpc-error.ts';

/** Where the endpoint listens and whom it answers. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Host names besides localhost and `host`. */
  readonly allowedHosts: readonly string[];
  /** Origins such as `https://app.example.com`, besides pages on localhost. */
  readonly allowedOrigins: readonly string[];
}

const WILDCARDS = new Set(['0.0.0.0', '::', '']);

/** Refuses requests whose Host is not ours: a web page that points its own name at this machine (DNS rebinding). */
export function guardHost({ host, allowedHosts }: HttpAddress): RequestHandler {
  const own = WILDCARDS.has(host) ? [] : [host.includes(':') ? `[${host}]` : host];
  const allowed = [...localhostAllowedHostnames(), ...own, ...allowedHosts.map(withoutPort)].map((name) => name.toLowerCase());
  return (req, res, next) => {
    const result = validateHostHeader(req.headers.host, allowed);
    if (result.ok) return next();
    sendRpcError(res, 403, RPC_CODES.server, `${result.message}. The operator allows further names with http.allowedHosts.`);
  };
}

/** Refuses requests that a web page of a foreign origin makes. Clients that are no browsers send no Origin. */
export function guardOrigin({ allowedOrigins }: HttpAddress): RequestHandler {
  const exact = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
  return (req, res, next) => {
    const { origin } = req.headers;
    if (origin !== undefined && exact.has(origin.toLowerCase())) return next();
    const result = validateOriginHeader(origin, localhostAllowedOrigins());
    if (result.ok) return next();
    sendRpcError(res, 403, RPC_CODES.server, `${result.message}. The operator allows further origins with http.allowedOrigins.`);
  };
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '');
}
