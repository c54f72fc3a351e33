import type { ErrorCode } from '../errors.ts';

/** The limits of one run, each already the lower of the operator's and the caller's. Units as in `src/limits.ts`. */
export interface RunLimits {
  readonly timeoutMs: number;
  readonly waitMs: number;
  readonly fuel: number;
  readonly memoryMb: number;
  readonly maxToolCalls: number;
  readonly maxConcurrentToolCalls: number;
  /** Of the whole result: what is over the answer's own limit is kept beside it. */
  readonly maxResultBytes: number;
  readonly maxStateBytes: number;
  /** Of the whole log, as with the result. */
  readonly maxLogBytes: number;
  readonly maxToolArgumentBytes: number;
  readonly maxFileBytes: number;
}

/** What the executor needs to run a program once. Values only: it crosses a process boundary. */
export interface RunRequest {
  readonly executionId: string;
  readonly program: ProgramSource;
  /** JSON text. */
  readonly input: string;
  /** JSON text of the session's state at the start. */
  readonly state: string;
  readonly limits: RunLimits;
  /** The folder of kept results that the program may read from, inside that of all: one for each principal. Default: none. */
  readonly results?: string;
  /** The folder of skills that the program may read, likewise. */
  readonly skills?: string | undefined;
  /** Milliseconds since 1970 at the start. Default: the executor's clock. */
  readonly now?: number;
  /** 64 hexadecimal digits that all randomness of the run comes from. Default: fresh. */
  readonly seed?: string;
  /** Where the run goes on. Default: it starts. */
  readonly from?: RunFrom;
  /** When it may be put away while it waits. Default: never. */
  readonly hibernation?: HibernationRules;
}

/** When a run that waits leaves its instance. */
export interface HibernationRules {
  /** After so many milliseconds of one wait; at once when it waits for nothing but a timer that is further off. 0: at every wait. */
  readonly afterMs: number;
  /** A longer image is not stored: the run stays where it is. In bytes, as stored. */
  readonly maxImageBytes: number;
  /** So long it stays from when it came, whatever is short. Default: 0. */
  readonly stayMs?: number;
}

/** Where a run goes on that has been begun before. */
export type RunFrom =
  /** From memory that was put away. */
  | {
      readonly kind: 'image';
      readonly image: Uint8Array;
      /** The run's clock when it goes on, in milliseconds since 1970; not before it was put away. */
      readonly now: number;
      /** Calls that it waits for, as they were told when it was put away. */
      readonly pending: readonly number[];
      /** The number of its last call; 0 for none. */
      readonly lastCall: number;
    }
  /**
   * From the start, being given the same again. Its calls are asked for once more; each step waits until the answers are there that it
   * settled the first time. After the last step the run goes on by the clock and as answers come.
   */
  | {
      readonly kind: 'history';
      readonly steps: readonly RunStep[];
      /** The run's clock, were it past its steps already: what it goes on by after them. Default: it goes on where its last step was. */
      readonly now?: number | undefined;
    };

/**
 * What a run was given by one export call after `start`: the clock, and the calls that were settled, in this order. Without calls the earliest timer
 * that was due ran.
 */
export type RunStep = readonly [now: number, ...calls: number[]];

/** A file that a run has read. */
export interface FileRead {
  readonly path: string;
  /** Length of its content. */
  readonly bytes: number;
  /** Blake3 of its content, in hexadecimal; "" when it could not be read. */
  readonly hash: string;
}

/** What a run was given since it was last told, in order. Start, answers and all histories together are all that a run depends on. */
export interface RunHistory {
  readonly steps: readonly RunStep[];
  readonly files: readonly FileRead[];
}

/** A run that has left its instance. */
export interface HibernatedRun {
  readonly status: 'hibernated';
  /** For {@link RunFrom}: opaque, compressed, with a checksum. */
  readonly image: Uint8Array;
  /** Calls without an answer. */
  readonly pending: readonly number[];
  readonly lastCall: number;
  /** Due time of its earliest timer, in milliseconds since 1970. */
  readonly nextTimer: number | null;
  /** The run's clock when it was put away. */
  readonly now: number;
  /** So far. */
  readonly usage: RunUsage;
}

/** What the gateway does for a run, and hears of it. */
export interface RunEvents {
  /** Answers a tool call. The signal fires when the run ends, or leaves its process, without the answer. */
  call(call: ToolCall, signal: AbortSignal): Promise<ToolAnswer>;
  /** Answers a call of {@link RunFrom.pending} again, for a run that has gone on. */
  answer(call: number, signal: AbortSignal): Promise<ToolAnswer>;
  /** Comes before the calls, the outcome or the image that it led to. */
  history(history: RunHistory): void;
  /** The run should have been put away and cannot be: it waits where it is. */
  waiting?(nextTimer: number | null): void;
}

