import { isClosing } from '../execution/run-ends.ts';
import type { ExecuteResponse } from '../server/sandbox-port.ts';
import type { LiveExecution } from './live-execution.ts';
import { LONGEST_TIMER_MS } from './until-end.ts';

/** When a request has its answer although the run goes on. What should be answered after more than a timer can wait for is answered at the end. */
export interface EarlyAnswer {
  readonly afterMs: number;
  /** Already when the run is put away, or waits for a person. */
  readonly isWhenWaiting: boolean;
}

/**
 * The answer of an execution, or undefined as soon as its request may be answered without: from then on the request's signal means nothing for it. Before
 * that the execution ends with its request, unless that ends because the server does and the execution goes on with the next start.
 */
export async function untilAnswered(
  execution: LiveExecution,
  signal: AbortSignal,
  { afterMs, isWhenWaiting }: EarlyAnswer,
): Promise<ExecuteResponse | undefined> {
  const early = Promise.withResolvers<undefined>();
  let isDue = false;
  const look = (): void => {
    const mayBeEarly = isDue || (isWhenWaiting && execution.status === 'waiting');
    if (mayBeEarly && execution.detach()) early.resolve(undefined);
  };
  const due = (): void => {
    isDue = true;
    look();
  };
  const abort = (): void => (isClosing(signal.reason) && execution.isKept ? due() : execution.cancel(signal.reason));
  const timer = afterMs < LONGEST_TIMER_MS ? setTimeout(due, afterMs) : undefined;
  execution.listeners.add(look);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  look();
  try {
    return await Promise.race([execution.response, early.promise]);
  } finally {
    clearTimeout(timer);
    execution.listeners.delete(look);
    signal.removeEventListener('abort', abort);
  }
}
