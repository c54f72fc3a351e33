import { SandboxError } from '../../src/errors.ts';
import type { RunEnd, ToolAnswer } from '../../src/execute/run.ts';

/** As the executor's own error for a process that was lost. */
export class PlayedLoss extends SandboxError {
  readonly hasBegun: boolean;

  constructor(hasBegun: boolean) {
    super('ERR_EXECUTE_LOST', 'The executor process ended.');
    this.hasBegun = hasBegun;
  }
}

/** How a played run fails. */
export function failure(code: 'ERR_EXECUTE_CANCELLED' | 'ERR_EXECUTE_WAITING_TIME'): RunEnd {
  return { status: 'failed', code, message: `The played run ended with ${code}.` };
}

/** An answer that there should not be. */
export function failed(message: string): ToolAnswer {
  return { ok: false, error: { code: 'ERR_INTERNAL', message } };
}
