import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** With nothing new for so long, all that was on its way has arrived; and no longer than so long in all, whoever keeps coming. */
const QUIET_MS = 15;
const LONGEST_MS = 500;

/**
 * Waits for what clients have sent already. A server that closes at once cuts connections that it has not taken and requests that it
 * has not read, and their clients never learn whether a run has begun; these are to be refused in words instead.
 */
export function createLastCall(server: Server): () => Promise<void> {
  let arrived = 0;
  const count = (): void => void arrived++;
  server.on('connection', count);
  server.on('request', count);
  return async () => {
    const end = performance.now() + LONGEST_MS;
    for (let before = -1; before !== arrived && performance.now() < end;) {
      before = arrived;
      // Between two timers the event loop takes every connection and reads every request that is there.
      await delay(QUIET_MS);
    }
  };
}
