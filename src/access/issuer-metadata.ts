import type { FetchJson } from './fetch-json.ts';
import { isSafeUrl } from './safe-url.ts';

/** What a resource server needs to know of an issuer. */
export interface IssuerMetadata {
  readonly jwksUri: string;
}

/**
 * Finds an issuer's metadata document as RFC 8414 and OpenID Connect have it.
 * @param issuer a URL, exactly as the issuer writes it into its tokens
 * @throws Error when there is none, or it is another issuer's, or its keys are not at an https URL
 */
export async function discoverIssuer(issuer: string, fetchJson: FetchJson): Promise<IssuerMetadata> {
  const problems: string[] = [];
  for (const url of metadataUrls(issuer)) {
    try {
      return readMetadata(await fetchJson(url), issuer, url);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(problems.join('; '));
}

/** Where the document may be, in the order in which MCP clients look: RFC 8414, section 3.1 and 5, then OpenID Connect Discovery, section 4. */
export function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const inserted = ['oauth-authorization-server', 'openid-configuration'].map((name) => `${origin}/.well-known/${name}${path}`);
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}

function readMetadata(document: Readonly<Record<string, unknown>>, issuer: string, url: string): IssuerMetadata {
  const { issuer: named, jwks_uri: jwksUri } = document;
  // Equal to the letter: another document could be one that an attacker has put beside the issuer's.
  if (named !== issuer) throw new Error(`${url} is of the issuer ${short(named)}, and the configured one is ${short(issuer)}`);
  if (typeof jwksUri !== 'string' || !isSafeUrl(jwksUri)) throw new Error(`${url} has no "jwks_uri" with https`);
  return { jwksUri };
}

function short(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 200)) : 'of no name';
}
