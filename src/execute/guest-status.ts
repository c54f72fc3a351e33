import { z } from 'zod';
import { ERROR_CODES } from '../errors.ts';
import type { RunEnd, RunLimits } from './run.ts';

/** More than any honest status: a message and a stack of 16 KiB each, escaped. */
const MAX_STATUS_CHARS = 262_144;

const statusSchema = z.strictObject({
  running: z.int().min(0),
  nextTimer: z.number().nullable(),
  ending: z
    .union([
      z.strictObject({ status: z.literal('completed') }),
      z.strictObject({
        status: z.literal('failed'),
        code: z.enum(ERROR_CODES),
        name: z.string(),
        message: z.string(),
        stack: z.string(),
        hint: z.string().optional(),
      }),
    ])
    .nullable(),
});

/** What nearly every status looks like: reading it as JSON and checking it takes ten times as long. */
const COMMON_STATUS = /^\{"running":(0|[1-9]\d{0,8}),"nextTimer":(null|0|[1-9]\d{0,14}),"ending":(?:null|(\{"status":"completed"\}))\}$/;

/** What a program waits for, or how it ended. */
export interface GuestStatus {
  readonly running: number;
  /** Due time of the earliest timer, in milliseconds since 1970. */
  readonly nextTimer: number | null;
  readonly end: RunEnd | null;
}

/**
 * Reads the answer of the `status` export. The guest is not trusted to keep to the contract: a status of another form is an
 * engine fault, and results are measured again.
 *
 * @throws TypeError when the status is not of the contract's form.
 */
export function readGuestStatus(status: readonly string[], limits: Pick<RunLimits, 'maxResultBytes' | 'maxStateBytes'>): GuestStatus {
  const [head = '', result = '', state = ''] = status;
  if (head.length > MAX_STATUS_CHARS) throw new TypeError('the status is too long');
  const common = COMMON_STATUS.exec(head);
  if (common) {
    const nextTimer = common[2] === 'null' ? null : Number(common[2]);
    return { running: Number(common[1]), nextTimer, end: common[3] === undefined ? null : completed(result, state, limits) };
  }
  const { running, nextTimer, ending } = statusSchema.parse(JSON.parse(head));
  if (ending === null) return { running, nextTimer, end: null };
  if (ending.status === 'completed') return { running, nextTimer, end: completed(result, state, limits) };
  const { code, name, message, stack, hint } = ending;
  return { running, nextTimer, end: { status: 'failed', code, name, message, stack, ...(hint === undefined ? {} : { hint }) } };
}

function completed(result: string, state: string, limits: Pick<RunLimits, 'maxResultBytes' | 'maxStateBytes'>): RunEnd {
  const parts = [
    ['result', result, limits.maxResultBytes],
    ['state', state, limits.maxStateBytes],
  ] as const;
  for (const [what, text, limit] of parts) {
    const bytes = Buffer.byteLength(text);
    if (bytes > limit) {
      return {
        status: 'failed',
        code: 'ERR_EXECUTE_RESULT_TOO_LARGE',
        message: `The ${what} has ${bytes} bytes as JSON; at most ${limit} are allowed.`,
      };
    }
  }
  return { status: 'completed', result, state };
}
