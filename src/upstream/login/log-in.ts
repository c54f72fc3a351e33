import type { AuthorizationServerMetadata, FetchLike, OAuthTokens } from '@modelcontextprotocol/client';
import {
  computeScopeUnion,
  exchangeAuthorization,
  isHttpsUrl,
  RegistrationRejectedError,
  registerClient,
  startAuthorization,
  validateAuthorizationResponseIssuer,
} from '@modelcontextprotocol/client';
import type { HttpServerConfig } from '../../config/schema.ts';
import { SandboxError } from '../../errors.ts';
import { abortable } from '../abortable.ts';
import { parseAddress, unbracketed } from '../address.ts';
import { createNetworkRules, isLoopbackHost, portOf } from '../network-rules.ts';
import { isState, listenForCallback, newState, parametersOfPasted } from './callback.ts';
import { askServer } from './challenge.ts';
import { discoverPlace, failed, isSameIssuer, step, type AuthorizationPlace } from './discover.ts';
import { requireSecure } from './oauth-fetch.ts';
import type { Login } from './record.ts';
import { clientOf, newLogin, shownErrorCode, tokenStep } from './tokens.ts';

export interface LogInOptions {
  readonly server: string;
  readonly config: HttpServerConfig;
  /** The login that is to be replaced. */
  readonly before: Login | undefined;
  /** Scopes to ask for, beside those of the login before, in the place of the config's and the server's. */
  readonly scopes?: readonly string[] | undefined;
  /** Of {@link createOAuthFetch}. */
  readonly oauthFetch: FetchLike;
  /** For the server itself. */
  readonly serverFetch: FetchLike;
  /** Has the person go to this URL. A redirect that the person brings back by hand resolves; else it may never. */
  readonly show: (url: URL, redirectUrl: string, signal: AbortSignal) => Promise<string | undefined>;
  /** How long the person may take, in milliseconds. */
  readonly timeoutMs: number;
}

type Client = Pick<Login, 'clientId' | 'clientSecret' | 'clientAuthMethod'>;

/**
 * Logs a person in at an upstream server: OAuth 2.1 authorization code with PKCE (S256). The issuer is compared with where its
 * metadata was found, with the login before, and with the `iss` of the answer (RFC 9207).
 * @throws SandboxError ERR_UPSTREAM_LOGIN_FAILED, ERR_UPSTREAM_ADDRESS; the signal's reason
 */
export async function logIn(options: LogInOptions, signal: AbortSignal): Promise<Login> {
  const { server, config, before, oauthFetch } = options;
  const url = new URL(config.url);
  requireSecure(url);
  const asked = await askServer(config, options.serverFetch, signal);
  const { resourceMetadataUrl } = asked;
  const place = await discoverPlace({ serverUrl: config.url, issuer: config.oauth?.issuer, resourceMetadataUrl, fetch: oauthFetch });
  if (before !== undefined && before.url === url.href && !isSameIssuer(before.issuer, place.issuer)) {
    throw failed(
      `the server now names ${place.issuer} as its authorization server, and the login before was at ${before.issuer}: if that is right, run "ampoule logout ${server}" first`,
    );
  }
  requirePkce(place.metadata);
  const scope = chooseScope(options, place, asked.scope);
  const state = newState();
  await using callback = await listenForCallback({
    port: config.oauth?.redirectPort ?? 0,
    fixedPath: config.oauth?.clientId !== undefined,
    state,
  });
  const client = await chooseClient(config, place, { redirectUrl: callback.redirectUrl, scope, fetch: oauthFetch });
  const request = { place, client, scope, state, redirectUrl: callback.redirectUrl };
  const tokens = await authorize({ ...options, ...request, answered: callback.answered }, signal);
  return newLogin(url.href, place, client, scope === undefined || tokens.scope !== undefined ? tokens : { ...tokens, scope });
}

/** A server that does not say so may take a code without its verifier: then the code alone would be enough for a thief. */
function requirePkce({ code_challenge_methods_supported: methods }: AuthorizationServerMetadata): void {
  if (methods?.includes('S256') === true) return;
  throw failed('the authorization server does not say that it supports PKCE with S256, which keeps codes from thieves');
}

/** As the MCP specification has it, and a refresh token where one can be had. */
function chooseScope({ scopes, config, before }: LogInOptions, place: AuthorizationPlace, asked: string | undefined): string | undefined {
  // Whoever asks for one more does not want to lose the others.
  if (scopes !== undefined) return computeScopeUnion(before?.scope, scopes.join(' '));
  const explicit = config.oauth?.scopes;
  if (explicit !== undefined) return explicit.length === 0 ? undefined : explicit.join(' ');
  const wanted = asked ?? place.scopes?.join(' ');
  const offline = place.metadata.scopes_supported?.includes('offline_access') === true;
  if (!wanted || !offline || wanted.split(' ').includes('offline_access')) return wanted || undefined;
  return `${wanted} offline_access`;
}

interface ClientRequest {
  readonly redirectUrl: string;
  readonly scope: string | undefined;
  readonly fetch: FetchLike;
}

