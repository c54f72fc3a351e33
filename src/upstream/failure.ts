import {
  InsufficientScopeError,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  SseError,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import type { ServerConfig } from '../config/schema.ts';
import { SandboxError } from '../errors.ts';
import { ResponseTooLarge } from './bounded-fetch.ts';
import type { CallAnswer } from './call.ts';
import { failedAnswer } from './call.ts';
import { localVerdict, wholeMessage } from './local-reply.ts';
import { hasOwnAuthorization } from './login/logins.ts';
import type { Redact } from './redact.ts';
import { shownUrl } from './redact.ts';
import { tooLarge } from './tool-value.ts';
import type { ConnectionEnd } from './transport.ts';

/** Why a server is not connected. Both are one line and without secrets. */
export interface ConnectFailure {
  /** In our own words: agents may see it too. */
  readonly reason: string;
  /** For the operator alone: paths, hosts, what the server said. */
  readonly detail?: string;
  /** Nothing but a login by the operator helps. */
  readonly needsLogin?: boolean;
}

/** A connection ended, or was never made, for a reason that we know. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/** What went wrong when a server was connected, or stayed not connected. */
export function connectFailure(error: unknown, config: ServerConfig, redact: Redact): ConnectFailure {
  const at = config.type === 'stdio' ? {} : { detail: shownUrl(config.url) };
  const login = scopeFailure(error) ?? loginFailure(error, config);
  if (login !== undefined) return { ...at, ...login };
  if (error instanceof SdkHttpError) return { reason: `it answered HTTP ${error.data.status}`, ...at };
  if (error instanceof ResponseTooLarge) return { reason: 'it sent a message over the size limit', ...at };
  if (error instanceof ConnectionLost) return { reason: error.message, ...at };
  if (error instanceof ProtocolError) return { reason: `it refused with error ${error.code}`, detail: redact(error.message) };
  const code = systemCode(error);
  if (code !== undefined && config.type === 'stdio') return spawnFailure(code, config.command, config.cwd);
  if (code !== undefined) return { reason: `it cannot be reached (${code})`, ...at };
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) return { reason: 'it did not answer in time', ...at };
  return { reason: 'it could not be connected', detail: redact(error instanceof Error ? error.message : String(error)) };
}

/** What went wrong with the login, or with what an address may be; undefined for everything else. */
function loginFailure(error: unknown, config: ServerConfig): ConnectFailure | undefined {
  if (config.type === 'stdio') return undefined;
  const own = ownError(error);
  if (own?.code === 'ERR_UPSTREAM_LOGIN') return { reason: own.message, needsLogin: true };
  if (own?.code === 'ERR_UPSTREAM_LOGIN_STORE') return { reason: 'its login cannot be read (ERR_UPSTREAM_LOGIN_STORE)', needsLogin: true };
  if (own?.code === 'ERR_UPSTREAM_LOGIN_FAILED') return { reason: `its login failed for now: ${own.message}` };
  if (own?.code === 'ERR_UPSTREAM_ADDRESS') {
    const reason = 'it leads to an address that is not allowed (ERR_UPSTREAM_ADDRESS)';
    return { reason, detail: [own.message, own.details.hint].join(' ') };
  }
  if (hasOwnAuthorization(config) || !isUnauthorized(error)) return undefined;
  return { reason: 'it does not take the token of its login', needsLogin: true };
}

/** The login is good, and does not let us list the tools. */
function scopeFailure(error: unknown): ConnectFailure | undefined {
  if (!(error instanceof InsufficientScopeError)) return undefined;
  const scope = pasteableScope(error);
  return { reason: `its login lacks scopes${scope === undefined ? '' : `: log in with --scope '${scope}'`}`, needsLogin: true };
}

/** A stranger's text in a line that an operator may paste into a shell: only what no shell and no model reads anything into. */
function pasteableScope({ requiredScope = '' }: InsufficientScopeError): string | undefined {
  return requiredScope.length <= 200 && /^[\w:./-]+(?: [\w:./-]+)*$/.test(requiredScope) ? requiredScope : undefined;
}

/** An error of ours, or one that it caused. */
function ownError(error: unknown): SandboxError | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    if (current instanceof SandboxError) return current;
  }
  return undefined;
}

function isUnauthorized(error: unknown): boolean {
  if (error instanceof UnauthorizedError) return true;
  return error instanceof SdkHttpError ? error.data.status === 401 : error instanceof SseError && error.code === 401;
}

/** Whether speaking the other generation of the protocol may help against that error. */
export function isNegotiationFailure(error: unknown): boolean {
  if (error instanceof ProtocolError) return true;
  return error instanceof SdkError && (error.code === SdkErrorCode.EraNegotiationFailed || error.code === SdkErrorCode.RequestTimeout);
}

export interface CallContext {
  readonly server: string;
  readonly config: ServerConfig;
  readonly timeoutMs: number;
  readonly maxToolResultBytes: number;
  readonly signal: AbortSignal;
  readonly end: ConnectionEnd | undefined;
  readonly redact: Redact;
}

