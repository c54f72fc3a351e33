import { z } from 'zod';
import { SandboxError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { nearestName } from '../nearest-name.ts';
import { measureJson } from './measure-json.ts';
import type { ExecuteRequest } from './sandbox-port.ts';
import type { ServerLimits } from './server-options.ts';

type LowerableLimit = 'timeoutMs' | 'waitMs' | 'fuel' | 'memoryMb' | 'maxToolCalls';

function limit(name: LowerableLimit, what: string) {
  const { minimum, unit } = LIMITS[name];
  const error = `a whole number of at least ${minimum} (${unit})`;
  return z.int({ error }).min(minimum, { error }).exactOptional().describe(what);
}

const limitsSchema = z.strictObject(
  {
    timeoutMs: limit('timeoutMs', 'Milliseconds of computing'),
    waitMs: limit('waitMs', 'Milliseconds of waiting for tools and timers'),
    fuel: limit('fuel', 'Units of work'),
    memoryMb: limit('memoryMb', 'MiB of memory'),
    maxToolCalls: limit('maxToolCalls', 'Number of tool calls'),
    servers: z
      .array(z.string({ error: 'the name of a server' }), { error: 'a list of server names' })
      .exactOptional()
      .describe('The only servers this run may call'),
  },
  { error: 'an object' },
);

/** The arguments of `execute_code`. */
export const executeInputSchema = z.strictObject(
  {
    code: z
      .string({ error: 'TypeScript source text' })
      .min(1, { error: 'TypeScript source text that is not empty' })
      .describe('TypeScript module code'),
    input: z.unknown().optional().describe('Any JSON value; the code sees it as `input`'),
    session: z
      .string({ error: 'a session handle of an earlier answer' })
      .exactOptional()
      .describe('Handle of an earlier answer, to go on with its state'),
    limits: limitsSchema.exactOptional().describe('Limits for this run; they can only be lower than the server has them'),
  },
  { error: 'an object' },
);

const KEYS = Object.keys(executeInputSchema.shape);
const LIMIT_KEYS = Object.keys(limitsSchema.shape);
const MAX_FINDINGS = 10;

/**
 * The arguments of a call, checked against schema and limits.
 * @throws SandboxError ERR_SERVER_INPUT that names the argument, the value and the fix.
 */
export function parseExecuteRequest(args: unknown, limits: ServerLimits): ExecuteRequest {
  const parsed = executeInputSchema.safeParse(args ?? {});
  if (!parsed.success) throw inputError(parsed.error.issues, args);
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

function inputError(issues: readonly z.core.$ZodIssue[], args: unknown): SandboxError {
  // A misspelt key also makes the right one missing: the misspelling is the finding to read first.
  const unknown = issues.filter(({ code }) => code === 'unrecognized_keys');
  const others = issues.filter(({ code }) => code !== 'unrecognized_keys');
  const messages = [...unknown, ...others].flatMap((issue) => issueTexts(issue, args)).slice(0, MAX_FINDINGS);
  const [first = 'The arguments are not valid.'] = messages;
  const diagnostics = messages.map((message) => ({ message }));
  return new SandboxError('ERR_SERVER_INPUT', first, messages.length > 1 ? { diagnostics } : {});
}

function issueTexts(issue: z.core.$ZodIssue, args: unknown): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.slice(0, MAX_FINDINGS).map((key) => unknownKeyText(key, issue.path));
  const name = issue.path.length === 0 ? 'The arguments' : `Argument "${issue.path.join('.')}"`;
  return [`${name} must be ${issue.message}, not ${shown(valueAt(args, issue.path))}.`];
}

function unknownKeyText(key: string, path: readonly PropertyKey[]): string {
  const keys = path.length === 0 ? KEYS : LIMIT_KEYS;
  const clipped = key.slice(0, 40);
  const near = nearestName(clipped, keys);
  const known = near === undefined ? `Known are ${keys.map((name) => `"${name}"`).join(', ')}.` : `Did you mean "${near}"?`;
  return `Unknown argument ${JSON.stringify([...path, clipped].join('.'))}. ${known}`;
}

function valueAt(args: unknown, path: readonly PropertyKey[]): unknown {
  let value = args;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
