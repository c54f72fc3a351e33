import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { Authenticator } from '../access/authenticator.ts';
import { RPC_CODES, sendRpcError } from './json-rpc-error.ts';
import { sendJson } from './send-json.ts';

type OAuth = NonNullable<Authenticator['oauth']>;

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
/** Seconds for which a client may keep the document. */
const MAX_AGE = 300;

/** The paths of the document (RFC 9728, section 3.1): at the root, and with the endpoint's path behind it, ours and the public one. */
function metadataPaths({ resource }: OAuth, path: string): ReadonlySet<string> {
  const paths = [path, ...(resource === undefined ? [] : [new URL(resource).pathname])].filter((name) => name !== '/');
  return new Set([WELL_KNOWN, ...paths.map((name) => WELL_KNOWN + name)]);
}

/** Where clients find the document. */
export function metadataUrl(req: IncomingMessage, oauth: OAuth, path: string): string {
  const { origin, pathname } = new URL(resourceUrl(req, oauth, path));
  return `${origin}${WELL_KNOWN}${pathname === '/' ? '' : pathname}`;
}

/** Tells which issuer's tokens are good here (RFC 9728). It is open to everybody, and the same for everybody. */
export function resourceMetadata(oauth: OAuth, path: string): RequestHandler {
  const own = metadataPaths(oauth, path);
  return (req, res, next) => {
    if (!own.has(req.path)) return next();
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      return sendRpcError(res, 405, RPC_CODES.server, `Method ${req.method} is not allowed here`, { allow: 'GET, HEAD' });
    }
    const document = {
      resource: resourceUrl(req, oauth, path),
      authorization_servers: [oauth.issuer],
      scopes_supported: [...new Set([...oauth.requiredScopes, ...Object.keys(oauth.scopes)])],
      bearer_methods_supported: ['header'],
      resource_name: 'Ampoule',
    };
    return sendJson(res, 200, document, { 'cache-control': `max-age=${MAX_AGE}` });
  };
}

/** The endpoint as its clients know it: as the operator says, else by the Host that they named, which is one of ours. */
function resourceUrl({ headers }: IncomingMessage, { resource }: OAuth, path: string): string {
  return resource ?? new URL(`http://${headers.host}`).origin + path;
}
