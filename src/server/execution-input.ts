import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { argumentError } from './argument-error.ts';
import type { WaitRequest } from './execution-port.ts';
import { CANCEL_TOOL_NAME, WAIT_TOOL_NAME } from './tool-name.ts';

/** What the ids of executions are made of: what else comes never reaches the store. */
const ID = /^\w[\w-]{0,99}$/;
const ID_WORDS = 'the executionId of an earlier answer';
const MAX_WAIT_MS = LIMITS.answerAfterMs.maximum;
const TIMEOUT = `a whole number from 0 to ${MAX_WAIT_MS} (ms)`;

// Every client carries these words: there are few of them.
const executionId = z.string({ error: ID_WORDS }).refine((id) => ID.test(id), { error: ID_WORDS });

/** The arguments of `wait_execution`. */
export const waitInputSchema = z.strictObject(
  {
    executionId,
    timeoutMs: z
      .int({ error: TIMEOUT })
      .refine((ms) => ms >= 0 && ms <= MAX_WAIT_MS, { error: TIMEOUT })
      .exactOptional(),
  },
  { error: 'an object' },
);

/** The arguments of `cancel_execution`. */
export const cancelInputSchema = z.strictObject({ executionId }, { error: 'an object' });

/** @throws SandboxError ERR_SERVER_INPUT that names the argument, the value and the fix */
export function parseWaitRequest(args: unknown): WaitRequest {
  return parsed(waitInputSchema, args, WAIT_TOOL_NAME);
}

/** @throws SandboxError ERR_SERVER_INPUT that names the argument, the value and the fix */
export function parseCancelRequest(args: unknown): string {
  return parsed(cancelInputSchema, args, CANCEL_TOOL_NAME).executionId;
}

function parsed<T extends z.ZodObject>(schema: T, args: unknown, tool: string): z.output<T> {
  const result = schema.safeParse(args ?? {});
  if (result.success) return result.data;
  throw argumentError(result.error.issues, args, () => Object.keys(schema.shape), `Correct the arguments of ${tool}.`);
}
