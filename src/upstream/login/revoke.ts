import type { FetchLike } from '@modelcontextprotocol/client';
import { selectClientAuthMethod } from '@modelcontextprotocol/client';
import type { HttpServerConfig } from '../../config/schema.ts';
import type { Login } from './record.ts';
import { belongs, clientOf } from './tokens.ts';

/**
 * Tells the authorization server that the tokens of a login are not wanted any more (RFC 7009): the refresh token first, which ends
 * the other one too. Never throws: false when it has no such endpoint or did not take it.
 */
export async function revoke(login: Login, config: HttpServerConfig, fetch: FetchLike): Promise<boolean> {
  const { revocationEndpoint, refreshToken, accessToken, ended } = login;
  if (revocationEndpoint === undefined || ended !== undefined) return false;
  try {
    const hint = refreshToken === undefined ? 'access_token' : 'refresh_token';
    const body = new URLSearchParams({ token: refreshToken ?? accessToken, token_type_hint: hint });
    const headers = new Headers({ 'content-type': 'application/x-www-form-urlencoded' });
    authenticate(login, config, { body, headers });
    const response = await fetch(revocationEndpoint, { method: 'POST', headers, body });
    return response.ok;
  } catch {
    return false;
  }
}

/** As the token endpoint takes it, which is the default of RFC 8414 for this one. */
function authenticate(login: Login, config: HttpServerConfig, { body, headers }: { body: URLSearchParams; headers: Headers }): void {
  // The configured secret is for the issuer in the config, and the login may be at the one before.
  const client = clientOf(login, belongs(login, config) ? config : {});
  const { client_id: id, client_secret: secret } = client;
  const method = selectClientAuthMethod(client, login.authMethods ?? []);
  if (method === 'client_secret_basic' && secret !== undefined) {
    headers.set('authorization', `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`);
    return;
  }
  body.set('client_id', id);
  if (method === 'client_secret_post' && secret !== undefined) body.set('client_secret', secret);
}
