import type { ToolAnswer, ToolCall } from '../../execute/run.ts';
import type { StoredCall } from '../execution-store.ts';

/** What becomes of a call without an answer that was begun before this process was. */
export type Decision = 'make' | 'fail' | 'ask';

/**
 * A call that was never sent is made. One that was, or was about to be, may have been made: it is made again only where twice is as good as once;
 * else the operator's policy decides.
 */
export function decide(call: Pick<StoredCall, 'stage' | 'isRepeatable'>, interruptedCalls: 'fail' | 'ask', canAsk: boolean): Decision {
  if (call.stage !== 'sent' || call.isRepeatable) return 'make';
  return interruptedCalls === 'ask' && canAsk ? 'ask' : 'fail';
}

/** What the program hears of a call of which nobody knows whether it was made. */
export function interrupted({ server, tool }: Pick<ToolCall, 'server' | 'tool'>): ToolAnswer {
  const message = `The server was ended while the call of "${server}.${tool}" ran. Nobody knows whether it was made, and it was not made again.`;
  return { ok: false, error: { code: 'ERR_CALL_INTERRUPTED', message, hint: 'Find out whether it was made before making it again.' } };
}

/** What the program hears of a call that cannot be made, because calls whose answers nobody has taken hold the memory that they may. */
export function noRoomFor({ server, tool }: Pick<ToolCall, 'server' | 'tool'>): ToolAnswer {
  const message = `The arguments of "${server}.${tool}" find no room beside those of the calls that this and other runs wait for. Nothing was sent.`;
  return {
    ok: false,
    error: { code: 'ERR_EXECUTION_FULL', message, hint: 'Call it again when some of them are answered, or pass less at once.' },
  };
}

/** What the program hears of a call whose answer came while it slept, or faster than it could be written, when there was no room for that. */
export function notKept({ server, tool }: Pick<ToolCall, 'server' | 'tool'>): ToolAnswer {
  const message = `"${server}.${tool}" was called, and there was no room to keep its answer.`;
  return {
    ok: false,
    error: { code: 'ERR_EXECUTION_FULL', message, hint: 'Find out what it did before making it again, and ask for less at once.' },
  };
}
