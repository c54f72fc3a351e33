import type { LoggingLevel, ServerContext } from '@modelcontextprotocol/server';
import type { ExecuteResponse } from './sandbox-port.ts';

/** Most lines, and most bytes of them, that are sent about one run: the answer has the rest. */
const MAX_LINES = 500;
const MAX_BYTES = 64 * 1024;
/** Lines that are written before others have their turn. */
const BURST = 50;
const LOGGER = 'execute_code';

const LEVELS: readonly LoggingLevel[] = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const LEVEL_OF = { debug: 'debug', info: 'info', warn: 'warning', error: 'error' } as const;

/** Sends the lines of a run's log from a level on, in order, before the answer. Nothing is sent about a request that was cancelled. */
export async function sendLog({ mcpReq }: ServerContext, { structured }: ExecuteResponse, least: LoggingLevel): Promise<void> {
  const lines = structured.logs.filter(({ level }) => LEVELS.indexOf(LEVEL_OF[level]) >= LEVELS.indexOf(least));
  let bytes = 0;
  for (const [index, { level, message }] of lines.entries()) {
    bytes += Buffer.byteLength(message);
    const isFull = index >= MAX_LINES || bytes > MAX_BYTES;
    if (mcpReq.signal.aborted) return;
    const data = isFull ? `${lines.length - index} more lines are in the answer.` : message;
    const params = { level: isFull ? 'notice' : LEVEL_OF[level], logger: LOGGER, data } as const;
    // A client that is gone is found out by the request itself.
    await mcpReq.notify({ method: 'notifications/message', params }).catch(() => undefined);
    if (isFull) return;
    if (index % BURST === BURST - 1) await new Promise((resolve) => setImmediate(resolve));
  }
}
