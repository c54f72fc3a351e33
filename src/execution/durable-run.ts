import type { OnCall } from '../execute/run-handle.ts';
import type { RunOutcome, RunRequest, ToolCall } from '../execute/run.ts';
import type { StoredExecution } from './execution-store.ts';

/** What a run waits for, as agents and operators see it. */
export type WaitReason =
  | { readonly kind: 'tool'; readonly call: number; readonly server: string; readonly tool: string; readonly since: number }
  | {
      readonly kind: 'approval';
      readonly call: number;
      readonly server: string;
      readonly tool: string;
      readonly since: number;
      /** Id of the question, for `ampoule approvals`. */
      readonly approval: string;
      readonly text: string;
    }
  /** `at` in milliseconds since 1970. */
  | { readonly kind: 'timer'; readonly at: number };

/** Hears where a run is, whenever that changes. */
export interface RunObserver {
  /** It is put away, or waits for a person: for what. It goes on: undefined. */
  onWaiting(reasons: readonly WaitReason[] | undefined): void;
}

/** A run that is carried to its end, whatever process is lost and however long it waits. */
export interface DurableRun {
  readonly request: RunRequest;
  /** Blake3 of the engine that it began on. */
  readonly engineHash: string;
  /** JSON text for {@link ExecutionStart.context}. */
  readonly context: string;
  readonly stateVersion?: number | undefined;
  /** What is stored of it, when it was begun before this process was. */
  readonly stored?: StoredExecution | undefined;
  readonly observer?: RunObserver | undefined;
  /**
   * Asks the operator whether a call may be made again that was sent before this process began, and may have been made. Absent: such a call fails
   * with ERR_CALL_INTERRUPTED, as it does with `executions.interruptedCalls: "fail"`.
   * @param sentAt milliseconds since 1970
   */
  readonly askRepeat?: ((call: ToolCall, sentAt: number, signal: AbortSignal) => Promise<boolean>) | undefined;
}

/** What tool calls tell the journal before anything leaves. */
export interface CallJournal {
  /** A person is asked about the call; nothing was sent. May be said again once the question is kept: then those who wait for the run hear of it. */
  asking(call: number): Promise<void>;
  /** The call is about to be sent. Rejects when that cannot be written down: then it must not be. */
  sending(call: number, isRepeatable: boolean): Promise<void>;
}

/** Carries runs to their ends. */
export interface DurableRuns {
  /**
   * Answers of `onCall` are kept; after a restart it is asked again only about calls that were never sent, or may be made twice.
   * @param onCall gets the journal of the run, for what leaves
   * @throws SandboxError as `Executor.run` when it did not begin; ERR_EXECUTION_FULL; ERR_SERVER_CLOSING after {@link leave}: then it has not ended, and
   * is carried on by whoever claims it. A run that was begun and cannot be carried on has an outcome that says so.
   */
  run(run: DurableRun, onCall: (journal: CallJournal) => OnCall, signal: AbortSignal): Promise<RunOutcome>;
  /**
   * Lets go of all runs that are kept, before anything that they depend on is closed: nothing more is written about them, and what their calls are
   * answered from now on is not their answer. Without a store nothing happens.
   */
  leave(): void;
}
