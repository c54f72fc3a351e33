import type { ErrorCode } from '../errors.ts';

/** Why a request does not get in, as the client is told. Nothing of what it sent is in it. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 429 | 503;
  readonly code: Extract<ErrorCode, `ERR_ACCESS_${string}`>;
  /** One sentence, in ASCII and without quotation marks: it is in a header too. */
  readonly message: string;
  /** RFC 6750, section 3.1; absent when the request came without any credentials. */
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope';
  /** The scopes that would do. */
  readonly scopes?: readonly string[];
  readonly retryAfterSeconds?: number;
}

/** A key or token that is not good, for a reason that may be told. */
export function invalid(message: string): Refusal {
  return { status: 401, code: 'ERR_ACCESS_INVALID', message, error: 'invalid_token' };
}

/** Credentials in a form or place that is not allowed. */
export function malformed(message: string): Refusal {
  return { status: 400, code: 'ERR_ACCESS_REQUEST', message, error: 'invalid_request' };
}

/** Nobody can be told apart at the moment. */
export function unavailable(message: string, retryAfterSeconds: number): Refusal {
  return { status: 503, code: 'ERR_ACCESS_UNAVAILABLE', message, retryAfterSeconds };
}
