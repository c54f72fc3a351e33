import type { RunHistory, RunLimits, RunUsage, ToolAnswer } from '../execute/run.ts';

/** Where an execution is. `waiting`: it is put away, or waits for a person. The last three are final. */
export type ExecutionStatus = 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';

/** An execution that was accepted. From now on it is carried on with whatever ends. */
export interface NewExecution {
  readonly id: string;
  readonly principal: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** JSON text of the request and of who made it: the gateway's own, all it needs to begin the execution again. */
  readonly request: string;
}

/** What a run is started with: with its answers and history all that it depends on. */
export interface ExecutionStart {
  readonly programKey: string;
  readonly engineHash: string;
  readonly script: string;
  /** JSON text. */
  readonly input: string;
  /** JSON text of the session's state. */
  readonly state: string;
  /** Version of that state; undefined without a session. */
  readonly stateVersion?: number | undefined;
  readonly limits: RunLimits;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly seed: string;
  readonly results?: string | undefined;
  readonly skills?: string | undefined;
  /** JSON text: what the gateway knows beside that, such as the handle of a session. */
  readonly context: string;
}

/** A tool call that is about to be made, or about which a person is asked. */
export interface StoredCall {
  readonly number: number;
  readonly server: string;
  readonly tool: string;
  /** JSON text, as the program gave it. */
  readonly arguments: string;
  /** `asked`: a person is asked, nothing was sent. `sent`: it was, or was about to be. */
  readonly stage: 'asked' | 'sent' | 'answered';
  /** Whether making it twice is as good as once. */
  readonly isRepeatable: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** When it was sent, in milliseconds since 1970: the last times. Absent: once, when it was made, without anybody being asked. */
  readonly sentAt?: readonly number[] | undefined;
  readonly answeredAt?: number | undefined;
  readonly answer?: ToolAnswer | undefined;
}

/** The call that an answer is for. `answeredAt`: when it came; default: now. */
export type AnsweredCall = Pick<StoredCall, 'number' | 'server' | 'tool' | 'arguments' | 'answeredAt'>;

/** A run that is put away, without its image. */
export interface StoredWait {
  readonly pending: readonly number[];
  readonly lastCall: number;
  readonly nextTimer: number | null;
  /** The run's clock when it was put away. */
  readonly now: number;
  /** The machine's clock then. */
  readonly at: number;
  readonly usage: RunUsage;
  /** Length of its image as stored, in bytes. */
  readonly imageBytes: number;
}

/** How an execution ended. */
export interface ExecutionEnd {
  readonly status: 'completed' | 'failed' | 'cancelled';
  /** The code of a failure. */
  readonly code?: string | undefined;
  readonly usage: RunUsage;
  /** JSON text of the run's own outcome, for a comparison with a replay; absent when nothing ran. */
  readonly outcome?: string | undefined;
  /** JSON text of the answer that the agent gets. */
  readonly response: string;
}

/** For the story of an execution. */
export interface ExecutionEvent {
  readonly kind: 'hibernated' | 'resumed' | 'restarted';
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Of the image, when it was put away. */
  readonly imageBytes?: number | undefined;
}

export interface StoredExecution extends NewExecution {
  readonly status: ExecutionStatus;
  readonly start?: ExecutionStart | undefined;
  readonly calls: readonly StoredCall[];
  readonly history: RunHistory;
  /** Whether all that it depended on is here, so that it can be begun again from the start: a record that got too long is not, nor one that could not be written whole. */
  readonly isComplete: boolean;
  /** Whether it can go on from its image: there is one, and the answers of all calls that were pending then or came later are here as far as there are any. */
  readonly canWake: boolean;
  /** What became of it when, the first few hundred. */
  readonly events: readonly ExecutionEvent[];
  readonly wait?: StoredWait | undefined;
  /** How often it was put away so far. */
  readonly hibernations: number;
  /** How often it was begun again after a process was lost. */
  readonly restarts: number;
  /** Somebody has asked for its end. */
  readonly isCancelRequested: boolean;
  readonly end?: ExecutionEnd | undefined;
  readonly endedAt?: number | undefined;
}

/** Where an execution is and how it ended, without its calls, answers and history: those may be many megabytes, and clients look again and again. */
export interface ExecutionGlance extends Pick<StoredExecution, 'id' | 'principal' | 'createdAt' | 'status' | 'end' | 'endedAt'> {
  /** When it was put away last. */
  readonly asleepAt?: number | undefined;
  readonly seed?: string | undefined;
}

/** What an execution waits for: calls without an answer, and what was said when it was put away last. */
export type ExecutionWaits = Pick<StoredExecution, 'calls' | 'wait'>;

/** One line of a list. */
export interface ExecutionSummary {
  readonly id: string;
  readonly principal: string;
  readonly status: ExecutionStatus;
  readonly code?: string | undefined;
  readonly createdAt: number;
  readonly endedAt?: number | undefined;
  readonly programKey?: string | undefined;
  readonly toolCalls: number;
  readonly fuel: number;
  readonly hibernations: number;
  readonly imageBytes: number;
}

export interface ExecutionFilter {
  readonly status?: readonly ExecutionStatus[] | undefined;
  readonly principal?: string | undefined;
  /** Created at this time or later, in milliseconds since 1970. */
  readonly since?: number | undefined;
  /** Ended at this time or later, in milliseconds since 1970: then those that ended last come first, whatever their status. */
  readonly endedSince?: number | undefined;
  /** Most that are listed, the newest first. */
  readonly limit?: number | undefined;
}

