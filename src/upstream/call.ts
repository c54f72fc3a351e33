import type { ErrorCode } from '../errors.ts';

/** One call of one tool. The arguments are sent as they are: validate them first, see `arguments.ts`. */
export interface UpstreamCall {
  readonly server: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** What became of a call: JSON text of the value, or an error that the program can catch. Never thrown, always returned. */
export type CallAnswer = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly error: CallAnswerError };

export interface CallAnswerError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** The MCP content blocks of a tool's own error, intact. */
  readonly content?: unknown;
  /** JSON text of the value, as UTF-8, where it is too large to be the answer. */
  readonly whole?: Uint8Array;
  /** `whole` is the message of the server, which nobody has read. */
  readonly isMessage?: boolean;
}

/** A failed answer. */
export function failedAnswer(code: ErrorCode, message: string, hint?: string): CallAnswer {
  return { ok: false, error: hint === undefined ? { code, message } : { code, message, hint } };
}
