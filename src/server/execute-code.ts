import type { CallToolResult, McpServer, RegisteredTool, ServerContext } from '@modelcontextprotocol/server';
import { specTypeSchemas } from '@modelcontextprotocol/server';
import { SandboxError, toSandboxError } from '../errors.ts';
import { describeTool } from './describe.ts';
import { executeInputSchema, parseExecuteRequest } from './input-schema.ts';
import { createProgress } from './progress.ts';
import type { RunTracker } from './run-tracker.ts';
import type { ExecuteOptions, ExecuteResponse } from './sandbox-port.ts';
import type { ServerOptions } from './server-options.ts';
import { advertise, advertiseUnchecked } from './tool-schema.ts';

export interface ExecuteCodeDeps extends Pick<ServerOptions, 'port' | 'limits' | 'log'> {
  readonly runs: RunTracker;
  /** Fires when the server begins to close, with a SandboxError as its reason. */
  readonly closing: AbortSignal;
}

/** Name of the one tool. */
export const TOOL_NAME = 'execute_code';

const INPUT = advertiseUnchecked(executeInputSchema);

/** Registers the one tool of Ampoule. Whatever goes wrong in a call is a tool result with a code, never a protocol error. */
export function registerExecuteCode(server: McpServer, deps: ExecuteCodeDeps): RegisteredTool {
  const config = {
    title: 'Run TypeScript in a sandbox',
    description: describeTool(deps.port.description()),
    inputSchema: INPUT,
    outputSchema: advertise(deps.port.outputSchema),
    annotations: {
      title: 'Run TypeScript in a sandbox',
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: false,
      openWorldHint: true,
    },
  };
  return server.registerTool(TOOL_NAME, config, async (args, ctx) => toToolResult(await callWithProgress(args, ctx, deps), deps));
}

async function callWithProgress(args: unknown, ctx: ServerContext, deps: ExecuteCodeDeps): Promise<ExecuteResponse> {
  const progress = createProgress(ctx);
  const { signal } = ctx.mcpReq;
  try {
    return await callExecuteCode(args, { signal, ...(progress.onProgress && { onProgress: progress.onProgress }) }, deps);
  } finally {
    progress.end();
  }
}

/** Runs a call of the tool. Never throws: whatever goes wrong is an answer with a code. */
export async function callExecuteCode(args: unknown, caller: ExecuteOptions, deps: ExecuteCodeDeps): Promise<ExecuteResponse> {
  const { port, log, closing } = deps;
  try {
    closing.throwIfAborted();
    const request = parseExecuteRequest(args, deps.limits);
    const signal = AbortSignal.any([caller.signal, closing]);
    return await deps.runs.track(port.execute(request, { ...caller, signal }));
  } catch (thrown) {
    const error = toSandboxError(closing.aborted ? closing.reason : thrown);
    if (error.code === 'ERR_INTERNAL') log.error({ err: thrown }, 'execute_code failed unexpectedly');
    return port.refuse(error);
  }
}

/**
 * An answer as the result of a tool. Content that a program made goes through the SDK's schema, whichever way the result is sent:
 * what the protocol does not allow would break the client and not only this answer.
 */
export function toToolResult(response: ExecuteResponse, { port }: Pick<ExecuteCodeDeps, 'port'>): CallToolResult {
  const { structured, content } = response;
  const isError = structured.status === 'failed';
  const [first, ...others] = content;
  if (first === undefined || others.length === 0) return { content: [...content], structuredContent: { ...structured }, isError };
  const checked = others.map((block) => specTypeSchemas.ContentBlock['~standard'].validate(block));
  const blocks = checked.map((outcome) => ('value' in outcome ? outcome.value : undefined)).filter((block) => block !== undefined);
  if (blocks.length === others.length) return { content: [first, ...blocks], structuredContent: { ...structured }, isError };
  const message = 'The result holds MCP content that is not as the protocol has it.';
  return toToolResult(port.refuse(new SandboxError('ERR_EXECUTE_RESULT_INVALID', message)), { port });
}