/** One question to a person, as it is kept. */
export interface StoredApproval {
  /** `apr_` and random. */
  readonly id: string;
  readonly executionId: string;
  readonly principal: string;
  readonly call: number;
  /** `approve`: may the call be made. `repeat`: a call that may have been made already, may it be made again. */
  readonly kind: 'approve' | 'repeat';
  readonly server: string;
  readonly tool: string;
  /** JSON text of the arguments, as they may be shown. */
  readonly arguments: string;
  /** The whole question in plain words, harmless to show: program, call, arguments, rule. */
  readonly text: string;
  readonly askedAt: number;
  readonly decision?: ApprovalDecision | undefined;
}

export interface ApprovalDecision {
  readonly granted: boolean;
  /** Who: `operator`, `client`, or `timeout` when nobody did in time. */
  readonly by: string;
  readonly at: number;
}

/**
 * Keeps executions, so that they can be carried on with, told about and replayed. All that a second machine needs to wake a run is in it. The
 * embedded one is a file; another one has to keep these promises:
 * - what was written earlier for an execution is there whenever something written later is (writes keep their order);
 * - a promise resolves when what it wrote survives the end of this process;
 * - an unfinished execution has one owner, the store that created or claimed it, until that is closed or its process ends.
 *
 * Every method may throw SandboxError ERR_EXECUTION_STORE.
 */
export interface ExecutionStore {
  /** Whether what is written survives the end of this process. Not in memory: then no answer may promise that a run goes on after a restart. */
  readonly isDurable: boolean;
  /**
   * Lets a principal begin an execution, unless those of it that have not ended hold its share of the store. In time for each: nothing is waited for. What
   * gets past it finds no room when it is written.
   * @throws SandboxError ERR_EXECUTION_FULL
   */
  admit(principal: string): void;
  create(execution: NewExecution): Promise<void>;
  start(id: string, start: ExecutionStart): Promise<void>;
  /** Appends to the history. Written with, or before, whatever comes next for this execution. */
  history(id: string, history: RunHistory): void;
  /** A call in stage `asked` or `sent`; a later stage replaces an earlier one. */
  call(id: string, call: StoredCall): Promise<void>;
  /** @returns whether the answer is there: not where the record is too long to keep it */
  answered(id: string, call: AnsweredCall, answer: ToolAnswer): Promise<boolean>;
  /** Replaces the image before. @throws SandboxError ERR_EXECUTION_FULL when there is no room for it */
  hibernated(id: string, wait: StoredWait, image: Uint8Array): Promise<void>;
  /** It goes on, or waits for a person. */
  status(id: string, status: 'running' | 'waiting'): void;
  /** It is begun again after a process was lost. @returns how often that was, this time included */
  restarted(id: string): Promise<number>;
  /** The end; the first one counts. The image goes. @param whose the principal, for what is kept in memory until it can be written */
  ended(id: string, end: ExecutionEnd, whose?: string): Promise<void>;
  read(id: string): Promise<StoredExecution | undefined>;
  glance(id: string): Promise<ExecutionGlance | undefined>;
  /** As {@link glance}: without answers and history. */
  waits(id: string): Promise<ExecutionWaits | undefined>;
  /** The answer to one call; undefined when it is not there, or not any more. @throws SandboxError ERR_EXECUTION_DAMAGED */
  answer(id: string, call: number): Promise<ToolAnswer | undefined>;
  /** The last image. @throws SandboxError ERR_EXECUTION_DAMAGED when it is not what was written */
  image(id: string): Promise<Uint8Array | undefined>;
  list(filter: ExecutionFilter): Promise<ExecutionSummary[]>;
  /** Takes over unfinished executions whose owner is gone, the oldest first. @returns their ids */
  claim(): Promise<string[]>;
  /** Keeps a question. When there is one about that call already, that one is given back, perhaps with its decision. */
  ask(approval: StoredApproval): Promise<StoredApproval>;
  /** Decides, unless somebody was faster. @returns the approval as it stands now; undefined when there is none by that id */
  decide(id: string, decision: ApprovalDecision): Promise<StoredApproval | undefined>;
  approval(id: string): Promise<StoredApproval | undefined>;
  /** Open questions, the oldest first; of one execution, or of all. */
  approvals(executionId?: string): Promise<StoredApproval[]>;
  /** Tells, within half a second, of decisions that another process has made about executions of ours. @returns how to end that */
  onDecision(listener: (approval: StoredApproval) => void): () => void;
  /** Every question about an execution, in their order, with what was decided. */
  approvalsOf(executionId: string): Promise<StoredApproval[]>;
  /** Asks the owner of an execution, which may be another process, to end it. False when it has ended, or there is none. */
  requestCancel(id: string): Promise<boolean>;
  /** Tells of such requests, as `onDecision`. */
  onCancelRequest(listener: (executionId: string) => void): () => void;
  /** Somebody waits for what was asked last: the store may otherwise take a few milliseconds, to do more at once. */
  hurry?(): void;
  /** Gives executions that have not ended to whoever claims them, and closes. */
  close(): Promise<void>;
}
