import { z } from 'zod';
import { SandboxError } from '../errors.ts';
import type { Diagnostic } from '../errors.ts';
import type { TokenMemory } from '../policy/personal-data.ts';
import type { ExecuteOptions, ExecuteRequest } from '../server/sandbox-port.ts';

/** Goes up when what is written down of an execution changes so that an older gateway would read it wrongly. */
const VERSION = 1;

const json = z.unknown();
const amount = z.number();

const requestSchema = z.strictObject({
  version: z.literal(VERSION),
  code: z.string(),
  input: json.optional(),
  session: z.string().exactOptional(),
  dryRun: z.boolean().exactOptional(),
  limits: z
    .strictObject({
      timeoutMs: amount.exactOptional(),
      waitMs: amount.exactOptional(),
      fuel: amount.exactOptional(),
      memoryMb: amount.exactOptional(),
      maxToolCalls: amount.exactOptional(),
      servers: z.array(z.string()).exactOptional(),
      tools: z.record(z.string(), amount).exactOptional(),
    })
    .exactOptional(),
  grant: z.array(z.string()).exactOptional(),
  credential: z.string().exactOptional(),
  form: z.enum(['structured', 'text']).exactOptional(),
});

const location = z.strictObject({ line: amount, column: amount, source: z.string(), module: z.string().exactOptional() });
const diagnostic = z.strictObject({
  code: z.string().exactOptional(),
  message: z.string(),
  tsCode: amount.exactOptional(),
  location: location.exactOptional(),
});

const contextSchema = z.strictObject({
  version: z.literal(VERSION),
  session: z.strictObject({ handle: z.string(), version: z.int(), isNew: z.boolean() }).exactOptional(),
  phases: z.record(z.string(), amount),
  /** What the check and the bundler found: they are not asked a second time. */
  warnings: z.array(diagnostic),
  /** What tokens stand for that the program began with, and how further ones are made. */
  tokens: z
    .strictObject({
      /** Of the data-flow rules that the numbers of rules are of. */
      rules: z.string(),
      key: z.string(),
      tokens: z.array(z.tuple([z.string(), z.union([z.string(), z.number()]), z.int()])),
    })
    .exactOptional(),
});

/** Who asked for an execution, and for what: all that it takes to begin it. */
export type ExecutionRequest = z.output<typeof requestSchema>;

/** What the gateway knows of an execution that has begun, beside what it was started with. */
export type ExecutionContext = z.output<typeof contextSchema>;

/** The request as text for the store. How it is to be answered is not in it: nobody waits for that after a restart. */
export function writeRequest(
  { code, input, session, dryRun, limits }: ExecuteRequest,
  { grant, credential, form }: Pick<ExecuteOptions, 'grant' | 'credential' | 'form'>,
): string {
  return JSON.stringify({ version: VERSION, code, input, session, dryRun, limits, grant, credential, form });
}

/** @throws SandboxError ERR_EXECUTION_DAMAGED for what none of our gateways has written, or a newer one */
export function readRequest(text: string): ExecutionRequest {
  return read(requestSchema, text, 'request');
}

/** What is written down of a run that begins. */
export interface ContextToWrite extends Pick<ExecutionContext, 'phases' | 'session'> {
  readonly warnings: readonly Diagnostic[];
  readonly tokens?: (TokenMemory & { readonly rules: string }) | undefined;
}

export function writeContext(context: ContextToWrite): string {
  return JSON.stringify({ version: VERSION, ...context });
}

/** @throws SandboxError ERR_EXECUTION_DAMAGED */
export function readContext(text: string): ExecutionContext {
  return read(contextSchema, text, 'context');
}

function read<T>(schema: z.ZodType<T>, text: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new SandboxError('ERR_EXECUTION_DAMAGED', `The stored ${what} of the run cannot be read by this version.`, { cause });
  }
}

/** A request as it was made, and the form that its answer was to have. */
export function requestOf({ code, input, session, dryRun, limits }: ExecutionRequest): ExecuteRequest {
  return {
    code,
    ...(input !== undefined && { input }),
    ...(session !== undefined && { session }),
    ...(dryRun !== undefined && { dryRun }),
    ...(limits !== undefined && { limits }),
  };
}