/** A program by its cache key, and what to make it from when no cache has it. */
export interface ProgramSource {
  /** Blake3 of bundle, engine, contract and options, in hexadecimal. */
  readonly key: string;
  readonly script: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
}

/** One tool call of a run, in the order in which they began. */
export interface CallRecord {
  readonly server: string;
  readonly tool: string;
  readonly ok: boolean;
  /** From beginning to answer, in milliseconds. */
  readonly ms: number;
  /** Why not ok. */
  readonly code?: ErrorCode;
}

export interface RunUsage {
  /** Deterministic work units: about one for each WebAssembly instruction. */
  readonly fuel: number;
  readonly peakMemoryBytes: number;
  readonly activeMs: number;
  readonly waitingMs: number;
  readonly toolCalls: number;
}

/** How a run ended. A failure's `stack` is the guest's own and untrusted; `result/` maps it to the agent's source. */
export type RunEnd =
  | { readonly status: 'completed'; readonly result: string; readonly state: string }
  | {
      readonly status: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly name?: string;
      readonly stack?: string;
      readonly hint?: string;
      /** When the caller may try again, in milliseconds from now. */
      readonly retryAfterMs?: number;
    };

export interface RunOutcome {
  readonly end: RunEnd;
  readonly logs: readonly LogEntry[];
  /** What is too large to be one text: then `end.result` is "", or `logs` is empty. */
  readonly large?: LargeOutcome;
  /** Bytes of log that were dropped because the log was full. */
  readonly droppedLogBytes: number;
  readonly calls: readonly CallRecord[];
  readonly usage: RunUsage;
  /** Where the program came from, and how long each phase in the executor took, in milliseconds. */
  readonly cache: 'hit' | 'miss';
  readonly phases: { readonly queue: number; readonly component: number; readonly run: number };
}

/** Parts of an outcome over 64 KiB, as UTF-8. From the guest, so bounded and nothing else. */
export interface LargeOutcome {
  /** JSON text of the result. */
  readonly result?: Uint8Array;
  /** All log entries, each as one line of JSON. */
  readonly logs?: Uint8Array;
  /** To be called when they are not needed any more. */
  readonly done?: () => void;
}

/** A tool call as it leaves the guest. `arguments` is JSON text, bounded but not validated. */
export interface ToolCall {
  readonly executionId: string;
  readonly number: number;
  readonly server: string;
  readonly tool: string;
  readonly arguments: string;
  /** The run's clock when it was made, in milliseconds since 1970. */
  readonly at?: number | undefined;
  /** Fuel that the run had used by then. */
  readonly fuel?: number | undefined;
  /** How many steps the run had been given by then. This and the two before are told of a run that is begun again: see {@link RunFrom}. */
  readonly step?: number | undefined;
}

/** The answer to a tool call: JSON text of the value, or an error that the program can catch. */
export type ToolAnswer = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly error: ToolAnswerError };

export interface ToolAnswerError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** The MCP content blocks of a tool's own error, intact. */
  readonly content?: unknown;
  /** The gateway's alone: JSON text of an answer that is too large for the program, as UTF-8. */
  readonly whole?: Uint8Array;
  /** `whole` is the JSON-RPC message that the answer came in. */
  readonly isMessage?: boolean;
}

/** The gateway's side of the executor process. */
export interface Executor {
  /**
   * Runs a program once. `onCall` is asked for every tool call, and its signal fires when the run ends without the answer.
   * @throws SandboxError when the run did not begin: ERR_EXECUTE_BUSY when the queue is full, ERR_EXECUTE_CANCELLED,
   * ERR_EXECUTE_LOST, ERR_SERVER_CLOSING, ERR_EXECUTE_RESULT_TOO_LARGE when the request is too large to send, ERR_EXECUTE_ENGINE when
   * a worker died, ERR_INTERNAL when the request is not one. Every end of a run that began is in the outcome.
   */
  run(request: RunRequest, onCall: (call: ToolCall, signal: AbortSignal) => Promise<ToolAnswer>, signal: AbortSignal): Promise<RunOutcome>;
  /** Makes a program ahead for a run that may come soon. Nothing of it runs. A failure is told by the run. */
  prepare(program: ProgramSource): void;
  /** Ends every run with ERR_EXECUTE_CANCELLED, then the process. */
  close(): Promise<void>;
}

/** An executor whose runs can leave it and come back. */
export interface DurableExecutor extends Executor {
  /**
   * As {@link Executor.run}, but told of what it was given, and possibly put away in the middle. Once: when the process is lost it is for the caller to
   * begin it again.
   * @throws RunLost when the process ended before the run did; ERR_COMPONENT_DAMAGED when the image of `request.from` is not one of
   * this program and engine; else as `run`
   */
  attempt(request: RunRequest, events: RunEvents, signal: AbortSignal): Promise<RunOutcome | HibernatedRun>;
}
