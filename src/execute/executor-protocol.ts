import { z } from 'zod';
import { linkPlanSchema } from '../engine/abi/link-plan.ts';
import { ERROR_CODES } from '../errors.ts';
import { runLimitsSchema } from './run-limits-schema.ts';
import { MAX_HISTORY_FILES, MAX_HISTORY_STEPS } from './worker-protocol.ts';

/** The messages between gateway and executor. Both sides parse what they get; payloads are named in the comments. */

/** Changes with every message that does. The two come from one installation, which may be replaced while the gateway runs. */
export const PROTOCOL = 4;

/** Calls in one message. */
export const MAX_CALLS = 1_000;
const MAX_MODULES = 16;
/** Names of servers and tools in a call. */
const MAX_NAME = 256;
/** Of a file in a mount. */
const MAX_PATH = 4_096;
/** A guest's message, its stack, our own hints. */
const MAX_TEXT = 1024 * 1024;

const runNumber = z.int().min(1);
const errorCode = z.enum(ERROR_CODES);
const key = z.string().regex(/^[0-9a-f]{64}$/);
const folder = z.string().regex(/^[0-9a-f]{32}$/);
const amount = z.number().min(0);
const name = z.string().max(MAX_NAME);
const text = z.string().max(MAX_TEXT);
const whole = z.int().min(0);
const callNumbers = z.array(z.int().min(1)).max(MAX_CALLS);

/** Where a run goes on. `bytes` is what the end of the payload has of it. */
const from = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('image'), bytes: whole, now: z.number(), pending: callNumbers, lastCall: whole }),
  /** The bytes are those of `run-steps.ts`. */
  z.strictObject({ kind: z.literal('history'), bytes: whole, now: z.number().optional() }),
]);

/** What a run was given since it was last told. */
const history = z.strictObject({
  /** Each the clock, and the calls that were settled. */
  steps: z.array(z.tuple([z.number()], z.number())).max(MAX_HISTORY_STEPS),
  files: z
    .array(z.strictObject({ path: z.string().max(MAX_PATH), bytes: whole, hash: z.string().regex(/^(?:[0-9a-f]{64})?$/) }))
    .max(MAX_HISTORY_FILES)
    .optional(),
});

/** Gateway to executor. */
export const commandSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('init'),
    protocol: z.literal(PROTOCOL),
    plan: linkPlanSchema,
    /** The engine's core modules. Payload: their bytes, one after the other. */
    modules: z.array(z.strictObject({ name: z.string(), bytes: whole })).max(MAX_MODULES),
    /** Virtual mount name to absolute folder. */
    mounts: z.record(z.string(), z.string()),
    workers: z.union([z.int().min(1), z.literal('auto')]),
    maxRunsPerWorker: z.int().min(1),
    maxQueuedRuns: z.int().min(0),
    /** Memory of all runs together from which on no further one begins, in bytes. Default: half of the machine's. */
    maxHeldBytes: z.int().min(1).optional(),
  }),
  /** To be answered at once. */
  z.strictObject({ type: z.literal('ping'), ping: whole }),
  z.strictObject({
    type: z.literal('run'),
    run: runNumber,
    executionId: z.string(),
    key,
    input: z.string(),
    state: z.string(),
    limits: runLimitsSchema,
    /** Name of a folder in the mount "results". */
    results: folder.optional(),
    /** Name of a folder in the mount "skills". */
    skills: folder.optional(),
    now: z.number().optional(),
    seed: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    /** What the payload begins with. With `none` the executor has the program, or asks. */
    payload: z.enum(['none', 'script', 'program']),
    from: from.optional(),
    /** When it may be put away while it waits. */
    hibernation: z.strictObject({ afterMs: whole, maxImageBytes: whole, stayMs: whole.exactOptional() }).optional(),
    /** Whether it tells what it was given. */
    history: z.boolean().optional(),
  }),
  /** Payload: the script. */
  z.strictObject({ type: z.literal('script'), run: runNumber }),
  /** Makes a program without running it: to be sent back, with `run`; else for a run that may come soon. Payload: the script. */
  z.strictObject({ type: z.literal('make'), run: runNumber.optional(), key }),
  /** Payload: the answer as JSON text. */
  z.strictObject({ type: z.literal('answer'), run: runNumber, call: z.int().min(0), ok: z.boolean(), code: errorCode.optional() }),
  z.strictObject({ type: z.literal('cancel'), run: runNumber }),
  /** The run is to be put away as soon as it waits, if it may be. */
  z.strictObject({ type: z.literal('hibernate'), run: runNumber }),
]);

const end = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('completed'), result: z.string(), state: z.string() }),
  z.strictObject({
    status: z.literal('failed'),
    code: errorCode,
    message: text,
    name: text.optional(),
    stack: text.optional(),
    hint: text.optional(),
  }),
]);

