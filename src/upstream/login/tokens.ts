import type { AuthorizationServerMetadata, FetchLike, OAuthTokens } from '@modelcontextprotocol/client';
import { ClientCredentialsProvider, fetchToken, OAuthError, refreshAuthorization } from '@modelcontextprotocol/client';
import type { HttpServerConfig } from '../../config/schema.ts';
import { SandboxError } from '../../errors.ts';
import type { AuthorizationPlace } from './discover.ts';
import { failed, isSameIssuer } from './discover.ts';
import { loginSchema, type Login } from './record.ts';

/** Lifetimes outside of these, in seconds, count as the nearest: a server that says "a millisecond" does not make us renew for each call. */
const LIFETIME_S = { least: 5, most: 10 * 365 * 24 * 3_600 };
/** What an authorization server may say, from RFC 6749, 6750, 7591 and 8707: nothing else of an answer is shown. */
const KNOWN_ERRORS = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
  'unsupported_response_type',
  'login_required',
  'consent_required',
  'interaction_required',
  'insufficient_scope',
  'too_many_requests',
  'slow_down',
]);
/** What ends a login for good, and what also does unless the operator can mend it in the config. */
const ENDS_GRANT: readonly string[] = ['invalid_grant'];
const ENDS_CLIENT: readonly string[] = [...ENDS_GRANT, 'invalid_client', 'unauthorized_client'];

type Client = Pick<Login, 'clientId' | 'clientSecret' | 'clientAuthMethod'>;
type TokenFields = Pick<Login, 'accessToken' | 'refreshToken' | 'scope' | 'obtainedAt' | 'expiresAt'>;

/** The tokens of an answer, as they are kept. @throws SandboxError ERR_UPSTREAM_LOGIN_FAILED when they are not ones that we can use */
export function tokenFields(tokens: OAuthTokens, now: number): TokenFields {
  if (tokens.token_type.toLowerCase() !== 'bearer') throw failed('the authorization server gave tokens of a type other than Bearer');
  const { access_token: accessToken, refresh_token: refreshToken, scope, expires_in: seconds } = tokens;
  const lives = seconds !== undefined && Number.isFinite(seconds) && seconds > 0;
  return {
    accessToken,
    ...(refreshToken !== undefined && refreshToken !== '' && { refreshToken }),
    ...(scope !== undefined && { scope }),
    obtainedAt: now,
    ...(lives && { expiresAt: now + Math.min(Math.max(seconds, LIFETIME_S.least), LIFETIME_S.most) * 1_000 }),
  };
}

/** A login of new tokens. @throws SandboxError ERR_UPSTREAM_LOGIN_FAILED when they are not of a form that can be kept and sent */
export function newLogin(
  url: string,
  place: Omit<AuthorizationPlace, 'scopes'>,
  client: Client,
  tokens: OAuthTokens,
  now = Date.now(),
): Login {
  const { metadata, issuer, resource } = place;
  const authMethods = metadata.token_endpoint_auth_methods_supported;
  const revocationEndpoint = 'revocation_endpoint' in metadata ? metadata.revocation_endpoint : undefined;
  return checked({
    url,
    issuer,
    resource,
    tokenEndpoint: metadata.token_endpoint,
    ...(typeof revocationEndpoint === 'string' && { revocationEndpoint }),
    ...(authMethods !== undefined && { authMethods }),
    ...client,
    ...tokenFields(tokens, now),
  });
}

function checked(login: Login): Login {
  const result = loginSchema.safeParse(login);
  // Without the cause: it names values.
  if (!result.success) throw failed('the authorization server gave tokens that are too long or have characters that no token has');
  return result.data;
}

/** Whether a stored login is for this server as it is configured now. */
export function belongs(login: Login, { url, oauth }: HttpServerConfig): boolean {
  if (login.url !== new URL(url).href) return false;
  if (oauth?.issuer !== undefined && !isSameIssuer(oauth.issuer, login.issuer)) return false;
  // The URL of a client metadata document may have given way to a registration.
  return oauth?.clientId === undefined || oauth.clientId.startsWith('https://') || login.clientId === oauth.clientId;
}

