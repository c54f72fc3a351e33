import { setTimeout as delay } from 'node:timers/promises';
import { SandboxError } from '../errors.ts';
import { LOCAL_PRINCIPAL } from './sandbox-port.ts';

/** Waits for runs that one principal may have open. Each holds a connection, of which there are 10,000 in all: nobody may take them from the others. */
const MAX_WAITS = 1_000;

/** The runs that are going on, so that closing can wait for them. */
export interface RunTracker {
  track<T>(run: Promise<T>): Promise<T>;
  /** Counts a wait of a principal until what is given back is called; undefined when it has too many. Where everybody is `local` there are no others. */
  beginWait(principal: string): (() => void) | undefined;
  /** Resolves when no run is left, or after `timeoutMs`. */
  idle(timeoutMs: number): Promise<void>;
}

export function createRunTracker(maxWaits = MAX_WAITS): RunTracker {
  const running = new Set<Promise<unknown>>();
  const waits = new Map<string, number>();
  return {
    beginWait: (principal) => {
      const open = waits.get(principal) ?? 0;
      if (open >= maxWaits && principal !== LOCAL_PRINCIPAL) return undefined;
      waits.set(principal, open + 1);
      return () => {
        const left = (waits.get(principal) ?? 1) - 1;
        if (left > 0) waits.set(principal, left);
        else waits.delete(principal);
      };
    },
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
