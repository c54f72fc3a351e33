import { z } from 'zod';

const count = z.number().min(0);

const location = z.strictObject({
  line: z.int().min(1).describe('1-based line in your code'),
  column: z.int().min(1).describe('1-based column'),
  source: z.string().describe('The text of that line'),
  module: z.string().exactOptional().describe('The skill that has that line; absent for your own code'),
});

const finding = z.strictObject({
  code: z.string().exactOptional().describe('Stable code of a warning, such as WARN_OUTPUT_SCHEMA'),
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
  retryAfterMs: count.exactOptional().describe('When to try again, in milliseconds from now'),
  location: location.exactOptional().describe('Where in your code'),
  stack: z.array(location).exactOptional().describe('The calls that led there, innermost first'),
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

const shortened = z.strictObject({
  path: z.string(),
  shown: count,
  of: count,
  unit: z.enum(['items', 'keys', 'characters', 'lines']),
});

const kept = z.strictObject({
  what: z.enum(['result', 'logs', 'call', 'content']),
  uri: z.string(),
  bytes: count,
  expiresAt: z.string(),
  shortened: z.array(shortened),
});

const call = z.strictObject({
  server: z.string(),
  tool: z.string(),
  ok: z.boolean(),
  ms: count.describe('Of all that the entry stands for'),
  code: z.string().exactOptional(),
  times: z.int().min(2).exactOptional().describe('How many calls alike the entry stands for, where a run made very many'),
});

const dryCall = z.strictObject({
  server: z.string(),
  tool: z.string(),
  arguments: z.unknown(),
  answer: z
    .enum(['recorded', 'schema', 'none'])
    .describe('What the program got instead: a shape seen before, one made from the schema, or null'),
});

const waitedFor = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('tool'), call: z.int(), server: z.string(), tool: z.string(), since: z.string() }),
  z.strictObject({
    kind: z.literal('approval'),
    call: z.int(),
    server: z.string(),
    tool: z.string(),
    since: z.string(),
    approval: z.string().describe('Id of the question, for the operator'),
    question: z.string(),
  }),
  z.strictObject({ kind: z.literal('timer'), until: z.string() }),
]);

/** `structuredContent` of `execute_code`: one shape for every end of a run, failures included, and for a run that goes on. */
export const executeOutputSchema = z.strictObject({
  status: z.enum(['completed', 'failed', 'waiting']),
  executionId: z.string(),
  waiting: z.array(waitedFor).exactOptional().describe('What the run waits for, when it goes on without the request'),
  moreWaiting: count.exactOptional().describe('Number of things it waits for that are not in "waiting"'),
  next: z.string().exactOptional().describe('How to get the answer of a run that goes on'),
  session: z
    .string()
    .exactOptional()
    .describe('Pass it back as "session" to go on with the same state; absent when the run has no session'),
  result: z.unknown().optional().describe('What the program returned; absent when it returned nothing'),
  logs: z.array(z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() })),
  droppedLogBytes: count.exactOptional().describe('Bytes of log over the limit, not kept'),
  calls: z.array(call),
  usage,
  kept: z.array(kept).exactOptional().describe('What was too large for the answer and is kept whole'),
  dryRun: z.array(dryCall).exactOptional().describe('Calls that were not made'),
  warnings: z.array(finding).exactOptional().describe('What did not stop the run but should be known'),
  error: failure.exactOptional(),
});

/** The structured answer of one call of `execute_code`. */
export type ExecuteOutput = z.output<typeof executeOutputSchema>;
export type ExecuteFailure = z.output<typeof failure>;
export type KeptItem = z.output<typeof kept>;
export type Shortened = z.output<typeof shortened>;
/** One thing that a run waits for. Times are ISO 8601. */
export type WaitedFor = z.output<typeof waitedFor>;

/** What is left of it where the text of the answer says everything: nothing is there twice. */
export type ReducedOutput = Pick<ExecuteOutput, 'status' | 'executionId' | 'session' | 'error'> & { readonly restIn: 'text' };

/** What is sent of the answer about a run that goes on: it has no result, logs and calls yet, and says so by leaving them out. */
export type WaitingOutput = Pick<ExecuteOutput, 'status' | 'executionId' | 'session' | 'waiting' | 'moreWaiting' | 'next'> &
  Partial<Pick<ExecuteOutput, 'usage'>>;

const listOf = (members: string): z.ZodType => z.array(z.unknown()).optional().describe(members);

/**
 * The schema that clients get, for both forms. Every client carries it before anything is asked, so it says what a model has to know to
 * read an answer, and leaves out what only we have to hold: bounds, and that there is nothing else.
 */
export const advertisedOutputSchema = z.object({
  status: z.enum(['completed', 'failed', 'waiting']),
  executionId: z.string(),
  waiting: listOf('{kind: tool|approval|timer, call?, server?, tool?, since?, question?, until?}'),
  next: z.string().optional(),
  session: z.string().optional().describe('Pass it back as "session"'),
  result: z.unknown().optional().describe('What the code returned; shortened if kept says so'),
  logs: listOf('{level, message}'),
  droppedLogBytes: z.number().optional(),
  calls: listOf('{server, tool, ok, ms, code?, times?}'),
  usage: z.unknown().optional().describe('Fuel, memory, times'),
  kept: z
    .array(
      z.object({
        what: z.enum(['result', 'logs', 'call', 'content']),
        uri: z.string().describe('Resource with the whole, in pages; in code: readFile("results/<id>?offset=0&limit=100")'),
        bytes: z.number(),
        expiresAt: z.string(),
        shortened: listOf('{path, shown, of, unit}'),
      }),
    )
    .optional(),
  dryRun: listOf('Calls not made: {server, tool, arguments, answer}'),
  warnings: listOf('{code?, message, location?}'),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      hint: z.string().optional(),
      retryAfterMs: z.number().optional(),
      location: z.unknown().optional().describe('{line, column, source, module?} in your code'),
      diagnostics: listOf('All findings: {message, location?}'),
    })
    .optional(),
  restIn: z.literal('text').optional().describe('Everything else is in the text'),
});
