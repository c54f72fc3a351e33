import { SandboxError } from '../errors.ts';

/** For agents: what is wrong with the file is the operator's concern, and in the cause. */
export function storeError(cause?: unknown): SandboxError {
  return new SandboxError('ERR_EXECUTION_STORE', 'The store of executions cannot be used at the moment.', { cause });
}

/** For the operator, at the start. */
export function openingError(file: string | undefined, cause: unknown): SandboxError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SandboxError('ERR_EXECUTION_STORE', `The executions in ${file ?? 'memory'} cannot be opened: ${reason}.`, {
    hint: 'Without that file there is a new one, and the runs that wait in it do not go on.',
    cause,
  });
}

export function unknownExecution(id: string): SandboxError {
  const shown = JSON.stringify(id.slice(0, 64));
  return new SandboxError('ERR_EXECUTION_UNKNOWN', `There is no execution ${shown}, or it is not kept any more.`);
}

/** Only what goes on can be put away, asked about or told of a call. */
export function hasEnded(id: string): SandboxError {
  return new SandboxError('ERR_EXECUTION_UNKNOWN', `The execution ${id} has ended.`);
}

/** Another process has taken it over: whatever this one still does with it is not written down, and must not be done. */
export function notOurs(id: string): SandboxError {
  return new SandboxError('ERR_EXECUTION_STORE', `The execution ${id} is carried on by another process.`);
}

/** @param what - what of it: "image", "record" */
export function damagedExecution(id: string, what: string): SandboxError {
  return new SandboxError('ERR_EXECUTION_DAMAGED', `The ${what} of the execution ${id} is not what was written.`);
}

/** What a principal's executions that go on hold is its share of the store. @param own bytes that they hold */
export function noShare(principal: string, own: number, maxBytes: number): SandboxError {
  const whose = `The executions of ${JSON.stringify(principal.slice(0, 64))} that have not ended hold ${own} bytes`;
  return new SandboxError('ERR_EXECUTION_FULL', `${whose}, which is its share of limits.maxStoredBytes (${maxBytes}).`, {
    hint: 'Wait until some of them have ended, or end them with cancel_execution. The operator can raise limits.maxStoredBytes.',
  });
}

export function noRoom(bytes: number, maxBytes: number): SandboxError {
  const message = `There is no room for ${bytes} bytes of a run that is to sleep: executions that go on take all of the ${maxBytes} bytes that may be stored.`;
  return new SandboxError('ERR_EXECUTION_FULL', message);
}
