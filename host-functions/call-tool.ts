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
  /** Told how many bytes of arguments more, or fewer, the host holds for the run. What it throws ends the run. */
  readonly onHeld?: (bytes: number) => void;
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
/** Arguments on their way at once, of one run: a further call waits, unless it is the only one. */
const MAX_BYTES_ON_THEIR_WAY = 4 * 1024 * 1024;
/** What the host holds for each call beside its arguments. */
const CALL_BYTES = 512;

interface RunningCall extends Pick<OutgoingCall, 'number' | 'server' | 'tool'> {
  readonly began: number;
  /** What the call holds until its answer is there. */
  readonly bytes: number;
  /** Arguments of a call that waits: bytes, outside of the heap that all runs of a thread share. */
  waiting: Buffer | undefined;
  isSent: boolean;
  end?: { readonly ok: boolean; readonly ms: number; readonly code: string | undefined };
}

/** The tool calls of one run: numbers them, keeps so many on their way at once, lets the rest wait in order, records all. */
export function createCallTable(options: CallTableOptions): CallTable {
  const { maxToolCalls, maxConcurrentToolCalls, maxToolArgumentBytes, send, onLimit, onHeld, now = () => performance.now() } = options;
  const calls: RunningCall[] = [];
  let nextToSend = 0;
  let onTheirWay = 0;
  let bytesOnTheirWay = 0;
  let running = 0;
  let isOver = false;

  const maySend = ({ bytes }: RunningCall): boolean =>
    onTheirWay < maxConcurrentToolCalls && (onTheirWay === 0 || bytesOnTheirWay + bytes <= MAX_BYTES_ON_THEIR_WAY);

  const sendNow = (call: RunningCall, args: string): void => {
    nextToSend = call.number;
    call.isSent = true;
    call.waiting = undefined;
    onTheirWay++;
    bytesOnTheirWay += call.bytes;
    send({ number: call.number, server: call.server, tool: call.tool, arguments: args });
  };

  const sendNext = (): void => {
    for (let call = calls[nextToSend]; call && maySend(call); call = calls[nextToSend]) sendNow(call, call.waiting?.toString() ?? '');
  };

  const begin = (server: string, tool: string, args: string): number => {
    if (calls.length >= maxToolCalls) {
      const stop = new ToolCallLimit(maxToolCalls);
      if (!isOver) onLimit(stop);
      isOver = true;
      throw stop;
    }
    const bytes = CALL_BYTES + checkedBytes(server, tool, args, maxToolArgumentBytes);
    onHeld?.(bytes);
    const call: RunningCall = { number: calls.length + 1, server, tool, began: now(), bytes, waiting: undefined, isSent: false };
    const isNext = nextToSend === calls.length;
    calls.push(call);
    running++;
    if (isNext && maySend(call)) sendNow(call, args);
    else call.waiting = Buffer.from(args);
    return call.number;
  };

  const settle = (number: number, ok: boolean, code?: string): boolean => {
    const call = calls[number - 1];
    if (call === undefined || !call.isSent || call.end !== undefined) return false;
    call.end = { ok, ms: now() - call.began, code };
    running--;
    onTheirWay--;
    bytesOnTheirWay -= call.bytes;
    // Its record stays.
    onHeld?.(CALL_BYTES - call.bytes);
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

/** The length of the arguments, of a call that keeps its bounds. */
function checkedBytes(server: string, tool: string, args: string, maxBytes: number): number {
  if (server.length > MAX_NAME || tool.length > MAX_NAME) {
    throw new HostFunctionError('ERR_CALL_ARGUMENTS', `the name of a server or tool is longer than ${MAX_NAME} characters`);
  }
  const bytes = Buffer.byteLength(args);
  if (bytes > maxBytes) {
    throw new HostFunctionError('ERR_CALL_ARGUMENTS', `the arguments are larger than ${maxBytes} bytes`, 'send less in one call');
  }
  return bytes;
}