/** The answer to a call that failed before there was a tool result. */
export function callFailure(error: unknown, context: CallContext): CallAnswer {
  const { server, signal, timeoutMs } = context;
  if (signal.aborted) return failedAnswer('ERR_EXECUTE_CANCELLED', 'the call was cancelled');
  const login = loginAnswer(error, context);
  if (login !== undefined) return login;
  if (isOversized(error, context.end)) {
    const whole = error instanceof ProtocolError ? wholeMessage(error.data) : undefined;
    return tooLarge(context.maxToolResultBytes, whole, whole !== undefined);
  }
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) {
    const hint = 'The tool may still be working. Ask it for less at once, or have the operator raise timeoutMs of the server.';
    return failedAnswer('ERR_UPSTREAM_TIMEOUT', `the server "${server}" did not answer within ${timeoutMs} ms`, hint);
  }
  if (isClosed(error)) {
    const hint = 'Whether the tool did its work is not known. The server is being connected again; check before calling again.';
    return failedAnswer('ERR_UPSTREAM_CLOSED', `the connection to the server "${server}" ended before it answered`, hint);
  }
  return failedAnswer('ERR_UPSTREAM_PROTOCOL', `the server "${server}" ${protocolReason(error, context.redact)}`);
}

function loginAnswer(error: unknown, { server, config }: CallContext): CallAnswer | undefined {
  if (error instanceof InsufficientScopeError) {
    const scope = pasteableScope(error);
    const hint = `The operator has to run "ampoule login ${server}${scope === undefined ? '' : ` --scope '${scope}'`}".`;
    return failedAnswer('ERR_UPSTREAM_LOGIN', `the login at the server "${server}" does not have the scopes that this tool asks for`, hint);
  }
  const failure = loginFailure(error, config);
  if (failure === undefined) return undefined;
  if (failure.needsLogin === true) return loginAnswerOf(server, failure.reason);
  return failedAnswer(ownError(error)?.code ?? 'ERR_UPSTREAM_LOGIN_FAILED', `the server "${server}" cannot be asked: ${failure.reason}`);
}

/** The answer to a call of a server that needs a login. */
export function loginAnswerOf(server: string, reason: string): CallAnswer {
  return failedAnswer(
    'ERR_UPSTREAM_LOGIN',
    `the server "${server}" cannot be asked: ${reason}`,
    `The operator has to run "ampoule login ${server}".`,
  );
}

function isOversized(error: unknown, end: ConnectionEnd | undefined): boolean {
  if (error instanceof ResponseTooLarge) return true;
  if (error instanceof ProtocolError) return localVerdict(error.data) === 'oversized';
  return isClosed(error) && end?.oversized === true;
}

function isClosed(error: unknown): boolean {
  if (error instanceof ProtocolError) return localVerdict(error.data) === 'closed';
  // Not from the SDK: a socket or pipe that failed.
  if (!(error instanceof SdkError)) return !(error instanceof SyntaxError || error instanceof RangeError) && !isZodError(error);
  // The server has forgotten the session.
  if (error instanceof SdkHttpError) return error.data.status === 404;
  const codes: readonly string[] = [SdkErrorCode.ConnectionClosed, SdkErrorCode.NotConnected, SdkErrorCode.SendFailed];
  return codes.includes(error.code);
}

function protocolReason(error: unknown, redact: Redact): string {
  if (error instanceof SdkHttpError) return `answered HTTP ${error.data.status}`;
  if (error instanceof ProtocolError && localVerdict(error.data) === undefined) {
    return redact(`answered with error ${error.code}: ${error.message}`, 2_000);
  }
  if (error instanceof SdkError && error.code === SdkErrorCode.UnsupportedResultType) {
    return 'asked for something that this client does not support, such as input from the user';
  }
  // JSON.stringify recurses.
  if (error instanceof RangeError) return 'answered with something that is nested too deeply';
  return 'answered with something that MCP does not allow';
}

/** The SDK reads HTTP bodies with zod and lets its errors through. */
function isZodError(error: unknown): boolean {
  return error instanceof Error && 'issues' in error;
}

function spawnFailure(code: string, command: string, cwd: string | undefined): ConnectFailure {
  const what = cwd === undefined ? 'its command' : 'its command or its cwd';
  const detail = cwd === undefined ? `"${command}"` : `"${command}" in "${cwd}"`;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { reason: `${what} was not found`, detail };
  return { reason: code === 'EACCES' ? `${what} may not be used (EACCES)` : `its command could not be started (${code})`, detail };
}

/** The system's code of an error or of what caused it, such as ECONNREFUSED. */
function systemCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 4; current = current.cause, depth++) {
    const code: unknown = 'code' in current ? current.code : undefined;
    if (typeof code === 'string' && /^(E[A-Z0-9]{2,}|UND_ERR_\w+|CERT_\w+|\w+_CERT\w*)$/.test(code)) return code;
  }
  return undefined;
}
