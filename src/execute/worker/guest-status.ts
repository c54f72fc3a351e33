import { z } from 'zod';
import { ERROR_CODES } from '../../errors.ts';
import type { BoundedText } from '../../engine/abi/guest-memory.ts';
import type { RunEnd, RunLimits } from '../run.ts';

/** More than any honest status: a message, a stack and a hint of 16 KiB each, in which every character is escaped. */
const MAX_STATUS_CHARS = 524_288;

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

/** The most bytes of each text of a status; the state goes into a message as a string, however long it is. */
export function statusBounds({ maxResultBytes, maxStateBytes }: TextLimits): readonly number[] {
  return [MAX_STATUS_CHARS, maxResultBytes, maxStateBytes];
}

type TextLimits = Pick<RunLimits, 'maxResultBytes' | 'maxStateBytes'>;

/** What a program waits for, or how it ended. */
export interface GuestStatus {
  readonly running: number;
  /** Due time of the earliest timer, in milliseconds since 1970. */
  readonly nextTimer: number | null;
  readonly end: RunEnd | null;
  /** The JSON text of a long result as UTF-8; then `end.result` is "". */
  readonly largeResult?: Uint8Array;
}

/**
 * Reads the answer of the `status` export. The guest is not trusted to keep to the contract: a status of another form is an
 * engine fault, and results are measured again.
 *
 * @throws TypeError when the status is not of the contract's form.
 */
export function readGuestStatus(status: readonly BoundedText[], limits: TextLimits): GuestStatus {
  const [first = '', result = '', state = ''] = status;
  const head = textOf(first);
  if (lengthOf(first) > MAX_STATUS_CHARS) throw new TypeError('the status is too long');
  const common = COMMON_STATUS.exec(head);
  if (common) {
    const nextTimer = common[2] === 'null' ? null : Number(common[2]);
    const running = Number(common[1]);
    return common[3] === undefined ? { running, nextTimer, end: null } : { running, nextTimer, ...completed(result, state, limits) };
  }
  const { running, nextTimer, ending } = statusSchema.parse(JSON.parse(head));
  if (ending === null) return { running, nextTimer, end: null };
  if (ending.status === 'completed') return { running, nextTimer, ...completed(result, state, limits) };
  const { code, name, message, stack, hint } = ending;
  return { running, nextTimer, end: { status: 'failed', code, name, message, stack, ...(hint === undefined ? {} : { hint }) } };
}

function completed(result: BoundedText, state: BoundedText, limits: TextLimits): Pick<GuestStatus, 'end' | 'largeResult'> {
  const parts = [
    ['result', result, limits.maxResultBytes],
    ['state', state, limits.maxStateBytes],
  ] as const;
  for (const [what, text, limit] of parts) {
    const bytes = lengthOf(text);
    if (bytes > limit) {
      const message = `The ${what} has ${bytes} bytes as JSON; at most ${limit} are allowed.`;
      return { end: { status: 'failed', code: 'ERR_EXECUTE_RESULT_TOO_LARGE', message } };
    }
  }
  const largeResult = result instanceof Uint8Array ? result : undefined;
  return {
    end: { status: 'completed', result: typeof result === 'string' ? result : '', state: textOf(state) },
    ...(largeResult && { largeResult }),
  };
}

function lengthOf(text: BoundedText): number {
  if (typeof text === 'string') return Buffer.byteLength(text);
  return text instanceof Uint8Array ? text.length : text.bytes;
}

function textOf(text: BoundedText): string {
  if (typeof text === 'string') return text;
  return text instanceof Uint8Array ? Buffer.from(text.buffer, text.byteOffset, text.length).toString() : '';
}
