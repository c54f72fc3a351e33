import type { ErrorCode } from '../../errors.ts';

/** Why the host stopped a guest in the middle of an export call. */
export type StopCode = Extract<
  ErrorCode,
  | 'ERR_EXECUTE_RESULT_TOO_LARGE'
  | 'ERR_EXECUTE_FUEL'
  | 'ERR_EXECUTE_ACTIVE_TIME'
  | 'ERR_EXECUTE_WAITING_TIME'
  | 'ERR_EXECUTE_CANCELLED'
  | 'ERR_EXECUTE_TOOL_CALLS'
  | 'ERR_EXECUTE_MEMORY'
>;

/**
 * Thrown by the host into a running guest. It unwinds every WebAssembly frame and no guest code can catch it; the instance is
 * not at an export boundary afterwards and is thrown away.
 */
export class GuestStop extends Error {
  readonly code: StopCode;

  constructor(code: StopCode, message: string) {
    super(message);
    this.code = code;
  }
}
