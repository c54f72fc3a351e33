import type { FetchLike } from '@modelcontextprotocol/client';
import { extractWWWAuthenticateParams, LATEST_PROTOCOL_VERSION } from '@modelcontextprotocol/client';
import type { HttpServerConfig } from '../../config/schema.ts';
import { SandboxError } from '../../errors.ts';
import { failed } from './discover.ts';

/** What a server says about how to log in, when it is asked without a token. */
export interface Challenge {
  readonly resourceMetadataUrl?: URL | undefined;
  readonly scope?: string | undefined;
}

const TIMEOUT_MS = 10_000;
/** As OAuth has them; what else a server says here is not passed on. */
const SCOPES = /^[\u0021\u0023-\u005b\u005d-\u007e]+(?: [\u0021\u0023-\u005b\u005d-\u007e]+){0,99}$/;

/**
 * Asks the server without a token: for its tools first, as many servers let everybody say hello. One that answers something else
 * than 401 may still ask for tokens later, so that is no error.
 * @throws SandboxError ERR_UPSTREAM_LOGIN_FAILED when it cannot be reached, ERR_UPSTREAM_ADDRESS; the signal's reason
 */
export async function askServer(config: HttpServerConfig, fetch: FetchLike, given: AbortSignal): Promise<Challenge> {
  const { url, type, headers } = config;
  const signal = AbortSignal.any([given, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    for (const request of type === 'sse' ? [sseRequest(headers)] : [toolsRequest(headers), helloRequest(headers)]) {
      const response = await fetch(url, { ...request, signal });
      await response.body?.cancel();
      if (response.status !== 401) continue;
      const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response);
      return { resourceMetadataUrl, scope: scope !== undefined && SCOPES.test(scope) ? scope : undefined };
    }
    return {};
  } catch (cause) {
    given.throwIfAborted();
    if (cause instanceof SandboxError) throw cause;
    throw failed(`${new URL(url).origin} cannot be reached`, cause);
  }
}

function sseRequest(headers: Readonly<Record<string, string>>): RequestInit {
  return { method: 'GET', headers: { ...headers, accept: 'text/event-stream' } };
}

function toolsRequest(headers: Readonly<Record<string, string>>): RequestInit {
  return request(headers, 'tools/list', {});
}

function helloRequest(headers: Readonly<Record<string, string>>): RequestInit {
  const clientInfo = { name: 'ampoule', version: '1' };
  return request(headers, 'initialize', { protocolVersion: LATEST_PROTOCOL_VERSION, capabilities: {}, clientInfo });
}

function request(headers: Readonly<Record<string, string>>, method: string, params: object): RequestInit {
  return {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  };
}