/** The configured client, or one that is registered now. A client id that is a URL needs a server that reads such documents. */
async function chooseClient(config: HttpServerConfig, { metadata, issuer }: AuthorizationPlace, request: ClientRequest): Promise<Client> {
  const { clientId } = config.oauth ?? {};
  const readsDocuments = 'client_id_metadata_document_supported' in metadata && metadata.client_id_metadata_document_supported === true;
  if (clientId !== undefined && (!isHttpsUrl(clientId) || readsDocuments || metadata.registration_endpoint === undefined)) {
    return { clientId };
  }
  if (metadata.registration_endpoint === undefined) {
    throw failed('the authorization server does not register clients by itself: register one with it and set oauth.clientId');
  }
  const clientMetadata = {
    client_name: 'Ampoule',
    redirect_uris: [request.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: 'native',
    token_endpoint_auth_method: authMethod(metadata),
  };
  const scope = request.scope === undefined ? {} : { scope: request.scope };
  const registered = await registration(() => registerClient(issuer, { metadata, clientMetadata, ...scope, fetchFn: request.fetch }));
  const { client_id: id, client_secret: secret, token_endpoint_auth_method: method } = registered;
  return { clientId: id, ...(secret !== undefined && { clientSecret: secret }), ...(method !== undefined && { clientAuthMethod: method }) };
}

async function registration<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await step('the registration of a client', work);
  } catch (error) {
    const rejected = error instanceof SandboxError && error.cause instanceof RegistrationRejectedError ? error.cause : undefined;
    // Without the cause, which has the body of the answer.
    throw rejected === undefined
      ? error
      : failed(`the authorization server does not register Ampoule as a client (HTTP ${rejected.status})`);
  }
}

/** A client on a person's machine keeps no secret, where the server lets it. */
function authMethod({ token_endpoint_auth_methods_supported: methods = [] }: AuthorizationServerMetadata): string {
  if (methods.length === 0 || methods.includes('none')) return 'none';
  return ['client_secret_basic', 'client_secret_post'].find((method) => methods.includes(method)) ?? 'none';
}

interface AuthorizeOptions extends LogInOptions {
  readonly place: AuthorizationPlace;
  readonly client: Client;
  readonly scope: string | undefined;
  readonly state: string;
  readonly redirectUrl: string;
  readonly answered: Promise<URLSearchParams>;
}

async function authorize(options: AuthorizeOptions, signal: AbortSignal): Promise<OAuthTokens> {
  const { place, client, scope, state, redirectUrl, config, oauthFetch } = options;
  const { metadata, issuer, resource } = place;
  const clientInformation = clientOf(client, config);
  const wanted = { metadata, clientInformation, redirectUrl, state, resource, ...(scope !== undefined && { scope }) };
  const { authorizationUrl, codeVerifier } = await step('the authorization endpoint', () => startAuthorization(issuer, wanted));
  requireBrowsable(authorizationUrl, config);
  const code = codeOf(await untilAnswered(options, authorizationUrl, signal), state, metadata);
  return tokenStep(() =>
    exchangeAuthorization(issuer, {
      metadata,
      clientInformation,
      authorizationCode: code.code,
      ...(code.iss !== undefined && { iss: code.iss }),
      codeVerifier,
      redirectUri: redirectUrl,
      resource,
      fetchFn: oauthFetch,
    }),
  );
}

/** Whichever comes first: the browser, the person with the address, the end of the time, or the signal. */
async function untilAnswered(options: AuthorizeOptions, url: URL, signal: AbortSignal): Promise<URLSearchParams> {
  const { show, redirectUrl, answered, timeoutMs } = options;
  const over = new AbortController();
  const late = setTimeout(() => over.abort(failed(`nobody logged in within ${Math.round(timeoutMs / 1_000)} seconds`)), timeoutMs);
  try {
    const shown = show(url, redirectUrl, over.signal).then((pasted) =>
      pasted === undefined ? answered : parametersOfPasted(pasted, redirectUrl),
    );
    return await abortable(Promise.race([answered, shown]), AbortSignal.any([signal, over.signal]));
  } finally {
    clearTimeout(late);
    over.abort();
  }
}

/** @throws SandboxError ERR_UPSTREAM_LOGIN_FAILED for an answer to another question, of another server, or that says no */
function codeOf(
  parameters: URLSearchParams,
  state: string,
  metadata: AuthorizationServerMetadata,
): { code: string; iss: string | undefined } {
  if (!isState(parameters, state)) throw failed('the answer is not to the question that was asked (state): log in again');
  const iss = parameters.get('iss') ?? undefined;
  const issParameterSupported = metadata.authorization_response_iss_parameter_supported === true;
  try {
    // Before anything else of the answer is looked at: it may be of another server.
    validateAuthorizationResponseIssuer({ iss, expectedIssuer: metadata.issuer, issParameterSupported });
  } catch {
    throw failed('the answer is of another authorization server, or does not say of which (iss): somebody may be mixing up servers');
  }
  const error = parameters.get('error');
  if (error !== null) throw failed(`the authorization server said ${shownErrorCode(error)}`);
  const [code, ...more] = parameters.getAll('code');
  if (code === undefined || code === '' || more.length > 0) throw failed('the answer has no code');
  return { code, iss };
}

/** What a browser is sent to: https, or this machine where the server itself is on it. The browser looks names up by itself. */
function requireBrowsable(url: URL, config: HttpServerConfig): void {
  requireSecure(url);
  if (url.username !== '' || url.password !== '') throw failed('the authorization endpoint is not a URL for a browser');
  const host = unbracketed(url.hostname);
  const address = isLoopbackHost(host) && parseAddress(host) === undefined ? '127.0.0.1' : host;
  if (parseAddress(address) === undefined) return;
  const why = createNetworkRules(config, 'oauth').refusal({ host, port: portOf(url), address });
  if (why !== undefined) throw new SandboxError('ERR_UPSTREAM_ADDRESS', `No browser is sent to the authorization endpoint: ${why}.`);
}
