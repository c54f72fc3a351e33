import { z } from 'zod';

const count = z.number().min(0);

const location = z.strictObject({
  line: z.int().min(1).describe('1-based line in your code'),
  column: z.int().min(1).describe('1-based column'),
  source: z.string().describe('The text of that line'),
});

const finding = z.strictObject({
  message: z.string(),
  location: location.exactOptional(),
  tsCode: z.int().exactOptional().describe('Number of the TypeScript error, such as 2345'),
});

const failure = z.strictObject({
  code: z
    .string()
    .regex(/^ERR_[A-Z_]+$/)
    .describe('Stable code, such as ERR_EXECUTE_THROWN'),
  message: z.string(),
  hint: z.string().exactOptional().describe('What to do about it'),
  location: location.exactOptional().describe('Where in your code'),
  diagnostics: z.array(finding).exactOptional().describe('Every finding about your code, when there are several'),
});

const usage = z.strictObject({
  fuel: count.describe('Deterministic units of work'),
  peakMemoryBytes: count,
  activeMs: count.describe('Time spent computing'),
  waitingMs: count.describe('Time spent waiting for tools and timers'),
  toolCalls: count,
  phases: z.record(z.string(), count).describe('Milliseconds of each phase'),
  cache: z.enum(['hit', 'miss']).exactOptional().describe('Whether the program was already compiled; absent when it never ran'),
});

/** `structuredContent` of `execute_code`: one shape for every end of a run, failures included. */
export const executeOutputSchema = z.strictObject({
  status: z.enum(['completed', 'failed', 'waiting']),
  executionId: z.string(),
  session: z.string().exactOptional().describe('Pass it back as "session" to go on with the same state; absent when no run began'),
  result: z.unknown().optional().describe('What the program returned; absent when it returned nothing'),
  logs: z.array(z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() })),
  droppedLogBytes: count.exactOptional().describe('Bytes of log over the limit, not kept'),
  calls: z.array(z.strictObject({ server: z.string(), tool: z.string(), ok: z.boolean(), ms: count, code: z.string().exactOptional() })),
  usage,
  warnings: z.array(finding).exactOptional().describe('Type errors of a program that ran all the same, because the operator wants it so'),
  error: failure.exactOptional(),
});

/** The structured answer of one call of `execute_code`. */
export type ExecuteOutput = z.output<typeof executeOutputSchema>;
export type ExecuteFailure = z.output<typeof failure>;
