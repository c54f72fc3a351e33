import { z } from 'zod';
import type { CallState, CallTableState } from '../../../host-functions/call-tool.ts';
import type { LogState } from '../../../host-functions/log.ts';
import { damagedImage } from '../../component/run-image.ts';
import { ERROR_CODES } from '../../errors.ts';
import type { MeterState } from './meter-control.ts';
import type { RunLimits, RunOutcome } from '../run.ts';

/** What the host holds for a run between two export calls, beside the guest's memory: with that all that the run depends on. */
export interface RunState {
  /** The run's clock. */
  readonly now: number;
  /** What the guest said last: to ask again would cost fuel. */
  readonly status: { readonly running: number; readonly nextTimer: number | null };
  readonly waitingMs: number;
  readonly meter: MeterState;
  readonly calls: CallTableState;
  readonly log: LogState;
  readonly spent: Spent;
}

/** What a run's time in executors went into so far. */
export interface Spent extends Pick<RunOutcome, 'cache' | 'phases'> {}

const MIB = 1024 * 1024;
const LENGTH_BYTES = 4;
/** A call's names, escaped, and its numbers. */
const CALL_BYTES = 4_096;
/** Of a log line, beside its text. A line may double when it is written as JSON. */
const LOG_FACTOR = 4;
/** The longest text that can be read as JSON. */
const MAX_HEAD_BYTES = 400 * MIB;

const amount = z.number().min(0);
const whole = z.int().min(0);

const headSchema = z.strictObject({
  now: z.number(),
  status: z.strictObject({ running: whole, nextTimer: z.number().nullable() }),
  waitingMs: amount,
  meter: z.strictObject({
    granted: whole,
    slice: whole,
    pages: whole,
    hostBytes: whole,
    activeMs: amount,
    refusedGrowth: z.boolean(),
  }),
  calls: z.array(
    z.strictObject({
      server: z.string(),
      tool: z.string(),
      ageMs: amount,
      bytes: whole,
      /** Length of the arguments of a call that waits. */
      waiting: whole.optional(),
      end: z.strictObject({ ok: z.boolean(), ms: amount, code: z.enum(ERROR_CODES).optional() }).optional(),
    }),
  ),
  log: z.strictObject({
    left: z.int(),
    droppedBytes: whole,
    entries: z.array(z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() })),
    /** Length of what is kept as bytes. */
    kept: whole.optional(),
  }),
  spent: z.strictObject({ cache: z.enum(['hit', 'miss']), phases: z.strictObject({ queue: amount, component: amount, run: amount }) }),
});

type Head = z.output<typeof headSchema>;

/** The state as bytes: the length of a head, the head as JSON text, then arguments of calls and lines of the log as they are. */
export function encodeRunState({ calls, log, ...rest }: RunState): Uint8Array {
  const parts = [...calls.flatMap(({ waiting }) => waiting ?? []), ...(log.kept ? [log.kept] : [])];
  const head = {
    ...rest,
    calls: calls.map(({ waiting, ...call }) => ({ ...call, waiting: waiting?.length })),
    log: { ...log, kept: log.kept?.length },
  };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  return Buffer.concat([length, text, ...parts]);
}

/** The most bytes that {@link encodeRunState} gives for a run with these limits. */
export function maxStateBytes({ memoryMb, maxLogBytes, maxToolCalls }: RunLimits): number {
  return (memoryMb + 2) * MIB + LOG_FACTOR * maxLogBytes + maxToolCalls * CALL_BYTES;
}

/** @throws SandboxError ERR_COMPONENT_DAMAGED when the state is not one of a run with these limits */
export function decodeRunState(bytes: Uint8Array, limits: RunLimits): RunState {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = readHead(file);
  const take = reader(file.subarray(LENGTH_BYTES + file.readUInt32LE(0)));
  const calls = head.calls.map(({ end, waiting, ...call }): CallState => ({
    ...call,
    ...(end && { end }),
    ...(waiting !== undefined && { waiting: take(waiting) }),
  }));
  const { kept, ...log } = head.log;
  const state = { ...head, calls, log: { ...log, ...(kept !== undefined && { kept: take(kept) }) } };
  const problem = take.left() === 0 ? findProblem(state, limits) : 'there is more than it says';
  if (problem !== undefined) throw damagedImage(problem);
  return state;
}

function readHead(file: Buffer): Head {
  const length = file.length < LENGTH_BYTES ? Infinity : file.readUInt32LE(0);
  if (length > Math.min(file.length - LENGTH_BYTES, MAX_HEAD_BYTES)) throw damagedImage('what the host held is cut off');
  try {
    return headSchema.parse(JSON.parse(file.toString('utf8', LENGTH_BYTES, LENGTH_BYTES + length)));
  } catch {
    throw damagedImage('what the host held is not of its form');
  }
}

/** Takes one piece after the other. */
function reader(rest: Buffer): { (length: number): Uint8Array<ArrayBuffer>; left(): number } {
  let at = 0;
  const take = (length: number): Uint8Array<ArrayBuffer> => {
    if (length > rest.length - at) throw damagedImage('what the host held is cut off');
    // Memory of its own: the rest is not to be held as long as a piece is.
    const piece = Uint8Array.from(rest.subarray(at, at + length));
    at += length;
    return piece;
  };
  return Object.assign(take, { left: () => rest.length - at });
}

/** What no run that kept its limits can have come to. */
function findProblem({ meter, calls, log }: RunState, limits: RunLimits): string | undefined {
  if (meter.granted > limits.fuel || meter.slice > meter.granted) return `it used more than its ${limits.fuel} units of fuel`;
  if (calls.length > limits.maxToolCalls) return `it made ${calls.length} calls, more than ${limits.maxToolCalls}`;
  if (log.left > limits.maxLogBytes) return `it has room for ${log.left} bytes of log, more than ${limits.maxLogBytes}`;
  const firstWaiting = calls.findIndex(({ waiting }) => waiting !== undefined);
  if (firstWaiting >= 0 && calls.slice(firstWaiting).some(({ waiting, end }) => waiting === undefined || end)) {
    return 'its calls are not in order';
  }
  const onTheirWay = calls.filter(({ waiting, end }) => waiting === undefined && end === undefined).length;
  return onTheirWay > limits.maxConcurrentToolCalls ? `${onTheirWay} calls are on their way at once` : undefined;
}
