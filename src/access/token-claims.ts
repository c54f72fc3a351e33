import type { JWTHeaderParameters, JWTPayload } from 'jose';

/** RFC 9068, section 2.1; many issuers write "JWT" or nothing. */
const TYPES = new Set([undefined, 'at+jwt', 'jwt']);
/** What only ID tokens have (OpenID Connect Core, sections 2 and 3.3.2.11). */
const OF_ID_TOKENS = ['nonce', 'at_hash', 'c_hash', 's_hash'];
/** The words of Keycloak, of Cognito, and of logout tokens for what is no access token. */
const OTHER_KINDS = new Set(['id', 'refresh', 'offline', 'logout']);
const MAX_SUBJECT = 512;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Why a token that its issuer has signed is no access token that we can take; undefined when it is one. */
export function claimProblem({ typ }: JWTHeaderParameters, payload: JWTPayload, latest: number): string | undefined {
  const type = typ?.toLowerCase().replace(/^application\//, '');
  if (!TYPES.has(type)) return 'The token is of a type that is no access token.';
  if (type !== 'at+jwt' && isOther(payload)) return 'The token is an ID token or another kind, and no access token.';
  if (payload['cnf'] !== undefined) return 'The token is bound to a key of its client, and cannot be used as a bearer token.';
  if (payload.iat !== undefined && !(typeof payload.iat === 'number' && payload.iat <= latest)) return 'The token is from the future.';
  const { sub } = payload;
  const isUsable = typeof sub === 'string' && sub !== '' && sub.length <= MAX_SUBJECT && !UNPRINTABLE.test(sub) && sub.isWellFormed();
  return isUsable ? undefined : 'The token names no subject that can be used.';
}

/** The scopes of a token: `scope` as RFC 8693 has it, or `scp` as a list or a text. */
export function scopesOf({ scope, scp }: JWTPayload): ReadonlySet<string> {
  const words = (value: unknown): string[] => {
    if (typeof value === 'string') return value.split(' ').filter((word) => word !== '');
    return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
  };
  return new Set([...words(scope), ...words(scp)]);
}

function isOther(payload: JWTPayload): boolean {
  const kinds = [payload['typ'], payload['token_use']].filter((kind) => typeof kind === 'string');
  return (
    kinds.some((kind) => OTHER_KINDS.has(kind.toLowerCase())) ||
    OF_ID_TOKENS.some((name) => payload[name] !== undefined) ||
    payload['events'] !== undefined
  );
}
