import { z } from 'zod';
import { SandboxError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { argumentError } from './argument-error.ts';
import { measureJson } from './measure-json.ts';
import type { ExecuteRequest } from './sandbox-port.ts';
import type { ServerLimits } from './server-options.ts';

/** Of `limits.tools`, each held against the tools there are; no name of server and tool is longer. */
const MAX_TOOL_KEYS = 200;
const MAX_TOOL_KEY = 400;

type LowerableLimit = 'timeoutMs' | 'waitMs' | 'fuel' | 'memoryMb' | 'maxToolCalls';

function areFew(tools: Readonly<Record<string, number>>): boolean {
  const keys = Object.keys(tools);
  return keys.length <= MAX_TOOL_KEYS && keys.every(({ length }) => length <= MAX_TOOL_KEY);
}

function limit(name: LowerableLimit, what?: string) {
  const { minimum, unit } = LIMITS[name];
  const error = `a whole number of at least ${minimum} (${unit})`;
  const schema = z.int({ error }).min(minimum, { error }).exactOptional();
  return what === undefined ? schema : schema.describe(what);
}

const limitsSchema = z.strictObject(
  {
    timeoutMs: limit('timeoutMs', 'Computing'),
    waitMs: limit('waitMs'),
    fuel: limit('fuel'),
    memoryMb: limit('memoryMb'),
    maxToolCalls: limit('maxToolCalls'),
    servers: z
      .array(z.string({ error: 'the name of a server' }), { error: 'a list of server names' })
      .exactOptional()
      .describe('The only ones to call'),
    tools: z
      .record(
        z.string().regex(/^[^.]+\..+$/),
        z.int({ error: 'a whole number of at least 0 (calls)' }).min(0, { error: 'a whole number of at least 0 (calls)' }),
        {
          error: 'an object such as {"tickets.create": 20}',
        },
      )
      .refine(areFew, { error: `an object with at most ${MAX_TOOL_KEYS} keys of at most ${MAX_TOOL_KEY} characters` })
      .exactOptional()
      .describe('Most calls by "server.tool" or "server.*"; 0 forbids'),
  },
  { error: 'an object' },
);

const WAIT_MODES = '"completed" or "return-when-waiting"';
const { minimum: MIN_ANSWER_MS, maximum: MAX_ANSWER_MS } = LIMITS.answerAfterMs;
const ANSWER_MS = `a whole number from ${MIN_ANSWER_MS} to ${MAX_ANSWER_MS} (ms)`;

/** The arguments of `execute_code`. */
export const executeInputSchema = z.strictObject(
  {
    code: z
      .string({ error: 'TypeScript source text' })
      .min(1, { error: 'TypeScript source text that is not empty' })
      .describe('TypeScript module'),
    input: z.unknown().optional().describe('Any JSON'),
    session: z.string({ error: '"new" or the session handle of an earlier answer' }).exactOptional().describe('"new" or a handle'),
    dryRun: z.boolean({ error: 'true or false' }).exactOptional().describe('Change nothing'),
    limits: limitsSchema.exactOptional().describe('Lower limits for this run'),
    wait: z.enum(['completed', 'return-when-waiting'], { error: WAIT_MODES }).exactOptional().describe('When to answer'),
    answerAfterMs: z
      .int({ error: ANSWER_MS })
      .refine((ms) => ms >= MIN_ANSWER_MS && ms <= MAX_ANSWER_MS, { error: ANSWER_MS })
      .exactOptional()
      .describe('Or after so long'),
  },
  { error: 'an object' },
);

const KEYS = Object.keys(executeInputSchema.shape);
const LIMIT_KEYS = Object.keys(limitsSchema.shape);

/**
 * The arguments of a call, checked against schema and limits.
 * @throws SandboxError ERR_SERVER_INPUT that names the argument, the value and the fix.
 */
export function parseExecuteRequest(args: unknown, limits: ServerLimits): ExecuteRequest {
  const parsed = executeInputSchema.safeParse(args ?? {});
  if (!parsed.success) throw argumentError(parsed.error.issues, args, (path) => (path.length === 0 ? KEYS : LIMIT_KEYS));
  const { code, input } = parsed.data;
  const bytes = Buffer.byteLength(code);
  if (bytes > limits.maxSourceBytes) throw tooLarge('code', `${bytes} bytes`, `${limits.maxSourceBytes} bytes`);
  checkInput(input, limits);
  return parsed.data;
}

function checkInput(input: unknown, limits: ServerLimits): void {
  if (input === undefined) return;
  const { depth, nodes } = measureJson(input, limits.maxJsonDepth, limits.maxJsonNodes);
  if (depth > limits.maxJsonDepth) throw tooLarge('input', 'nested too deeply', `${limits.maxJsonDepth} levels`);
  if (nodes > limits.maxJsonNodes) throw tooLarge('input', 'made of too many values', `${limits.maxJsonNodes} values`);
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > limits.maxInputBytes) throw tooLarge('input', `${bytes} bytes of JSON`, `${limits.maxInputBytes} bytes`);
}

function tooLarge(name: string, found: string, most: string): SandboxError {
  const hint = name === 'code' ? 'Send less code; pass data through "input".' : 'Send less input, or let the code fetch it with a tool.';
  return new SandboxError('ERR_SERVER_INPUT', `Argument "${name}" is ${found}; the limit is ${most}.`, { hint });
}
