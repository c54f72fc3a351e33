import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../errors.ts';
import type { LinkPlan } from '../engine/abi/link-plan.ts';
import type { RunEnd, RunLimits, RunOutcome, ToolCall } from './run.ts';

/** What every worker of the pool gets when it starts. Modules are shared, not copied. */
export interface WorkerSetup {
  readonly plan: LinkPlan;
  readonly modules: ReadonlyMap<string, WebAssembly.Module>;
  /** The engine's memory image, in shared memory. */
  readonly base: Uint8Array;
  /** Virtual mount name to absolute folder. */
  readonly mounts: ReadonlyMap<string, string>;
}

/** One run, as a worker gets it. */
export interface WorkerTask {
  readonly executionId: string;
  readonly key: string;
  /** The encoded program, in shared memory, when the executor has it. */
  readonly program?: Uint8Array;
  /** What to make the program from when the executor does not have it. */
  readonly script?: string;
  readonly input: string;
  readonly state: string;
  readonly limits: RunLimits;
  readonly now: number;
  readonly seed: string;
  /** Carries {@link WorkerMessage} out and {@link RunMessage} in. */
  readonly port: MessagePort;
  /** One Int32 in shared memory: 1 stops the run while it computes. */
  readonly interrupt: Int32Array;
}

/** A program to make, without a run. */
export interface MakeTask {
  readonly key: string;
  readonly script: string;
}

/** The encoded program, or why the engine refused the bundle. */
export type MakeResult = Uint8Array | Extract<RunEnd, { status: 'failed' }>;

/** Into a run. */
export type RunMessage = AnswerMessage | { readonly type: 'cancel' };

export interface AnswerMessage {
  readonly type: 'answer';
  readonly call: number;
  readonly ok: boolean;
  /** Why not ok. */
  readonly code?: ErrorCode | undefined;
  /** JSON text, as the guest contract has it. */
  readonly answer: string;
}

/** Out of a run, before its outcome. */
export type WorkerMessage = { readonly type: 'call'; readonly call: ToolCall };

export interface WorkerResult {
  readonly outcome: Omit<RunOutcome, 'phases' | 'cache'>;
  readonly componentMs: number;
  readonly runMs: number;
  readonly cache: 'hit' | 'miss';
  /** The encoded program, when this run made it. */
  readonly made?: Uint8Array;
}
