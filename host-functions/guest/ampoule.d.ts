/** The host functions of a sealed program: `import { readFile, getState, log } from "ampoule"`. */
declare module 'ampoule' {
  /**
   * Calls a tool of a connected MCP server. Prefer the typed wrappers: `import * as github from "servers/github"`.
   * Several calls overlap with `Promise.all`. A structured result comes as it is, JSON text is parsed, other text is a string.
   * @param args one JSON object, by the tool's input schema
   * @throws ToolError when the tool answers with an error, or the call is refused
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what the tool answers
  export function callTool<T = unknown>(server: string, tool: string, args?: object): Promise<T>;

  /**
   * Reads a file of the operator's read-only mounts: `readFile("<mount>/<file>")`, as text (UTF-8) or as bytes.
   * `servers/<server>/<tool>.ts` reads a generated wrapper, `results/<id>` a result that was too large for its answer,
   * `results/<id>?offset=0&limit=100` a piece of it.
   */
  export function readFile(path: string, options?: { as?: 'text' }): Promise<string>;
  export function readFile(path: string, options: { as: 'bytes' }): Promise<Uint8Array>;

  /**
   * The session's state: a live JSON object, the same one at every call. Change it in place; what you change is kept for the
   * next run of the session when this run completes, and forgotten when it fails. Empty, and kept by nobody, in a run without a session.
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what the state is
  export function getState<T extends object = Record<string, any>>(): T;

  /** `getState()[key] = value`; undefined removes the member. */
  export function setState(key: string, value: unknown): void;

  /** One line of the run's log, like `console.log`, with its level as a word. */
  export function log(level: 'debug' | 'info' | 'warn' | 'error', message: string, data?: unknown): void;

  /** Waits for `ms` milliseconds. */
  export function sleep(ms: number): Promise<void>;

  /** A tool call that failed. */
  export class ToolError extends Error {
    private constructor();
    readonly name: 'ToolError';
    /** A stable reason, for example `ERR_CALL_TOOL` (the tool said no) or `ERR_CALL_ARGUMENTS`. */
    readonly code: string;
    readonly server: string;
    readonly tool: string;
    /** What to do about it. */
    readonly hint: string | undefined;
    /** The content blocks of the tool's own error. */
    readonly content: unknown;
  }
}
