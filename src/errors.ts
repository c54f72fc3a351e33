/**
 * Every way in which Ampoule says no. One code per decision that a caller can take; `docs/errors.md` explains each and
 * `test/errors.test.ts` holds the two together. The text after a code says when it is thrown.
 */
export const ERROR_CODES = [
  // config/: the operator's JSON file
  'ERR_CONFIG_NOT_FOUND', // the file named with --config does not exist or cannot be read
  'ERR_CONFIG_SYNTAX', // the file is not JSON
  'ERR_CONFIG_INVALID', // a key is unknown, a value has the wrong type or is out of its range
  'ERR_CONFIG_VARIABLE', // ${env:NAME} names a variable that is not set
  // access/: who a request comes from
  'ERR_ACCESS_REQUIRED', // other machines reach the address, and no authentication is configured
  'ERR_ACCESS_MISSING', // a request has no key and no token
  'ERR_ACCESS_REQUEST', // a key or token came in a way that is not allowed: in the URL, twice, or in another form
  'ERR_ACCESS_INVALID', // the key or token is not known, has expired, was revoked, or is for somebody else
  'ERR_ACCESS_SCOPE', // the token is good, and has not the scopes that are needed
  'ERR_ACCESS_THROTTLED', // too many wrong keys and tokens came from the same address
  'ERR_ACCESS_UNAVAILABLE', // the keys' file or the issuer cannot be read, so nobody can be told apart
  'ERR_ACCESS_KEY', // a key cannot be made, or there is none by that name or id
  // upstream/: the operator's MCP servers
  'ERR_UPSTREAM_UNAVAILABLE', // a tool was called while its server is not connected
  'ERR_UPSTREAM_TIMEOUT', // the server did not answer in time
  'ERR_UPSTREAM_CLOSED', // the connection ended while a call was running
  'ERR_UPSTREAM_PROTOCOL', // the server's answer is not what MCP allows, or a JSON-RPC error
  'ERR_UPSTREAM_TOO_LARGE', // the server's answer is over the limit
  'ERR_UPSTREAM_LOGIN', // the server wants a login, or does not take the stored one any more
  'ERR_UPSTREAM_LOGIN_FAILED', // `ampoule login` did not end in tokens, or tokens cannot be refreshed now
  'ERR_UPSTREAM_LOGIN_STORE', // the file that keeps logins, or its key, cannot be opened, read or written
  'ERR_UPSTREAM_ADDRESS', // a URL leads to an address, or has a scheme, that is not allowed
  // wrappers/: generated TypeScript
  'ERR_WRAPPERS_WRITE', // the generated files could not be written
  // check/: the types of agent code
  'ERR_CHECK_TYPES', // the code does not type-check
  'ERR_CHECK_TIMEOUT', // checking the types took too long, or more memory than there is for it
  'ERR_CHECK_FAILED', // the type checker itself failed or crashed, twice
  // bundle/: agent code -> one script
  'ERR_BUNDLE_SYNTAX', // the code does not parse
  'ERR_BUNDLE_IMPORT', // an import that agent code may not or cannot have
  'ERR_BUNDLE_FORM', // `return` and `export default` mixed, or another form that has no result
  'ERR_BUNDLE_TOO_LARGE', // the source or what it bundles to is over the limit
  'ERR_BUNDLE_FAILED', // the bundler itself failed, crashed or took too long
  // engine/: the metered JavaScript engine
  'ERR_ENGINE_BUILD', // componentize-js or jco failed
  'ERR_ENGINE_METER', // a core module has a form that the meter does not know
  'ERR_ENGINE_CONTRACT', // the component has other imports or exports than the four host functions and the guest contract
  'ERR_ENGINE_CACHE', // the cached engine is damaged and could not be made again
  // component/: bundle -> program
  'ERR_COMPONENT_LOAD', // the engine cannot load the bundle
  'ERR_COMPONENT_DAMAGED', // a cached program fails its check
  'ERR_COMPONENT_EXPORT', // the engine component has a form that a program cannot be appended to
  // execute/: one run
  'ERR_EXECUTE_THROWN', // the program threw, or its promise was rejected
  'ERR_EXECUTE_FUEL', // the program used up its fuel
  'ERR_EXECUTE_ACTIVE_TIME', // the program computed for longer than its active time
  'ERR_EXECUTE_WAITING_TIME', // the program waited for longer than its waiting time
  'ERR_EXECUTE_MEMORY', // the program needed more memory than its cap
  'ERR_EXECUTE_STACK', // the program recursed too deeply
  'ERR_EXECUTE_CANCELLED', // the caller cancelled the run
  'ERR_EXECUTE_NEVER_SETTLES', // the program awaits something that can never happen
  'ERR_EXECUTE_TOOL_CALLS', // the program began more tool calls than it may
  'ERR_EXECUTE_RESULT_TOO_LARGE', // the result or the state is over its limit
  'ERR_EXECUTE_RESULT_INVALID', // the result or the state is something that JSON cannot say
  'ERR_EXECUTE_ENGINE', // the engine itself trapped
  'ERR_EXECUTE_BUSY', // the admission queue is full
  'ERR_EXECUTE_LOST', // the executor process died in the middle of the run
  // execution/: runs that sleep and survive
  'ERR_EXECUTION_UNKNOWN', // no execution has that id: it never was, its time is over, or it belongs to another
  'ERR_EXECUTION_STORE', // the file that keeps executions cannot be opened, read or written
  'ERR_EXECUTION_FULL', // as many runs wait already as may, or no more can be stored
  'ERR_EXECUTION_DAMAGED', // what is stored of the run is not what was written, and it cannot be run again without it
  'ERR_EXECUTION_DIVERGED', // the run, begun again with the same answers, did not do the same, or a file that it reads has changed
  'ERR_EXECUTION_ENGINE', // the run sleeps on an engine that is not there any more
  'ERR_EXECUTION_APPROVAL', // there is no such question to a person, or somebody has answered it
  // host-functions/: what a program can catch
  'ERR_CALL_UNKNOWN_SERVER', // callTool named a server that is not configured
  'ERR_CALL_UNKNOWN_TOOL', // callTool named a tool that the server does not have
  'ERR_CALL_DENIED', // the operator's policy or the call's limits do not allow that tool
  'ERR_CALL_BUDGET', // the run has used up the calls that it may make of that tool or server
  'ERR_CALL_APPROVAL', // the policy asks a person first, and nobody can be asked or somebody said no
  'ERR_CALL_INTERRUPTED', // the server was ended while the call ran: whether it was made nobody knows
  'ERR_CALL_DATA_FLOW', // the arguments hold a value that the operator's rules keep from that tool
  'ERR_CALL_OUTPUT', // strict mode: the tool's result breaks the output schema that it declares
  'ERR_CALL_ARGUMENTS', // the arguments do not match the tool's input schema
  'ERR_CALL_TOOL', // the tool itself answered with an error
  'ERR_FILE_PATH', // readFile got a path of a form that is not <mount>/<file>
  'ERR_FILE_NOT_FOUND', // readFile found no such file under the mount
  'ERR_FILE_DENIED', // readFile's path leads out of the mount or is not a regular file
  'ERR_FILE_TOO_LARGE', // readFile's file is over the limit
  // session/: state by handle
  'ERR_SESSION_UNKNOWN', // the handle was never given out, or its time is over
  'ERR_SESSION_CONFLICT', // another run changed the state since this one began
  'ERR_SESSION_STORE', // the file that keeps sessions cannot be opened, read or written
  // quota/: what a principal may use
  'ERR_QUOTA_RUNS', // the principal has begun as many runs as it may in a minute
  'ERR_QUOTA_CONCURRENT', // the principal has as many runs under way as it may
  'ERR_QUOTA_FUEL', // the principal has used up its fuel of the hour
  'ERR_QUOTA_CALLS', // the principal has made as many tool calls as it may in a minute
  // audit/: who did what
  'ERR_AUDIT_STORE', // the audit cannot be opened, read or written
  // skill/: modules that agents save
  'ERR_SKILL_OFF', // the operator does not let agents save skills
  'ERR_SKILL_NAME', // the name of a skill is not one that can be imported
  'ERR_SKILL_UNKNOWN', // there is no skill, or no version of it, by that name
  'ERR_SKILL_INVALID', // the code of a skill cannot be used: it imports itself, exports nothing, or is too large
  'ERR_SKILL_STORE', // the file that keeps skills cannot be opened, read or written
  // result/: results that are kept whole
  'ERR_RESULT_UNKNOWN', // the result was never kept, its time is over, or it belongs to another
  'ERR_RESULT_STORE', // a result cannot be kept or read
  // server/: the MCP surface
  'ERR_SERVER_INPUT', // a tool of ours got arguments that do not match its schema or limits
  'ERR_SERVER_LISTEN', // the address is in use or may not be used
  'ERR_SERVER_CLOSING', // the server is shutting down
  // main.ts: the command line
  'ERR_CLI_USAGE', // an argument is missing or wrong
  'ERR_CLI_FILE', // a file named on the command line cannot be read or written
  'ERR_INTERNAL', // a bug of ours: the log has the rest
] as const;

