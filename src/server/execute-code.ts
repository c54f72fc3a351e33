import type { CallToolResult, McpServer, RegisteredTool, ServerContext } from '@modelcontextprotocol/server';
import { toSandboxError } from '../errors.ts';
import { describeTool } from './describe.ts';
import { executeInputSchema, parseExecuteRequest } from './input-schema.ts';
import { createProgress } from './progress.ts';
import type { RunTracker } from './run-tracker.ts';
import type { ExecuteResponse } from './sandbox-port.ts';
import type { ServerOptions } from './server-options.ts';
import { advertise, advertiseUnchecked } from './tool-schema.ts';

export interface ExecuteCodeDeps extends Pick<ServerOptions, 'port' | 'limits' | 'log'> {
  readonly runs: RunTracker;
  /** Fires when the server begins to close, with a SandboxError as its reason. */
  readonly closing: AbortSignal;
}

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
  return server.registerTool('execute_code', config, async (args, ctx) => toToolResult(await callExecuteCode(args, ctx, deps)));
}

async function callExecuteCode(args: unknown, ctx: ServerContext, deps: ExecuteCodeDeps): Promise<ExecuteResponse> {
  const { port, log, closing } = deps;
  const progress = createProgress(ctx);
  try {
    closing.throwIfAborted();
    const request = parseExecuteRequest(args, deps.limits);
    const signal = AbortSignal.any([ctx.mcpReq.signal, closing]);
    const options = { signal, ...(progress.onProgress && { onProgress: progress.onProgress }) };
    return await deps.runs.track(port.execute(request, options));
  } catch (thrown) {
    const error = toSandboxError(closing.aborted ? closing.reason : thrown);
    if (error.code === 'ERR_INTERNAL') log.error({ err: thrown }, 'execute_code failed unexpectedly');
    return port.refuse(error);
  } finally {
    progress.end();
  }
}

function toToolResult({ structured, content }: ExecuteResponse): CallToolResult {
  return { content: [...content], structuredContent: { ...structured }, isError: structured.status === 'failed' };
}