const usage = z.strictObject({ fuel: amount, peakMemoryBytes: amount, activeMs: amount, waitingMs: amount, toolCalls: whole });

const outcome = z.strictObject({
  end,
  logs: z.array(z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() })),
  droppedLogBytes: amount,
  calls: z.array(z.strictObject({ server: name, tool: name, ok: z.boolean(), ms: amount, code: errorCode.optional() })),
  usage,
  cache: z.enum(['hit', 'miss']),
  phases: z.strictObject({ queue: amount, component: amount, run: amount }),
});

/** Executor to gateway. */
export const eventSchema = z.discriminatedUnion('type', [
  /** The first of all. */
  z.strictObject({ type: z.literal('hello'), protocol: whole }),
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('fatal'), message: text }),
  z.strictObject({ type: z.literal('pong'), ping: whole }),
  /** The run waits for a worker: nothing of it has begun. */
  z.strictObject({ type: z.literal('queued'), run: runNumber }),
  /** A run that was queued begins. */
  z.strictObject({ type: z.literal('begun'), run: runNumber }),
  /** The executor does not have the program of a run that was sent without payload. */
  z.strictObject({ type: z.literal('need'), run: runNumber }),
  /** The calls of one step. Payload: the arguments of one after the other as JSON text, each of so many bytes. */
  z.strictObject({
    type: z.literal('calls'),
    run: runNumber,
    calls: z
      .array(
        z.strictObject({
          call: z.int().min(0),
          server: name,
          tool: name,
          bytes: whole,
          /** The run's clock, the fuel that it had used, and how many steps it had been given. */
          at: z.number().optional(),
          fuel: amount.optional(),
          step: whole.optional(),
        }),
      )
      .min(1)
      .max(MAX_CALLS),
    history: history.optional(),
  }),
  /** More of what a run was given than goes with what it led to. */
  z.strictObject({ type: z.literal('history'), run: runNumber, history }),
  /** A run that has gone on wants the answers to calls that it made before. */
  z.strictObject({ type: z.literal('awaits'), run: runNumber, calls: callNumbers.min(1) }),
  /** The run is put away: this is the last that is heard of it. Payload: its image. */
  z.strictObject({
    type: z.literal('hibernated'),
    run: runNumber,
    pending: callNumbers,
    lastCall: whole,
    nextTimer: z.number().nullable(),
    now: z.number(),
    usage,
    history: history.optional(),
  }),
  /** The run should be put away and cannot be: it waits where it is. */
  z.strictObject({ type: z.literal('waiting'), run: runNumber, nextTimer: z.number().nullable(), history: history.optional() }),
  /** Payload: the encoded program. With `run` it answers a `make`. */
  z.strictObject({ type: z.literal('made'), key, run: runNumber.optional() }),
  /** Payload: the large parts of the outcome one after the other, the result first. */
  z.strictObject({
    type: z.literal('outcome'),
    run: runNumber,
    outcome,
    large: z.strictObject({ result: whole, logs: whole }).optional(),
    history: history.optional(),
  }),
  /** The run did not begin. */
  z.strictObject({ type: z.literal('refused'), run: runNumber, code: errorCode, message: text, hint: text.optional() }),
]);

/** A greeting of any version: others may say more in it. */
export const greetingSchema = z.looseObject({ type: z.literal('hello'), protocol: whole });

/** The lengths in the header must add up to the payload: what else they mean nobody could say. */
export function isWhole(event: ExecutorEvent, payload: Uint8Array): boolean {
  if (event.type === 'outcome') return (event.large?.result ?? 0) + (event.large?.logs ?? 0) === payload.length;
  if (event.type !== 'calls') return true;
  return event.calls.reduce((sum, { bytes }) => sum + bytes, 0) === payload.length;
}

/** As {@link isWhole}, for what comes from the gateway. */
export function isWholeCommand(command: ExecutorCommand, payload: Uint8Array): boolean {
  if (command.type === 'run') return isWholeRun(command, payload);
  if (command.type !== 'init') return true;
  return command.modules.reduce((sum, { bytes }) => sum + bytes, 0) === payload.length;
}

function isWholeRun({ payload: form, from }: RunCommand, payload: Uint8Array): boolean {
  const rest = payload.length - (from?.bytes ?? 0);
  return form === 'none' ? rest === 0 : rest >= 0;
}

export type ExecutorCommand = z.output<typeof commandSchema>;
export type ExecutorEvent = z.output<typeof eventSchema>;
export type InitCommand = Extract<ExecutorCommand, { type: 'init' }>;
export type RunCommand = Extract<ExecutorCommand, { type: 'run' }>;
export type HibernatedEvent = Extract<ExecutorEvent, { type: 'hibernated' }>;
/** `files` is left out where there are none. */
export type HistoryPart = z.output<typeof history>;
export type CallsEvent = Extract<ExecutorEvent, { type: 'calls' }>;
