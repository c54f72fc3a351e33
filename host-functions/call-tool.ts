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
  /** Whether the call was begun and has no answer. */
  isRunning(number: number): boolean;
  /** Calls on their way, in the order in which they began. */
  pending(): number[];
  /** Calls begun and unanswered, the queued ones included. */
  readonly running: number;
  /** How many calls were begun. */
  readonly begun: number;
  /** The number of the last call that went out; 0 for none. */
  readonly lastSent: number;
  /** Records of all calls; those without an answer are not ok. */
  records(): CallEntry[];
  /** All of it, to go on with in another table. */
  snapshot(): CallTableState;
}

/** One call of a table that is put away. */
export interface CallState {
  readonly server: string;
  readonly tool: string;
  /** Milliseconds since it began. */
  readonly ageMs: number;
  /** See {@link RunningCall}. */
  readonly bytes: number;
  /** The arguments of a call that waits for its turn. */
  readonly waiting?: Uint8Array | undefined;
  readonly end?: CallEnd | undefined;
}

export interface CallEnd {
  readonly ok: boolean;
  readonly ms: number;
  readonly code?: string | undefined;
}

/** Calls in the order in which they began; those that wait are the last. */
export type CallTableState = readonly CallState[];

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
  end?: CallEnd;
}

/**
 * The tool calls of one run: numbers them, keeps so many on their way at once, lets the rest wait in order, records all.
 * @param from where another table was put away. Nothing is sent again, and `onHeld` is not told of what that one held.
 */
export function createCallTable(options: CallTableOptions, from: CallTableState = []): CallTable {
  const { maxToolCalls, maxConcurrentToolCalls, maxToolArgumentBytes, send, onLimit, onHeld, now = () => performance.now() } = options;
  const calls = from.map((call, index) => restoredCall(call, index + 1, now()));
  const lane = createLane(maxConcurrentToolCalls, calls.filter(isOut));
  let nextToSend = calls.filter(({ isSent }) => isSent).length;
  let running = calls.filter(({ end }) => end === undefined).length;
  let isOver = false;

  const sendNow = (call: RunningCall, args: string): void => {
    nextToSend = call.number;
    call.isSent = true;
    call.waiting = undefined;
    lane.enter(call);
    send({ number: call.number, server: call.server, tool: call.tool, arguments: args });
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
    const isNext = nextToSend === calls.length;
    const call: RunningCall = { number: calls.length + 1, server, tool, began: now(), bytes, waiting: undefined, isSent: false };
    calls.push(call);
    running++;
    if (isNext && lane.hasRoom(call)) sendNow(call, args);
    else call.waiting = Buffer.from(args);
    return call.number;
  };

  const settle = (number: number, ok: boolean, code?: string): boolean => {
    const call = calls[number - 1];
    if (call === undefined || !call.isSent || call.end !== undefined) return false;
    call.end = { ok, ms: now() - call.began, code };
    running--;
    lane.leave(call);
    // Its record stays.
    onHeld?.(CALL_BYTES - call.bytes);
    for (let next = calls[nextToSend]; next && lane.hasRoom(next); next = calls[nextToSend]) sendNow(next, next.waiting?.toString() ?? '');
    return true;
  };

  return {
    begin,
    settle,
    records: () => calls.map((call) => recordOf(call, now())),
    isRunning: (number) => number > 0 && calls[number - 1]?.end === undefined && number <= calls.length,
    pending: () => calls.filter(isOut).map(({ number }) => number),
    snapshot: () => calls.map((call) => stateOf(call, now())),
    get running() {
      return running;
    },
    get begun() {
      return calls.length;
    },
    get lastSent() {
      return nextToSend;
    },
  };
}

function isOut({ isSent, end }: RunningCall): boolean {
  return isSent && end === undefined;
}

type Sized = Pick<RunningCall, 'bytes'>;

/** How many calls are on their way, with how much. */
function createLane(
  most: number,
  inside: readonly Sized[],
): { hasRoom(call: Sized): boolean; enter(call: Sized): void; leave(call: Sized): void } {
  let count = inside.length;
  let all = inside.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    hasRoom: ({ bytes }) => count < most && (count === 0 || all + bytes <= MAX_BYTES_ON_THEIR_WAY),
    enter({ bytes }) {
      count++;
      all += bytes;
    },
    leave({ bytes }) {
      count--;
      all -= bytes;
    },
  };
}

function stateOf({ server, tool, began, bytes, waiting, end }: RunningCall, now: number): CallState {
  return { server, tool, ageMs: now - began, bytes, waiting, end };
}

function restoredCall({ server, tool, ageMs, bytes, waiting, end }: CallState, number: number, now: number): RunningCall {
  const isSent = waiting === undefined;
  return { number, server, tool, began: now - ageMs, bytes, waiting: waiting && Buffer.from(waiting), isSent, ...(end && { end }) };
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
