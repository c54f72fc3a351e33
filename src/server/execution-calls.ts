import { toSandboxError, type SandboxError } from '../errors.ts';
import { parseCancelRequest, parseWaitRequest } from './execution-input.ts';
import { parseExecuteRequest } from './input-schema.ts';
import type { LogLevels } from './log-levels.ts';
import type { Parking } from './parking.ts';
import type { RunTracker } from './run-tracker.ts';
import { LOCAL_PRINCIPAL, type ExecuteOptions, type ExecuteResponse } from './sandbox-port.ts';
import type { ServerOptions } from './server-options.ts';
import { CANCEL_TOOL_NAME, TOOL_NAME, WAIT_TOOL_NAME } from './tool-name.ts';
import { tellWaiting } from './wait-progress.ts';

export interface ExecuteCodeDeps extends Pick<ServerOptions, 'port' | 'limits' | 'log' | 'answers'> {
  readonly runs: RunTracker;
  /** Runs that wait for a person between two requests. */
  readonly parked: Parking;
  /** What clients have asked to hear of logs. */
  readonly levels: LogLevels;
  /** Fires when the server begins to close, with a SandboxError as its reason. */
  readonly closing: AbortSignal;
}

/** A call of a tool whose answer is that of an execution. Never throws: whatever goes wrong is an answer with a code. */
export type ExecutionCall = (args: unknown, caller: ExecuteOptions, deps: ExecuteCodeDeps) => Promise<ExecuteResponse>;

/** Runs a program. */
export const callExecuteCode: ExecutionCall = (args, caller, deps) =>
  guarded(TOOL_NAME, caller, deps, (options) => deps.port.execute(parseExecuteRequest(args, deps.limits), options));

/** Waits for an execution that goes on. To give up waiting leaves it alone. Who waits for too many is told how this one is now. */
export const callWaitExecution: ExecutionCall = (args, caller, deps) =>
  guarded(WAIT_TOOL_NAME, caller, deps, async ({ onProgress, ...options }) => {
    const request = parseWaitRequest(args);
    const endWait = deps.runs.beginWait(options.principal ?? LOCAL_PRINCIPAL);
    const told = tellWaiting(onProgress);
    try {
      return await deps.port.waitExecution(endWait ? request : { ...request, timeoutMs: 0 }, options);
    } finally {
      told.end();
      endWait?.();
    }
  });

/** Ends an execution that goes on. That it is cancelled is no error then. */
export const callCancelExecution: ExecutionCall = (args, caller, deps) =>
  guarded(CANCEL_TOOL_NAME, caller, deps, async (options) => {
    const response = await deps.port.cancelExecution(parseCancelRequest(args), options);
    return { ...response, isWanted: response.structured.error?.code === 'ERR_EXECUTE_CANCELLED' };
  });

/** The tools whose answers are those of executions, by name. */
export const EXECUTION_CALLS: ReadonlyMap<string, ExecutionCall> = new Map([
  [TOOL_NAME, callExecuteCode],
  [WAIT_TOOL_NAME, callWaitExecution],
  [CANCEL_TOOL_NAME, callCancelExecution],
]);

async function guarded(
  tool: string,
  caller: ExecuteOptions,
  { port, log, closing, runs }: ExecuteCodeDeps,
  call: (options: ExecuteOptions) => Promise<ExecuteResponse>,
): Promise<ExecuteResponse> {
  try {
    closing.throwIfAborted();
    const signal = AbortSignal.any([caller.signal, closing]);
    return await runs.track(call({ ...caller, signal }));
  } catch (thrown) {
    const error: SandboxError = toSandboxError(closing.aborted ? closing.reason : thrown);
    if (error.code === 'ERR_INTERNAL') log.error({ err: thrown }, `${tool} failed unexpectedly`);
    return port.refuse(error, caller.form);
  }
}
