import type { Client, McpSubscription } from '@modelcontextprotocol/client';
import { pause } from './abortable.ts';
import { backOffMs } from './back-off.ts';

/** A stream that lived this long was a good one. */
const GOOD_MS = 10_000;

export interface ChangeStreamHooks {
  /** The stream was opened again: there may be changes that nobody told us of. */
  readonly onReopened: () => void;
  readonly onTrouble: (error: Error) => void;
}

/**
 * Keeps the stream open on which a server of the 2026 protocol tells of changes: the SDK opens it once and not again.
 * Returns when the signal fires, or at once when there is no such stream.
 */
export async function keepChangeStream(client: Client, hooks: ChangeStreamHooks, signal: AbortSignal): Promise<void> {
  let stream = client.autoOpenedSubscription;
  for (let attempt = 0; stream !== undefined && !signal.aborted;) {
    const openedAt = performance.now();
    await stream.closed;
    if (signal.aborted) return;
    hooks.onTrouble(new Error('the stream of changes ended'));
    // A server that ends each stream at once is not asked at full speed.
    if (performance.now() - openedAt > GOOD_MS) attempt = 0;
    stream = undefined;
    while (stream === undefined && !signal.aborted) {
      await pause(backOffMs(attempt++), signal);
      stream = await reopen(client, hooks, signal);
    }
  }
}

async function reopen(client: Client, hooks: ChangeStreamHooks, signal: AbortSignal): Promise<McpSubscription | undefined> {
  if (signal.aborted) return undefined;
  try {
    const stream = await client.listen({ toolsListChanged: true });
    hooks.onReopened();
    return stream;
  } catch (error) {
    hooks.onTrouble(error instanceof Error ? error : new Error(String(error)));
    return undefined;
  }
}
