import type { CallToolResult, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { type SandboxError, toSandboxError } from '../errors.ts';
import type { SaveSkillRequest } from '../skill/save-skill.ts';
import { argumentError } from './argument-error.ts';
import type { ExecuteCodeDeps } from './execution-calls.ts';
import { interceptCalls } from './intercept-calls.ts';
import type { ExecuteOptions } from './sandbox-port.ts';
import { advertiseUnchecked } from './tool-schema.ts';

/** Name of the tool that keeps modules. */
export const SAVE_SKILL_NAME = 'save_skill';
const HINT = 'Correct the arguments of save_skill.';

const inputSchema = z.strictObject(
  {
    name: z.string({ error: 'a name such as "triage-issues"' }).describe('Small letters, digits, hyphens'),
    description: z.string({ error: 'a sentence or two' }).describe('What it does: search_tools finds it by this'),
    code: z.string({ error: 'TypeScript source text' }).describe('TypeScript module that exports functions; imports as in execute_code'),
  },
  { error: 'an object' },
);
const KEYS = Object.keys(inputSchema.shape);
const INPUT = advertiseUnchecked(inputSchema);

const CONFIG = {
  title: 'Save a skill',
  description:
    'Saves a module that later programs import: import { name } from "skills/<name>". Saving a name again makes a new version of it.',
  inputSchema: INPUT,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
};

/**
 * The tool that keeps modules, where the operator lets agents save some: what it gives back registers it, in its place among the others.
 * Elsewhere it is not listed. To be called before any tool is registered. Its answer is text; whatever goes wrong is a tool result with
 * a code.
 */
export function saveSkillTool(server: McpServer, deps: ExecuteCodeDeps): () => void {
  if (deps.port.description().skills !== true) {
    refuseCalls(server, deps);
    return () => undefined;
  }
  return () => void server.registerTool(SAVE_SKILL_NAME, CONFIG, (args, ctx) => callSaveSkill(args, { signal: ctx.mcpReq.signal }, deps));
}

/** A client that still has the tool from another time is told why it is gone. */
function refuseCalls(server: McpServer, deps: ExecuteCodeDeps): void {
  interceptCalls(server, async (request, ctx, next) =>
    request.params.name === SAVE_SKILL_NAME
      ? callSaveSkill(request.params.arguments, { signal: ctx.mcpReq.signal }, deps)
      : next(request, ctx),
  );
}

/** Runs a call of the tool. Never throws. */
export async function callSaveSkill(args: unknown, caller: ExecuteOptions, deps: ExecuteCodeDeps): Promise<CallToolResult> {
  const { port, log, closing } = deps;
  try {
    closing.throwIfAborted();
    const signal = AbortSignal.any([caller.signal, closing]);
    const { text, isError } = await deps.runs.track(port.saveSkill(parseRequest(args), { ...caller, signal }));
    return { content: [{ type: 'text', text }], ...(isError && { isError }) };
  } catch (thrown) {
    const error = toSandboxError(closing.aborted ? closing.reason : thrown);
    if (error.code === 'ERR_INTERNAL') log.error({ err: thrown }, 'save_skill failed unexpectedly');
    return { content: [{ type: 'text', text: refusal(error) }], isError: true };
  }
}

function parseRequest(args: unknown): SaveSkillRequest {
  const parsed = inputSchema.safeParse(args ?? {});
  if (parsed.success) return parsed.data;
  throw argumentError(parsed.error.issues, args, () => KEYS, HINT);
}

function refusal({ code, message, details }: SandboxError): string {
  const known = code === 'ERR_INTERNAL' ? 'the skill was not saved, because something went wrong inside the sandbox.' : message;
  const [, ...others] = details.diagnostics ?? [];
  return [
    `failed: ${code}`,
    known,
    ...others.map((finding) => finding.message),
    ...(details.hint === undefined ? [] : [`hint: ${details.hint}`]),
  ].join('\n');
}
