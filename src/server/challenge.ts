import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../access/authenticator.ts';
import type { Refusal } from '../access/refusal.ts';
import { RPC_CODES, sendRpcError } from './json-rpc-error.ts';
import { metadataUrl } from './resource-metadata.ts';

/** Larger bodies of requests that do not get in are not waited for. */
const MAX_UNREAD_BYTES = 64 * 1024;

/** Answers a request that does not get in: the JSON-RPC error has our code, the header what OAuth clients act on (RFC 6750, RFC 9728). */
export function sendRefusal(
  req: IncomingMessage,
  res: ServerResponse,
  refusal: Refusal,
  { oauth, path }: { readonly oauth: Authenticator['oauth']; readonly path: string },
): void {
  const { status, code, message, retryAfterSeconds } = refusal;
  const length = req.headers['transfer-encoding'] === undefined ? Number(req.headers['content-length'] ?? 0) : Infinity;
  const isChallenge = status === 400 || status === 401 || status === 403;
  sendRpcError(res, status, RPC_CODES.server, `${code}: ${message}`, {
    'cache-control': 'no-store',
    // What nobody will read does not have to come.
    ...(length > MAX_UNREAD_BYTES && { connection: 'close' }),
    ...(isChallenge && { 'www-authenticate': challenge(req, refusal, oauth, path) }),
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  });
}

function challenge(req: IncomingMessage, { error, message, scopes }: Refusal, oauth: Authenticator['oauth'], path: string): string {
  const needed = scopes ?? (oauth && firstScopes(oauth));
  const parameters = [
    ['realm', 'ampoule'],
    ['error', error],
    ['error_description', error && message],
    ['scope', needed?.join(' ')],
    ['resource_metadata', oauth && metadataUrl(req, oauth, path)],
  ];
  const written = parameters.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}="${value}"`);
  return `Bearer ${written.join(', ')}`;
}

/** What a client without a token should ask for: what every token needs, else everything that means something here. */
function firstScopes({ requiredScopes, scopes }: NonNullable<Authenticator['oauth']>): readonly string[] {
  return requiredScopes.length > 0 ? requiredScopes : Object.keys(scopes);
}
