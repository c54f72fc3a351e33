import { SandboxError } from '../errors.ts';
import { readCredential, type AccessRequest } from './credential.ts';
import type { FailureBound } from './failure-bound.ts';
import { KEY_PREFIX } from './key-format.ts';
import type { KeyKeeper, Standing } from './key-keeper.ts';
import type { Principal } from './principal.ts';
import { invalid, unavailable, type Refusal } from './refusal.ts';
import type { OAuthConfig, TokenHolder, TokenJudge } from './token-judge.ts';

/** Somebody who got in. */
export interface Identity {
  readonly principal: Principal;
  /** Whether what he came with is good now: what stays open looks again. */
  standing(): Standing;
}

export type Outcome = { readonly ok: true; readonly identity: Identity } | { readonly ok: false; readonly refusal: Refusal };

/** Tells who requests come from. */
export interface Authenticator {
  /** At once for a key or a token that is known, else a promise, which never rejects. */
  authenticate(request: AccessRequest): Outcome | Promise<Outcome>;
  /** What clients are told of the issuer; absent without OAuth. */
  readonly oauth?: Pick<OAuthConfig, 'issuer' | 'scopes' | 'requiredScopes' | 'resource'> | undefined;
  close(): void;
}

export interface AuthenticatorParts {
  readonly keys?: KeyKeeper | undefined;
  readonly tokens?: { readonly judge: TokenJudge; readonly oauth: OAuthConfig } | undefined;
  readonly failures: FailureBound;
  /** Hears of everybody who was not let in with what they sent; of nothing that they sent. */
  readonly onFailure?: ((failure: { readonly address: string; readonly code: Refusal['code'] }) => void) | undefined;
  readonly log: { info(fields: object, message: string): void; error(fields: object, message: string): void };
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const UNAVAILABLE_SECONDS = 5;
/** The same trouble is told at most this often, in milliseconds. */
const TELL_MS = 60_000;
const MISSING: Refusal = { status: 401, code: 'ERR_ACCESS_MISSING', message: 'A key or an access token is needed.' };

/**
 * Good keys and tokens always get in. They cannot be guessed, and behind a proxy all clients have one address: to refuse them because of
 * others' wrong ones would let anybody lock everybody out. For the same reason who has one that is over always hears that it is: only
 * then does his client get another.
 */
export function createAuthenticator(parts: AuthenticatorParts): Authenticator {
  const { keys, tokens, failures, onFailure, log, now = Date.now } = parts;
  let toldAt = -Infinity;
  const tellOfKeys = (error: SandboxError): void => {
    // Not once for each request.
    if (now() - toldAt < TELL_MS) return;
    toldAt = now();
    log.error({ err: error }, 'API keys cannot be judged');
  };
  const fail = (address: string, refusal: Refusal, wasGood = false): Outcome => {
    if (refusal.status !== 401 && refusal.status !== 400) return { ok: false, refusal };
    onFailure?.({ address, code: refusal.code });
    const wait = failures.failed(address);
    if (wait > 0) return { ok: false, refusal: wasGood ? refusal : throttled(wait) };
    // As often as the bound allows, and nothing of what was sent.
    log.info({ address, code: refusal.code }, `A request was refused: ${refusal.message}`);
    return { ok: false, refusal };
  };
  const holder = ({ principal, expires }: TokenHolder): Outcome => ({
    ok: true,
    identity: { principal, standing: () => (expires > now() ? 'good' : 'expired') },
  });
  const byToken = async (judge: TokenJudge, token: string, address: string): Promise<Outcome> => {
    const judgement = await judge.judge(token);
    return judgement.ok ? holder(judgement.holder) : fail(address, judgement.refusal, judgement.wasGood);
  };
  return {
    oauth: tokens?.oauth,
    authenticate: (request) => {
      const credential = readCredential(request);
      const address = request.remoteAddress;
      if (credential.kind === 'none') return { ok: false, refusal: MISSING };
      if (credential.kind === 'wrong') return fail(address, credential.refusal);
      const { text } = credential;
      if (text.startsWith(KEY_PREFIX)) return byKey(text, address);
      if (tokens === undefined) return fail(address, invalid('This server takes API keys only, and this is none.'));
      const known = tokens.judge.known(text);
      if (known !== undefined) return holder(known);
      return byToken(tokens.judge, text, address);
    },
    close: () => keys?.close(),
  };

  function byKey(text: string, address: string): Outcome {
    if (keys === undefined) return fail(address, invalid('This server takes no API keys.'));
    try {
      const found = keys.find(text);
      if (found === undefined) return fail(address, invalid('The key is not known.'));
      const { known, standing } = found;
      if (standing === 'good') return { ok: true, identity: known };
      return fail(address, invalid(standing === 'expired' ? 'The key has expired.' : 'The key was revoked.'), true);
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      tellOfKeys(error);
      return { ok: false, refusal: unavailable('Keys cannot be judged at the moment.', UNAVAILABLE_SECONDS) };
    }
  }
}

function throttled(seconds: number): Refusal {
  const message = 'Too many wrong keys and tokens came from this address.';
  return { status: 429, code: 'ERR_ACCESS_THROTTLED', message, retryAfterSeconds: seconds };
}
