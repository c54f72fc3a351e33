import { z } from 'zod';
import type { RunLimits } from './run.ts';

const whole = z.int().min(0);

/**
 * The limits of one run, where they are read: in the executor, and in saved recordings. Recordings that are there already have to be readable after a
 * change, too.
 */
export const runLimitsSchema = z.strictObject({
  timeoutMs: whole,
  waitMs: whole,
  fuel: whole,
  memoryMb: whole,
  maxToolCalls: whole,
  maxConcurrentToolCalls: whole,
  maxResultBytes: whole,
  maxStateBytes: whole,
  maxLogBytes: whole,
  maxToolArgumentBytes: whole,
  maxFileBytes: whole,
}) satisfies z.ZodType<RunLimits>;
