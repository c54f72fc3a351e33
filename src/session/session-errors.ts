import { SandboxError } from '../errors.ts';
import { isHandle } from './handle.ts';

/**
 * One error for a handle that never was, whose time is over, that was ended, or that belongs to somebody else: who holds a handle learns
 * nothing from it about the sessions of others.
 */
export function unknownSession(handle: string, ttlMs: number): SandboxError {
  const shown = isHandle(handle) ? `${handle.slice(0, 10)}…` : 'given';
  const end = `A handle ends ${duration(ttlMs)} after its last use, or earlier when the server makes room or its operator ends it.`;
  return new SandboxError('ERR_SESSION_UNKNOWN', `The session ${shown} does not exist. ${end}`);
}

/** Each of several runs kept within the limit, but what they left together does not. */
export function stateTooLarge(bytes: number, maxBytes: number): SandboxError {
  const message = `With what another run of the session has kept meanwhile, the state is ${bytes} bytes; the limit is ${maxBytes} bytes. This run's changes were not kept.`;
  return new SandboxError('ERR_EXECUTE_RESULT_TOO_LARGE', message, {
    hint: 'Run it again and keep less: it begins with the newer state.',
  });
}

/** For agents: what is wrong with the file is the operator's concern, and in the cause. */
export function storeError(cause?: unknown): SandboxError {
  return new SandboxError('ERR_SESSION_STORE', 'The session store cannot be used at the moment.', { cause });
}

/** For the operator, at the start. */
export function openingError(file: string | undefined, cause: unknown): SandboxError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SandboxError('ERR_SESSION_STORE', `The sessions in ${file ?? 'memory'} cannot be opened: ${reason}.`, {
    hint: 'Without that file there is a new one, and the sessions in it have ended.',
    cause,
  });
}

function duration(ms: number): string {
  const units = [
    ['hours', 3_600_000],
    ['minutes', 60_000],
    ['seconds', 1_000],
  ] as const;
  for (const [name, size] of units) if (ms >= size) return `${Math.round((ms / size) * 10) / 10} ${name}`;
  return `${ms} ms`;
}
