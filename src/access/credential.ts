import { malformed, type Refusal } from './refusal.ts';

/** A key has 40 characters, an access token a few thousand at most; longer ones are not looked at. */
export const MAX_CREDENTIAL = 8_192;

const HEADER = 'authorization';
/** RFC 6750, section 2.1, where the scheme may be written in any case. */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;
/** Names of query parameters that people put keys and tokens under. */
const QUERY = /[?&;](?:access_?token|id_?token|token|bearer|authorization|api_?key|key|amp_key)=/i;

/** What of a request tells who it comes from. */
export interface AccessRequest {
  /** Names and values in turn, as they came: Node keeps only the first of two Authorization headers elsewhere. */
  readonly rawHeaders: readonly string[];
  /** Path and query. */
  readonly url: string;
  readonly remoteAddress: string;
}

export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly text: string }
  | { readonly kind: 'wrong'; readonly refusal: Refusal };

/** The one key or token that a request may come with: in one header, once. */
export function readCredential({ rawHeaders, url }: Pick<AccessRequest, 'rawHeaders' | 'url'>): Credential {
  let header: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (!isAuthorization(rawHeaders[index])) continue;
    if (header !== undefined) return wrong('The Authorization header came more than once.');
    header = rawHeaders[index + 1] ?? '';
  }
  // URLs end up in logs and histories: what was in one is not a secret any more, whether it is good or not.
  if (url.includes('?') && QUERY.test(url)) return wrong('Keys and tokens may not be in the URL.');
  if (header === undefined) return { kind: 'none' };
  if (header.length > MAX_CREDENTIAL) return wrong(`The Authorization header is longer than ${MAX_CREDENTIAL} characters.`);
  const text = BEARER.exec(header)?.[1];
  if (text !== undefined) return { kind: 'bearer', text };
  return /^bearer\b/i.test(header) ? wrong('What follows Bearer is not one key or token.') : { kind: 'none' };
}

function isAuthorization(name: string | undefined): boolean {
  return name?.length === HEADER.length && name.toLowerCase() === HEADER;
}

function wrong(message: string): Credential {
  return { kind: 'wrong', refusal: malformed(message) };
}
