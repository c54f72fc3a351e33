import { SandboxError } from '../errors.ts';

/** A run is begun so often when the processes that should run it end before they begin it. */
const MAX_ATTEMPTS = 2;
const NOTHING_BEGUN = 'Nothing of the program has run: it can be sent again.';

/** The process that had the run, or should have had it, has ended. Code ERR_EXECUTE_LOST. */
export class RunLost extends SandboxError {
  /** Whether the run may have begun. One that has not can be given to another process as if nothing had been. */
  readonly hasBegun: boolean;

  constructor(hasBegun: boolean, reason?: string) {
    const hint = hasBegun ? 'Check what its tool calls changed before sending it again.' : NOTHING_BEGUN;
    super('ERR_EXECUTE_LOST', 'The executor process ended.', { hint, ...(reason !== undefined && { cause: new Error(reason) }) });
    this.hasBegun = hasBegun;
  }
}

/**
 * Does a run again when it was lost before it began, once. One that had begun is never done again: it may have called tools, and it may be
 * what ended the process.
 */
export async function againWhenLost<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (thrown) {
      if (!(thrown instanceof RunLost) || thrown.hasBegun || attempt === MAX_ATTEMPTS) throw thrown;
    }
  }
}

export function cancelled(): SandboxError {
  return new SandboxError('ERR_EXECUTE_CANCELLED', 'The run was cancelled before it began.');
}

export function closing(): SandboxError {
  return new SandboxError('ERR_SERVER_CLOSING', 'The server is shutting down.');
}