/** The same login with new tokens. @throws SandboxError ERR_UPSTREAM_LOGIN when it is over for good, ERR_UPSTREAM_LOGIN_FAILED when it may work later */
export async function refreshed(login: Login, config: HttpServerConfig, fetch: FetchLike): Promise<Login> {
  const { refreshToken, resource, scope } = login;
  if (refreshToken === undefined) throw new SandboxError('ERR_UPSTREAM_LOGIN', 'the access token is over and there is no refresh token');
  const ends = config.oauth?.clientSecret === undefined ? ENDS_CLIENT : ENDS_GRANT;
  const request = { clientInformation: clientOf(login, config), refreshToken, ...(resource !== undefined && { resource }), fetchFn: fetch };
  const tokens = await tokenStep(() => refreshAuthorization(login.issuer, { metadata: metadataOf(login), ...request }), ends);
  const { refreshToken: _old, expiresAt: _end, ...kept } = login;
  return checked({ ...kept, ...(scope !== undefined && { scope }), ...tokenFields(tokens, Date.now()) });
}

/** Tokens without a person. @throws as {@link refreshed} */
export async function clientCredentials(config: HttpServerConfig, place: AuthorizationPlace, fetch: FetchLike): Promise<Login> {
  const { clientId = '', clientSecret = '', scopes } = config.oauth ?? {};
  const scope = (scopes ?? place.scopes)?.join(' ');
  const provider = new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer: place.issuer, ...(scope && { scope }) });
  const tokens = await tokenStep(() =>
    fetchToken(provider, place.issuer, { metadata: place.metadata, resource: place.resource, ...(scope && { scope }), fetchFn: fetch }),
  );
  // Whoever has the client's secret needs no refresh token.
  const { refresh_token: _unused, ...rest } = tokens;
  return newLogin(new URL(config.url).href, place, { clientId }, rest);
}

/** A request to a token endpoint, with an error of ours for what it answers: ERR_UPSTREAM_LOGIN for those that end a login. */
export async function tokenStep<T>(work: () => Promise<T>, ends: readonly string[] = []): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SandboxError) throw cause;
    // Nothing of the cause is kept: it has the body of the answer in it, and that may have tokens.
    if (!(cause instanceof OAuthError)) throw failed(`the token endpoint did not give tokens (${kindOf(cause)})`);
    const message = `the authorization server said ${shownErrorCode(cause.code)}`;
    throw ends.includes(cause.code) ? new SandboxError('ERR_UPSTREAM_LOGIN', message) : failed(message);
  }
}

/** An error code of an authorization server, as it may be shown. */
export function shownErrorCode(code: string): string {
  return KNOWN_ERRORS.has(code) ? code : 'an error that is not of the standard';
}

export function clientOf(
  login: Client,
  { oauth }: Pick<HttpServerConfig, 'oauth'>,
): {
  client_id: string;
  client_secret?: string;
  token_endpoint_auth_method?: string;
} {
  const secret = oauth?.clientSecret ?? login.clientSecret;
  return {
    client_id: login.clientId,
    ...(secret !== undefined && { client_secret: secret }),
    ...(login.clientAuthMethod !== undefined && { token_endpoint_auth_method: login.clientAuthMethod }),
  };
}

/** As much of the metadata as a token endpoint needs, as it was when the login was made. */
export function metadataOf({ issuer, tokenEndpoint, authMethods }: Login): AuthorizationServerMetadata {
  return {
    issuer,
    token_endpoint: tokenEndpoint,
    authorization_endpoint: tokenEndpoint,
    response_types_supported: ['code'],
    ...(authMethods !== undefined && { token_endpoint_auth_methods_supported: authMethods }),
  };
}

function kindOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  const inner: unknown = cause.cause instanceof Error && 'code' in cause.cause ? cause.cause.code : undefined;
  if (typeof inner === 'string' && /^[A-Z_]{3,40}$/.test(inner)) return inner;
  return cause.name === 'ZodError' || cause.name === 'SyntaxError' ? 'an answer of another form' : cause.name.slice(0, 40);
}
