import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../errors.ts';
import type { LinkPlan } from '../engine/abi/link-plan.ts';
import type { HibernatedRun, HibernationRules, LargeOutcome, RunEnd, RunFrom, RunHistory, RunLimits, ToolCall } from './run.ts';
import type { HeldMemoryShare } from './worker/held-memory.ts';
import type { RunPort } from './worker/run-port.ts';

/** What every worker of the pool gets when it starts. Modules are shared, not copied. */
export interface WorkerSetup {
  readonly plan: LinkPlan;
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
  /** The engine's memory image, in shared memory. */
  readonly base: Uint8Array;
  /** Virtual mount name to absolute folder. */
  readonly mounts: ReadonlyMap<string, string>;
}

/** What the pool adds to that. */
export interface WorkerData extends WorkerSetup {
  readonly held: HeldMemoryShare;
}

/** The one task that the pool gives a worker: to serve its line until the thread ends. */
export interface ServeTask {
  /** Carries lists of {@link LineMessage} in and lists of {@link LineEvent} out, for all runs of the worker. */
  readonly port: MessagePort;
  /** Memory of a {@link Board}. */
  readonly board: SharedArrayBuffer;
}

/** One run, as it goes to a worker. */
export interface RunTask {
  readonly executionId: string;
  readonly key: string;
  /** The encoded program, in shared memory, when the executor has it. */
  readonly program?: Uint8Array;
  /** What to make the program from when the executor does not have it. */
  readonly script?: string;
  /** How long the program took, in milliseconds, that was made ahead for this run. */
  readonly preparedMs?: number;
  readonly input: string;
  readonly state: string;
  readonly limits: RunLimits;
  /** Name of the folder in the mount "results" that this run may read from. */
  readonly results?: string;
  /** Name of the folder in the mount "skills", likewise. */
  readonly skills?: string;
  /** The run's clock at its start, also for one that goes on. */
  readonly now: number;
  readonly seed: string;
  /** Where it goes on. Default: it starts. An image needs memory of its own: what is copied to the worker is all of its buffer. */
  readonly from?: RunFrom;
  /** When it may be put away. Default: never. */
  readonly hibernation?: HibernationRules;
}

/** One run, as it is inside its worker. */
export interface WorkerTask extends RunTask {
  /** Carries {@link WorkerMessage} out and {@link RunMessage} in. */
  readonly port: RunPort;
  /** One Int32 in shared memory: 1 stops the run while it computes. */
  readonly interrupt: Int32Array;
}

/** A program to make, without a run. */
export interface MakeTask {
  readonly key: string;
  readonly script: string;
  /** Nobody has asked for it yet: it may not take long. */
  readonly ahead?: boolean;
}

/** The encoded program, or why the engine refused the bundle. */
export type MakeResult = Uint8Array | Extract<RunEnd, { status: 'failed' }>;

/** Into a run. `hibernate` asks one that waits, and may be put away, to be so now; one that does not wait is not moved by it. */
export type RunMessage = AnswerMessage | { readonly type: 'cancel' } | { readonly type: 'hibernate' };

export interface AnswerMessage {
  readonly type: 'answer';
  readonly call: number;
  readonly ok: boolean;
  /** Why not ok. */
  readonly code?: ErrorCode | undefined;
  /** JSON text, as the guest contract has it; as UTF-8, with memory of its own, when it is large. */
  readonly answer: string | Uint8Array<ArrayBuffer>;
}

/** Out of a run, before its outcome. */
export type WorkerMessage = { readonly type: 'call'; readonly call: ToolCall };

/** Most steps, and most files, in one {@link RunHistory} that leaves a worker: with more it comes in several. */
export const MAX_HISTORY_STEPS = 10_000;
export const MAX_HISTORY_FILES = 1_000;

/** A tool call on its way to the gateway; whose it is says the message around it. */
export type SentCall = Omit<ToolCall, 'executionId'>;

/** Main thread to worker. What comes up in one turn goes in one list. */
export type LineMessage =
  /** `slot` is the run's place on the board; `queuedMs` is how long it waited for this worker. */
  | { readonly type: 'run'; readonly run: number; readonly slot: number; readonly queuedMs: number; readonly task: RunTask }
  | { readonly type: 'make'; readonly run: number; readonly task: MakeTask }
  | { readonly type: 'message'; readonly run: number; readonly message: RunMessage }
  /** Answered on the board, like every list. */
  | { readonly type: 'ping' };

/** Worker to main thread. */
export type LineEvent =
  /** `waits` is said once: the run lets others have their turn now. */
  | ({ readonly type: 'step'; readonly run: number; readonly waits: boolean } & StepNews)
  /** The run should have been put away, and its image is too long: it waits where it is. Said once for each wait. */
  | { readonly type: 'waiting'; readonly run: number; readonly nextTimer: number | null }
  /** The run has left the worker. */
  | ({ readonly type: 'end'; readonly run: number } & WorkerResult)
  | { readonly type: 'made'; readonly run: number; readonly result: MakeResult }
  /** The run, or the making of a program, failed in a way that is not the program's. */
  | { readonly type: 'failed'; readonly run: number; readonly message: string; readonly code?: ErrorCode }
  /** The run of this slot was taken back before it began. */
  | { readonly type: 'skipped'; readonly slot: number };

/** One step of a run. */
export interface StepNews {
  /** What the run was given since it was last told, up to what led to these calls. Not the steps of {@link RunFrom}: who gave them knows them. */
  readonly history?: RunHistory;
  /** A run that goes on waits for the answers of these calls, which it made before. */
  readonly awaits?: readonly number[];
  /** Calls that it makes now. */
  readonly calls: readonly SentCall[];
}

/** How a run left its worker: it ended, or it was put away. */
export type WorkerResult = EndedRun | PutAwayRun;

interface LeftRun {
  /** What it was given since it was last told: what led to the outcome, or to the image. */
  readonly history?: RunHistory;
  /** The encoded program, when this run made it. */
  readonly made?: Uint8Array;
  /** Whether the instance was thrown away: the worker has to make another one. */
  readonly broken: boolean;
}

export interface EndedRun extends LeftRun {
  /** JSON text of the whole outcome: the main thread only passes it on. */
  readonly outcome: string;
  /** What of it is too large to be written as JSON text once more. */
  readonly large?: LargeOutcome;
  readonly hibernated?: undefined;
}

export interface PutAwayRun extends LeftRun {
  /** Its image has memory of its own. */
  readonly hibernated: HibernatedRun;
  readonly outcome?: undefined;
  readonly large?: undefined;
}
