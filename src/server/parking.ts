import type { Principal } from '../access/principal.ts';
import type { Approvals } from '../execution/approvals.ts';
import type { ApprovalAnswer, ApprovalQuestion, Approver } from '../policy/approval.ts';
import type { AnswerForm, ExecuteResponse, ProgressEvent } from './sandbox-port.ts';

/** Requests in a row that a run may end with questions: clients give up after so many, and would never hear what the run has done. */
export const MAX_ROUNDS = 10;

/** The request that a run has at the moment. */
export interface Attached {
  /** Fires when the client goes: then the run ends, unless it only waits for it. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  readonly isWait?: boolean | undefined;
  /** Who came with it: what is begun in this name ends when the key or token is taken back. */
  readonly owner?: Principal | undefined;
  /** Where the answer has its content. */
  readonly form?: AnswerForm | undefined;
}

/** What a run is started with. */
export interface ParkedCaller {
  readonly signal: AbortSignal;
  readonly approver: Approver;
  readonly onProgress: (event: ProgressEvent) => void;
}

/** How far a run is: through, or waiting for answers that the next request brings along with `state`. */
export type Step =
  | { readonly response: ExecuteResponse }
  | { readonly state: string; readonly questions: ReadonlyMap<string, ApprovalQuestion> };

/** Runs that go on over several requests, because a person has to be asked in between. */
export interface Parking {
  /** Runs that go on without a request. */
  readonly size: number;
  /** @throws SandboxError ERR_CALL_APPROVAL when no run waits under this state */
  demand(principal: string, state: string): void | Promise<void>;
  /** Starts a run; comes back when it is through or asks something. */
  start(principal: string, attached: Attached, begin: (caller: ParkedCaller) => Promise<ExecuteResponse>): Promise<Step>;
  /**
   * Goes on with a run.
   * @throws SandboxError ERR_CALL_APPROVAL when there is no such run of this principal
   */
  resume(principal: string, state: string, answers: ReadonlyMap<string, ApprovalAnswer>, attached: Attached): Promise<Step>;
  /** Ends runs that were begun in the name of some principals. Those that have a request are ended with it. */
  cancelOf(isOver: (principal: Principal) => boolean): void;
}

/** What the sandbox does for clients that come back with answers. */
export type ApprovalPort = Pick<Approvals, 'answer' | 'attach' | 'mintState' | 'open' | 'readState'>;
