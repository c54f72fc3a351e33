import type { ExecuteResponse } from '../result/present.ts';
import type { ExecuteOptions } from './sandbox-port.ts';

/** When a call of `execute_code` is answered. `completed`: when the run has ended. `return-when-waiting`: already when it is put away or waits for a person. */
export type WaitMode = 'completed' | 'return-when-waiting';

export interface WaitRequest {
  readonly executionId: string;
  /** Milliseconds to wait for its end; 0 says how it is now. Default: `answerAfterMs`. */
  readonly timeoutMs?: number;
}

/** Where an execution is, without its answer. Times in milliseconds since 1970. */
export interface ExecutionState {
  readonly executionId: string;
  readonly status: 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';
  readonly createdAt: number;
  readonly updatedAt: number;
  /** How long it is kept after its end, in milliseconds. */
  readonly ttlMs: number;
}

/** Executions that go on without an open request. Another principal's is as unknown as one that never was. */
export interface ExecutionPort {
  /** The answer of an execution as soon as it has ended, or, after the time, one that says what it waits for. Failures are answers too. */
  waitExecution(request: WaitRequest, options: ExecuteOptions): Promise<ExecuteResponse>;
  /** Ends an execution and gives its answer. One that has ended stays as it is. Failures are answers too. */
  cancelExecution(executionId: string, options: ExecuteOptions): Promise<ExecuteResponse>;
  /** @returns undefined when the principal has no such execution */
  executionState(executionId: string, principal: string): Promise<ExecutionState | undefined>;
  /** The executions of the principal that are still kept, the newest first. */
  listExecutions(principal: string, limit: number): Promise<readonly ExecutionState[]>;
}
