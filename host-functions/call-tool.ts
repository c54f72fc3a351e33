import { HostFunctionError } from './host-error.ts';

/** A call as it goes out. `arguments` is JSON text, bounded but not validated. */
export interface OutgoingCall {
  readonly number: number;
  readonly server: string;
  readonly tool: string;
  readonly arguments: string;
}

/** One call of a run, in the order in which they began. */
export interface CallEntry {
  readonly server: string;
  readonly tool: string;
  readonly ok: boolean;
  /** From beginning to answer, waiting for its turn included; up to the end of the run for a call without an answer. */
  readonly ms: number;
  readonly code?: string;
}

export interface CallTableOptions {
  readonly maxToolCalls: number;
  readonly maxConcurrentToolCalls: number;
  readonly maxToolArgumentBytes: number;
  /** Sends a call on its way. Its answer comes back through {@link CallTable.settle}. */
  readonly send: (call: OutgoingCall) => void;
  /** Told once, when the program begins more calls than it may: the run has to end with ERR_EXECUTE_TOOL_CALLS. */
  readonly onLimit: (stop: ToolCallLimit) => void;
  /** Milliseconds, for the records. */
  readonly now?: () => number;
}

export interface CallTable {
  /**
   * The host's `call-tool`.
   * @returns the call's number
   * @throws ToolCallLimit past the limit; HostFunctionError ERR_CALL_ARGUMENTS when the guest runtime did not keep its bounds
   */
  begin(server: string, tool: string, args: string): number;
  /** Takes the answer to a call and sends the next one. False when the call is not running, as after a second answer. */
  settle(number: number, ok: boolean, code?: string): boolean;
  /** Calls begun and unanswered, the queued ones included. */
  readonly running: number;
  /** Records of all calls; those without an answer are not ok. */
  records(): CallEntry[];
}

/** Ends the run: thrown through the guest, which cannot catch it, because a throwing import ends in a trap. */
export class ToolCallLimit extends HostFunctionError {
  constructor(maxToolCalls: number) {
    super(
      'ERR_EXECUTE_TOOL_CALLS',
      `the program began more than ${maxToolCalls} tool calls`,
      'ask for more in one call, or raise maxToolCalls',
    );
  }
}

const MAX_NAME = 256;

interface RunningCall extends OutgoingCall {
  readonly began: number;
  isSent: boolean;
  end?: { readonly ok: boolean; readonly ms: number; readonly code: string | undefined };
}

/** The tool calls of one run: numbers them, keeps so many on their way at once, lets the rest wait in order, records all. */
export function createCallTable(options: CallTableOptions): CallTable {
  const { maxToolCalls, maxConcurrentToolCalls, maxToolArgumentBytes, send, onLimit, now = () => performance.now() } = options;
  const calls: RunningCall[] = [];
  let nextToSend = 0;
  let onTheirWay = 0;
  let running = 0;
  let isOver = false;

  const sendNext = (): void => {
    while (onTheirWay < maxConcurrentToolCalls && nextToSend < calls.length) {
      const call = calls[nextToSend++];
      if (call === undefined) return;
      call.isSent = true;
      onTheirWay++;
      send({ number: call.number, server: call.server, tool: call.tool, arguments: call.arguments });
    }
  };

  const begin = (server: string, tool: string, args: string): number => {
    if (calls.length >= maxToolCalls) {
      const stop = new ToolCallLimit(maxToolCalls);
      if (!isOver) onLimit(stop);
      isOver = true;
      throw stop;
    }
    checkBounds(server, tool, args, maxToolArgumentBytes);
    const number = calls.length + 1;
    calls.push({ number, server, tool, arguments: args, began: now(), isSent: false });
    running++;
    sendNext();
    return number;
  };

  const settle = (number: number, ok: boolean, code?: string): boolean => {
    const call = calls[number - 1];
    if (call === undefined || !call.isSent || call.end !== undefined) return false;
    call.end = { ok, ms: now() - call.began, code };
    running--;
    onTheirWay--;
    sendNext();
    return true;
  };

  const records = (): CallEntry[] => calls.map((call) => recordOf(call, now()));
  return {
    begin,
    settle,
    records,
    get running() {
      return running;
    },
  };
}

function recordOf({ server, tool, began, end }: RunningCall, now: number): CallEntry {
  const { ok, ms, code } = end ?? { ok: false, ms: now - began, code: undefined };
  return code === undefined ? { server, tool, ok, ms } : { server, tool, ok, ms, code };
}

function checkBounds(server: string, tool: string, args: string, maxBytes: number): void {
  if (server.length > MAX_NAME || tool.length > MAX_NAME) {
    throw new HostFunctionError('ERR_CALL_ARGUMENTS', `the name of a server or tool is longer than ${MAX_NAME} characters`);
  }
  if (args.length > maxBytes || Buffer.byteLength(args) > maxBytes) {
    throw new HostFunctionError('ERR_CALL_ARGUMENTS', `the arguments are larger than ${maxBytes} bytes`, 'send less in one call');
  }
}
