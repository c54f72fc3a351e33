import { hash } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify, type JWTVerifyResult } from 'jose';
import type { AuthConfig } from '../config/auth-schema.ts';
import { type IssuerKeys, IssuerUnavailable } from './issuer-keys.ts';
import type { Grant, Principal } from './principal.ts';
import { invalid, unavailable, type Refusal } from './refusal.ts';
import { claimProblem, scopesOf } from './token-claims.ts';

export type OAuthConfig = NonNullable<AuthConfig['oauth']>;

/** Tokens that were verified and are remembered by their hash: their clients send them with every request. */
const MAX_REMEMBERED = 1_000;
/** Combinations of scopes whose grants are kept as one object each. */
const MAX_GRANTS = 1_000;
/** Three parts of base64url; anything else is opaque to us. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Somebody whose token is good. */
export interface TokenHolder {
  readonly principal: Principal;
  /** When the token ends, in milliseconds since 1970, with the tolerance. */
  readonly expires: number;
}

export type Judgement =
  | { readonly ok: true; readonly holder: TokenHolder }
  /** `wasGood`: of the issuer and for us, and over now. Nobody can guess one. */
  | { readonly ok: false; readonly refusal: Refusal; readonly wasGood?: boolean };

interface Remembered {
  readonly holder: TokenHolder;
  readonly generation: number;
}

/** Judges access tokens of one issuer, as RFC 9068 and RFC 8707 have it. */
export class TokenJudge {
  readonly #oauth: OAuthConfig;
  readonly #keys: IssuerKeys;
  readonly #now: () => number;
  readonly #remembered = new Map<string, Remembered>();
  readonly #grants = new Map<string, Grant>();

  constructor(oauth: OAuthConfig, keys: IssuerKeys, now: () => number = Date.now) {
    this.#oauth = oauth;
    this.#keys = keys;
    this.#now = now;
  }

  /** The holder of a token that was good a moment ago and still is: this costs a hash and no signature. */
  known(token: string): TokenHolder | undefined {
    const found = this.#remembered.get(hash('sha256', token, 'base64url'));
    if (found === undefined || found.generation !== this.#keys.generation || found.holder.expires <= this.#now()) return undefined;
    if (!this.#keys.arePresent) return undefined;
    this.#keys.keepFresh();
    return found.holder;
  }

  /** Never rejects. */
  async judge(token: string): Promise<Judgement> {
    const refusal = formProblem(token, this.#oauth);
    if (refusal !== undefined) return { ok: false, refusal };
    try {
      const verified = await jwtVerify(token, (header) => this.#keys.keyFor(header), this.#expectations());
      return this.#decide(token, verified);
    } catch (error) {
      // The signature is looked at before the time.
      return { ok: false, refusal: refusalOf(error, this.#keys.retryAfterSeconds), wasGood: error instanceof errors.JWTExpired };
    }
  }

  #expectations(): Parameters<typeof jwtVerify>[2] {
    const { issuer, audience, algorithms, clockToleranceMs } = this.#oauth;
    return {
      issuer,
      audience: [...audience],
      algorithms: [...algorithms],
      clockTolerance: clockToleranceMs / 1_000,
      requiredClaims: ['exp', 'sub'],
      currentDate: new Date(this.#now()),
    };
  }

  #decide(token: string, { protectedHeader, payload }: JWTVerifyResult): Judgement {
    const { issuer, clockToleranceMs } = this.#oauth;
    const problem = claimProblem(protectedHeader, payload, (this.#now() + clockToleranceMs) / 1_000);
    if (problem !== undefined) return { ok: false, refusal: invalid(problem) };
    const grant = this.#grantOf(scopesOf(payload));
    if (grant === undefined) return { ok: false, refusal: this.#scopeRefusal() };
    const expires = Number(payload.exp) * 1_000 + clockToleranceMs;
    const holder: TokenHolder = { principal: { id: `oauth:${issuer}#${payload.sub}`, grant }, expires };
    this.#remember(token, holder);
    return { ok: true, holder };
  }

  /** What the scopes allow together; undefined when one is missing that every token needs, or none means anything here. */
  #grantOf(scopes: ReadonlySet<string>): Grant | undefined {
    const { scopes: meanings, requiredScopes } = this.#oauth;
    const meant = Object.keys(meanings).filter((scope) => scopes.has(scope));
    if (meant.length === 0 || !requiredScopes.every((scope) => scopes.has(scope))) return undefined;
    const key = meant.join(' ');
    const grant = this.#grants.get(key) ?? [...new Set(meant.flatMap((scope) => meanings[scope] ?? []))];
    if (this.#grants.size < MAX_GRANTS) this.#grants.set(key, grant);
    return grant;
  }

  #scopeRefusal(): Refusal {
    const { scopes, requiredScopes } = this.#oauth;
    const message =
      requiredScopes.length > 0 ? 'The token has not all the scopes that are needed.' : 'The token has none of the scopes that are needed.';
    return {
      status: 403,
      code: 'ERR_ACCESS_SCOPE',
      message,
      error: 'insufficient_scope',
      scopes: [...new Set([...requiredScopes, ...Object.keys(scopes)])],
    };
  }

  #remember(token: string, holder: TokenHolder): void {
    this.#remembered.set(hash('sha256', token, 'base64url'), { holder, generation: this.#keys.generation });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

/** What can be said of a token without a key. */
function formProblem(token: string, { algorithms }: OAuthConfig): Refusal | undefined {
  if (!JWT.test(token)) return invalid('The token is no signed JWT: opaque tokens cannot be judged here.');
  try {
    const { alg } = decodeProtectedHeader(token);
    const known: readonly string[] = algorithms;
    return alg !== undefined && known.includes(alg) ? undefined : invalid('The token is signed with an algorithm that is not allowed.');
  } catch {
    return invalid('The token cannot be read.');
  }
}

function refusalOf(error: unknown, retryAfterSeconds: number): Refusal {
  if (error instanceof IssuerUnavailable) return unavailable('The keys of the issuer cannot be had at the moment.', retryAfterSeconds);
  if (error instanceof errors.JWTExpired) return invalid('The token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed) return invalid(claimWords(error.claim));
  if (error instanceof errors.JWKSNoMatchingKey) return invalid('The issuer has no key by the name in the token.');
  if (error instanceof errors.JWKSMultipleMatchingKeys) return invalid('The token does not say which key of the issuer signed it.');
  return invalid('The signature of the token cannot be verified.');
}

function claimWords(claim: string): string {
  switch (claim) {
    case 'aud':
      return 'The token is for another audience.';
    case 'iss':
      return 'The token is of another issuer.';
    case 'nbf':
      return 'The token is not valid yet.';
    default:
      return 'The token lacks a claim that an access token has, or it is of the wrong kind.';
  }
}
