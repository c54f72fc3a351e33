import type { ServerContext } from '@modelcontextprotocol/server';
import type { ProgressEvent } from './sandbox-port.ts';

/** At most five notifications in a second. */
const INTERVAL_MS = 200;

export interface Progress {
  /** Undefined when the caller did not ask for progress. */
  readonly onProgress: ((event: ProgressEvent) => void) | undefined;
  /** Nothing is sent after this. */
  end(): void;
}

/** Progress notifications for one request: only with a token, rising, rate-limited, the newest first when there are too many. */
export function createProgress({ mcpReq }: ServerContext): Progress {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return { onProgress: undefined, end: () => undefined };
  let ended = false;
  let last = -Infinity;
  let waiting: ProgressEvent | undefined;
  let timer: NodeJS.Timeout | undefined;
  const send = ({ message, progress, total }: ProgressEvent): void => {
    last = progress;
    timer = setTimeout(flush, INTERVAL_MS);
    const params = { progressToken, progress, message, ...(total !== undefined && { total }) };
    // A client that is gone is found out by the request itself, not by its progress.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
  const flush = (): void => {
    timer = undefined;
    const event = waiting;
    waiting = undefined;
    if (event && !ended && !mcpReq.signal.aborted) send(event);
  };
  const onProgress = (event: ProgressEvent): void => {
    if (ended || mcpReq.signal.aborted || event.progress <= Math.max(last, waiting?.progress ?? last)) return;
    if (timer) waiting = event;
    else send(event);
  };
  const end = (): void => {
    ended = true;
    clearTimeout(timer);
  };
  return { onProgress, end };
}