/** A stable, machine-readable reason. Never renamed; see `docs/errors.md`. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** A position in the agent's own source or in a skill's: 1-based line and column, and the text of that line. */
export interface SourceLocation {
  line: number;
  column: number;
  source: string;
  /** The skill that it is in, as it is imported (`skills/triage`); absent in the code that was sent. */
  module?: string;
}

/** What an error may carry beside its message. All of it may be shown to the agent. */
export interface ErrorDetails {
  /** What to do about it, in one sentence. */
  hint?: string;
  /** Where in the agent's own code. */
  location?: SourceLocation;
  /** Every finding, where there is more than one. */
  diagnostics?: readonly Diagnostic[];
  /** When to try again, in milliseconds from now. */
  retryAfterMs?: number;
}

/** One finding of the bundler or the checker about the agent's code. */
export interface Diagnostic {
  /** A warning's stable code, such as `WARN_OUTPUT_SCHEMA`; errors of the compiler have `tsCode`. */
  code?: string;
  message: string;
  /** The number of the TypeScript error, such as 2345, where it is one. */
  tsCode?: number;
  location?: SourceLocation;
}

/**
 * The one error class of Ampoule. `message`, `hint`, `location` and `diagnostics` are written for the person or agent who
 * has to act on them; whatever else is known (stacks, paths, upstream bodies) travels in `cause` and goes to the log only.
 */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails & { cause?: unknown } = {}) {
    const { cause, ...rest } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = rest;
  }
}

/** Any thrown value as a {@link SandboxError}: ours as it is, others as `fallback` with the original kept as the cause. */
export function toSandboxError(thrown: unknown, fallback: ErrorCode = 'ERR_INTERNAL'): SandboxError {
  if (thrown instanceof SandboxError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new SandboxError(fallback, message, { cause: thrown });
}
