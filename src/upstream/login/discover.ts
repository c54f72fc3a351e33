import type { AuthorizationServerMetadata, FetchLike, OAuthProtectedResourceMetadata } from '@modelcontextprotocol/client';
import {
  checkResourceAllowed,
  discoverAuthorizationServerMetadata,
  discoverOAuthProtectedResourceMetadata,
  resourceUrlFromServerUrl,
} from '@modelcontextprotocol/client';
import { SandboxError } from '../../errors.ts';
import { requireSecure } from './oauth-fetch.ts';

/** Where and for what to log in at a server. */
export interface AuthorizationPlace {
  /** As the metadata says it, which was checked against where they were found. */
  readonly issuer: string;
  readonly metadata: AuthorizationServerMetadata;
  /** What the tokens are for: RFC 8707. */
  readonly resource: string;
  /** What the server says it has, when it says. */
  readonly scopes: readonly string[] | undefined;
}

export interface DiscoverOptions {
  readonly serverUrl: string;
  /** The issuer of the operator's config: no other will do. */
  readonly issuer: string | undefined;
  /** Where the server's own answer says that its metadata is. */
  readonly resourceMetadataUrl?: URL | undefined;
  /** Of {@link createOAuthFetch}. */
  readonly fetch: FetchLike;
}

/**
 * Finds the authorization server of an MCP server: RFC 9728, then RFC 8414 or OpenID Connect Discovery.
 * @throws SandboxError ERR_UPSTREAM_LOGIN_FAILED, ERR_UPSTREAM_ADDRESS
 */
export async function discoverPlace(options: DiscoverOptions): Promise<AuthorizationPlace> {
  const { serverUrl, fetch } = options;
  const protectedResource = await protectedResourceOf(options);
  const resource = checkedResource(serverUrl, protectedResource);
  const location = chooseServer(options, protectedResource);
  requireVisible(location, resource);
  requireSecure(new URL(location));
  const metadata = await step('the metadata of the authorization server', () =>
    discoverAuthorizationServerMetadata(location, { fetchFn: fetch }),
  );
  if (metadata === undefined) throw failed(`${new URL(location).origin} has no metadata of an authorization server`);
  for (const endpoint of [metadata.authorization_endpoint, metadata.token_endpoint, metadata.registration_endpoint]) {
    if (endpoint !== undefined) requireSecure(new URL(endpoint));
  }
  return { issuer: metadata.issuer, metadata, resource, scopes: protectedResource?.scopes_supported };
}

/** These are shown on terminals and stored, and compared as text. */
function requireVisible(...texts: readonly string[]): void {
  if (texts.some((text) => !/^[\u0021-\u007e]{1,2048}$/.test(text))) throw failed('the metadata has a URL with characters that no URL has');
}

/** What went wrong, as an error with a code; nothing of what a stranger answered is in it. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof SandboxError) throw cause;
    throw failed(`${what} cannot be used: ${plainReason(cause)}`, cause);
  }
}

/** RFC 9728. Servers of older revisions have none; then their own origin is the authorization server. */
async function protectedResourceOf(options: DiscoverOptions): Promise<OAuthProtectedResourceMetadata | undefined> {
  const { serverUrl, resourceMetadataUrl, fetch } = options;
  // The SDK tells "there is none" and "it is broken" apart in words only.
  const statuses: number[] = [];
  const noted: FetchLike = async (url, init) => {
    const response = await fetch(url, init);
    statuses.push(response.status);
    return response;
  };
  const named = resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl };
  try {
    return await step("the server's protected resource metadata", () => discoverOAuthProtectedResourceMetadata(serverUrl, named, noted));
  } catch (error) {
    const absent = statuses.length > 0 && statuses.every((status) => status >= 400 && status < 500);
    if (absent && resourceMetadataUrl === undefined) return undefined;
    throw error;
  }
}

/** What tokens are asked for has to be this server, so that it cannot have us get tokens for another one. */
function checkedResource(serverUrl: string, metadata: OAuthProtectedResourceMetadata | undefined): string {
  const own = resourceUrlFromServerUrl(serverUrl);
  if (metadata === undefined) return own.href;
  if (URL.canParse(metadata.resource) && checkResourceAllowed({ requestedResource: own, configuredResource: metadata.resource })) {
    return metadata.resource;
  }
  throw failed('the server says in its metadata that it is another server (resource)');
}

function chooseServer({ serverUrl, issuer }: DiscoverOptions, metadata: OAuthProtectedResourceMetadata | undefined): string {
  const offered = metadata?.authorization_servers ?? [];
  if (issuer === undefined) return offered[0] ?? new URL('/', serverUrl).href;
  if (offered.length === 0) return issuer;
  const found = offered.find((one) => isSameIssuer(one, issuer));
  if (found === undefined) throw failed(`the server does not name ${issuer} (oauth.issuer) as an authorization server of its own`);
  return found;
}

/** RFC 8414 compares issuers as text; a slash at the end alone makes no other issuer. */
export function isSameIssuer(a: string, b: string): boolean {
  return a.replace(/\/$/, '') === b.replace(/\/$/, '');
}

function plainReason(cause: unknown): string {
  if (!(cause instanceof Error)) return 'something went wrong';
  if (cause.name === 'IssuerMismatchError') return 'it names another issuer than the one that it was found at';
  if (cause.name === 'ZodError' || cause.name === '$ZodError') return 'it is not of the form that the standard asks for';
  if (cause.name === 'SyntaxError') return 'it is not JSON';
  const status = /\bHTTP (\d{3})\b/.exec(cause.message)?.[1];
  if (status !== undefined) return `it was answered with HTTP ${status}`;
  const code = cause.cause instanceof Error && 'code' in cause.cause ? String(cause.cause.code) : undefined;
  return code !== undefined && /^[A-Z_]{3,40}$/.test(code) ? `it cannot be reached (${code})` : 'the answer is of no use';
}

/** An error of the login. */
export function failed(message: string, cause?: unknown): SandboxError {
  return new SandboxError('ERR_UPSTREAM_LOGIN_FAILED', `${message}.`, { cause });
}
