import { setTimeout as delay } from 'node:timers/promises';
import { SandboxError } from '../errors.ts';

/** The runs that are going on, so that closing can wait for them. */
export interface RunTracker {
  track<T>(run: Promise<T>): Promise<T>;
  /** Resolves when no run is left, or after `timeoutMs`. */
  idle(timeoutMs: number): Promise<void>;
}

export function createRunTracker(): RunTracker {
  const running = new Set<Promise<unknown>>();
  return {
    track: async (run) => {
      running.add(run);
      try {
        return await run;
      } finally {
        running.delete(run);
      }
    },
    idle: async (timeoutMs) => {
      const timeout = new AbortController();
      await Promise.race([Promise.allSettled(running), delay(timeoutMs, undefined, { signal: timeout.signal }).catch(() => undefined)]);
      timeout.abort();
    },
  };
}

/** Why everything that still runs ends when the server does. */
export function closingError(): SandboxError {
  return new SandboxError('ERR_SERVER_CLOSING', 'The server is shutting down; the code did not run to its end.');
}
